"""Render the card and croissant.json of a purged version with its current rows."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from builder.card.card import render_card, render_dropped_card
from builder.card.croissant import croissant_text
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

_COUNTED_PARTS = ("what", "contents", "sources")
"""Parts of a card that count rows. All other parts stay as they were written."""


def as_purged(
    corpus: Corpus, version: str, fresh: Mapping[str, FreshShard], facts: Mapping[str, ShardFacts]
) -> Manifest:
    """Return the manifest of a version with the rows, raw bytes and shards after the purge."""
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
    """Render README.md and croissant.json of each version again, by version and file name.

    Args:
        purged: manifests of the versions after the purge.
        facts: facts of the shards that were written again, by the SHA-256 of the old shard.
    """
    known = _known_facts(corpus) | {one.sha256: one for one in facts.values()}
    files = {}
    for version, manifest in purged.items():
        n_rows = corpus.manifest(version).rows - manifest.rows
        shards = [known[one.sha256] for _, one in manifest.shards() if one.sha256 in known]
        card_of = card_facts(
            manifest,
            source=_source(corpus, manifest),
            shards=shards,
            clusters=clusters[version],
            history=(),
        )
        text = croissant_text(card_of)
        old = read_file(corpus.version_folder(version), "README.md", limit=CARD_BYTES).decode()
        if manifest.rows:
            card = amend_card(
                old, render_card(card_of), parts=_COUNTED_PARTS, name="purged", text=_note(n_rows)
            )
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
    """Return the source of the card. A fetched corpus has only the recipe in the manifest."""
    folder = corpus.index_folder(manifest.version)
    with suppress(FileNotFoundError):
        return CardSource.parse(read_file(folder, CARD_JSON, limit=SMALL_JSON_BYTES))
    return CardSource.of_document(manifest.recipe["document"])
