"""Make tombstones: keyed hashes of the URLs, texts and bytes of published documents."""

from __future__ import annotations

import secrets
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.document_ids import DocumentIds, parse_id
from builder.domain.text_buffers import BandKeys, text_buffers, text_digests
from builder.history.ledgers import LedgerHistory
from builder.history.rebuild import SketchResources
from builder.pipeline.tombstone_filter import few_words, keyed_shingles
from builder.pipeline.tombstones import TextTombstone, Tombstone, Tombstones, halved
from builder.protocols import Columns
from builder.recipe.built import built_stages
from builder.stages.dedup_near import DedupNear
from builder.stages.dedup_url import url_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.history.past import Past, StageMemory
    from builder.removal.targets import TakedownRequest

KEY_BYTES = 32


def new_tombstones() -> Tombstones:
    """Return an empty set of tombstones, with a new random key."""
    return Tombstones(secrets.token_bytes(KEY_BYTES))


def make_tombstones(
    tombstones: Tombstones,
    past: Past,
    documents: Mapping[bytes, str | None],
    *,
    request: TakedownRequest,
    because: str,
) -> Tombstones:
    """Add a tombstone for each document, and one for the requested URLs and domains, to the tombstones.

    A tombstone also has the URLs and texts of the pages that were merged into its document.
    """
    wanted = sorted(documents)
    urls, texts, contents = _urls(past, documents), _texts(past, wanted), _contents(past, wanted)
    stage, rules = near_stage(past.lineage.manifest.recipe), past.lineage.manifest.url_rules
    new = [
        Tombstone(
            because=because,
            urls=tuple(sorted(tombstones.keyed(key) for key in urls[one])),
            contents=tuple(sorted(tombstones.keyed(digest) for digest in contents[one])),
            pages=tuple(_pages(tombstones, texts[one], stage)),
            words=tuple(sorted(_words(tombstones, texts[one], stage))),
            url_rules=rules,
        )
        for one in wanted
    ]
    extra = Tombstone(
        because=because,
        domains=tuple(tombstones.keyed(host.encode()) for host in request.domains),
        urls=tuple(tombstones.keyed(key) for url in request.urls if (key := url_key(url, rules))),
        url_rules=rules,
    )
    return Tombstones(tombstones.key, (*tombstones.entries, *_without_known(tombstones, [*new, extra])))


def _without_known(tombstones: Tombstones, new: Sequence[Tombstone]) -> list[Tombstone]:
    """Return the new tombstones without those whose URLs and domains other tombstones already have."""
    known = {url for tombstone in tombstones.entries for url in (*tombstone.urls, *tombstone.domains)}
    fresh = []
    for tombstone in new:
        if tombstone.contents or not known >= {*tombstone.urls, *tombstone.domains}:
            fresh.append(tombstone)
        known |= {*tombstone.urls, *tombstone.domains}
    return fresh


def near_stage(built: Mapping[str, Any]) -> DedupNear:
    """Return the first ``dedup_near`` stage of a version, or one with default options.

    Args:
        built: the entry ``recipe`` of its manifest.
    """
    options = [one.options for one in built_stages(built) if one.kind == DedupNear.name]
    return DedupNear(**(options[0] if options else {}))


def memories_of(past: Past, kind: str) -> Iterator[tuple[Mapping[str, Any], StageMemory]]:
    """Yield options and keepers of each stage of a kind; a stage without an index is left out."""
    for entry in built_stages(past.lineage.manifest.recipe):
        if entry.kind == kind and (memory := past.stage(entry.name)).is_there:
            yield entry.options, memory


def _urls(past: Past, documents: Mapping[bytes, str | None]) -> Mapping[bytes, set[bytes]]:
    """Return the URL keys of each document and of the pages that were merged into it."""
    found: dict[bytes, set[bytes]] = defaultdict(set)
    rules = int(past.lineage.manifest.recipe.get("url_rules", 1))
    for one, url in documents.items():
        found[one] |= {key} if (key := url_key(url, rules)) is not None else set()
    for row in LedgerHistory.of(past.lineage).under(one.hex() for one in documents):
        if (key := url_key(row["url"], rules)) is not None:
            found[parse_id(row["kept_id"])].add(key)
    return found


def _texts(past: Past, documents: Sequence[bytes]) -> Mapping[bytes, list[bytes]]:
    """Return the text of each document, and the texts of other keepers that it represents."""
    found: dict[bytes, list[bytes]] = defaultdict(list)
    if not past.text_column:
        return found
    ids = DocumentIds.from_bytes(documents)
    for key, text in past.lineage.texts(ids, past.text_column).items():
        found[key].append(text)
    for _, memory in memories_of(past, DedupNear.name):
        rows = memory.represented_by(set(documents))
        kept_ids, texts = past.kept_ids(memory.past_rows(rows)), memory.texts.take(rows).to_pylist()
        for kept, text in zip(kept_ids, texts, strict=True):
            if kept is not None and text and text not in found[kept]:
                found[kept].append(text)
    return found


def _contents(past: Past, documents: Sequence[bytes]) -> Mapping[bytes, set[bytes]]:
    """Return the digests of each document's text, and of texts merged into it after ``dedup_exact``."""
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for key, texts in _texts(past, documents).items():
        found[key] |= set(text_digests(pa.array(texts, pa.large_binary())).to_pylist())
    for _, memory in memories_of(past, "dedup_exact"):
        rows = memory.represented_by(set(documents))
        digests = memory.column("text_digest").take(pa.array(rows)).to_pylist()
        for kept, digest in zip(past.kept_ids(memory.past_rows(rows)), digests, strict=True):
            if kept is not None:
                found[kept].add(digest)
    return found


def _pages(tombstones: Tombstones, texts: Sequence[bytes], stage: DedupNear) -> list[TextTombstone]:
    from builder.kernels.dedup.shingles import shingle_sets
    from builder.kernels.text.folding import folding
    from builder.kernels.text.words import buffers

    if not texts:
        return []
    column = pa.array(texts, pa.large_binary())
    keys = BandKeys(pa.chunked_array([_sketch(texts, stage).column("band_keys")]))
    keyed = halved(tombstones.keyed_words(keys.rows(np.arange(len(texts)))))
    hashes, starts = shingle_sets(*text_buffers(column), stage.shingle_words, folding(), buffers())
    return [
        TextTombstone(
            shingle_words=stage.shingle_words,
            rows=stage.banding[1],
            keys=keyed[i],
            shingles=keyed_shingles(tombstones, hashes[starts[i] : starts[i + 1]]),
        )
        for i in range(len(texts))
        if starts[i + 1] > starts[i]
    ]


def _words(tombstones: Tombstones, texts: Sequence[bytes], stage: DedupNear) -> set[str]:
    """Return the keyed hashes of the words of texts that have words, but too few for a shingle."""
    if not texts:
        return set()
    sketch = _sketch(texts, stage)
    return {
        tombstones.keyed(hashed)
        for hashed in sketch.filter(few_words(sketch)).column("words_hash").to_pylist()
    }


def _sketch(texts: Sequence[bytes], stage: DedupNear) -> pa.RecordBatch:
    column = pa.array(texts, pa.large_binary())
    batch = pa.RecordBatch.from_pydict({"text": pc.cast(column, pa.large_string(), safe=False)})
    resources: Any = SketchResources(Columns(text="text"))
    return stage.sketch(batch, resources=resources)
