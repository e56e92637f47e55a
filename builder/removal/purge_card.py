"""The public files of a version that was purged: its card and croissant.json tell what is there now."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from builder.card.card import render_card, render_dropped_card
from builder.card.croissant import croissant
from builder.card.sections import amend_card
from builder.card.source import CARD_JSON, CardSource
from builder.corpus.opening import CARD_BYTES, SMALL_JSON_BYTES, check_path, read_file
from builder.corpus.purged import PURGED, Purged
from builder.corpus.seals import Sealed
from builder.history.index import INDEX_JSON, Segment
from builder.release.card_facts import card_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.corpus import Corpus, FreshShard
    from builder.domain.manifest import Manifest
    from builder.history.index import ShardFacts

_TOLD_ANEW = ("what", "contents", "sources")
"""Parts of a card that count rows; all else was true of the version when it was made, and still is."""


def as_purged(
    corpus: Corpus, version: str, fresh: Mapping[str, FreshShard], facts: Mapping[str, ShardFacts]
) -> Manifest:
    """Return the manifest of a version as it is to be: rows, raw bytes and shards."""
    shards = []
    for _, shard in corpus.shards(version):
        if one := fresh.get(shard.sha256):
            new = None
            if one.path is not None:
                new = Sealed(sha256=facts[shard.sha256].sha256, bytes=one.path.stat().st_size)
            shards.append(one.replacing(shard, new=new))
    purged = Purged(version=version, digest=corpus.digest(version), shards=tuple(shards))
    return purged.apply(corpus.as_is(version))


def public_files(
    corpus: Corpus,
    purged: Mapping[str, Manifest],
    facts: Mapping[str, ShardFacts],
    *,
    clusters: Mapping[str, Mapping[int, int]],
) -> dict[str, dict[str, bytes]]:
    """Make README.md and croissant.json of each version anew, by version and name.

    Args:
        purged: manifests of the versions as they are to be.
        facts: of the shards that were written again, by the SHA-256 of what they were.
    """
    known = _known_facts(corpus) | {one.sha256: one for one in facts.values()}
    files = {}
    for version, manifest in purged.items():
        n_rows = corpus.manifest(version).rows - manifest.rows
        shards = [known[one.sha256] for _, one in manifest.shards() if one.sha256 in known]
        told = card_facts(
            manifest,
            source=_source(corpus, manifest),
            shards=shards,
            clusters=clusters[version],
            history=(),
        )
        text = json.dumps(croissant(told), indent=2, ensure_ascii=False) + "\n"
        old = read_file(corpus.version_folder(version), "README.md", limit=CARD_BYTES).decode()
        if manifest.rows:
            card = amend_card(old, render_card(told), parts=_TOLD_ANEW, name="purged", text=_note(n_rows))
        else:
            card = render_dropped_card(manifest.name, version, digest=corpus.digest(version), rows=n_rows)
        files[version] = {"README.md": card.encode(), "croissant.json": text.encode()}
    return files


def _note(n_rows: int) -> str:
    were = "1 document was" if n_rows == 1 else f"{n_rows:,} documents were"
    return (
        f"**{were} purged from this version after it was written.** The manifest is unchanged;\n"
        f"`{PURGED}` next to it lists the files that were rewritten."
    )


def _known_facts(corpus: Corpus) -> dict[str, ShardFacts]:
    folders = [corpus.index_folder(version) for version in corpus.versions()]
    segments = [Segment.read(folder) for folder in folders if check_path(folder, INDEX_JSON).exists()]
    return {shard.sha256: shard for segment in segments for shard in segment.shards}


def _source(corpus: Corpus, manifest: Manifest) -> CardSource:
    """Return what the card was made from; a corpus that was fetched has only what the manifest tells."""
    folder = corpus.index_folder(manifest.version)
    with suppress(FileNotFoundError):
        return CardSource.parse(read_file(folder, CARD_JSON, limit=SMALL_JSON_BYTES))
    return CardSource.of_document(manifest.recipe["document"])
