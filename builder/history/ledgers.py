"""The ledgers of a version and of those before it, read together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest
    from builder.history.lineage import Lineage


def latest_statements(lineage: Lineage, kept_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return the newest ledger row of each record that some published documents stand for.

    The records come in the order of their builds. A corpus that was fetched has no ledger.
    """
    wanted = frozenset(kept_ids)
    among = pa.array(sorted(wanted), pa.string())
    found: dict[str, dict[str, Any]] = {}
    for segment in lineage.segments:
        path = lineage.corpus.ledger(segment.version)
        if not path.exists():
            continue
        known = pc.field("record_id").isin(pa.array(list(found), pa.string()))
        named = pc.field("kept_id").isin(among) | known
        table = pq.read_table(path, filters=named, partitioning=None)
        found |= {row["record_id"]: row for row in table.to_pylist()}
    return [row for row in found.values() if row["kept_id"] in wanted]


def ledgers_of(corpus: Corpus, old: Manifest, new: Manifest | None = None) -> tuple[list[Path], list[Path]]:
    """List the ledgers up to the old version, and of those that lead from it to the new one, oldest first."""
    before = [old.version, *_ancestors(corpus, old)]
    after = [new.version, *_ancestors(corpus, new)] if new else []
    between = [one for one in after if one not in before]
    return _there(corpus, before[::-1]), _there(corpus, between[::-1])


def _there(corpus: Corpus, versions: Sequence[str]) -> list[Path]:
    """Return their ledgers; a corpus that was fetched may have none."""
    return [path for version in versions if (path := corpus.ledger(version)).exists()]


def _ancestors(corpus: Corpus, manifest: Manifest) -> list[str]:
    found: list[str] = []
    there = set(corpus.versions())
    while manifest.parent and manifest.parent["version"] in there:
        found.append(manifest.parent["version"])
        manifest = corpus.manifest(found[-1])
    return found
