"""Read the ledgers of a version and of the versions before it together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow.dataset as ds

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest
    from builder.history.lineage import Lineage


_Row: TypeAlias = dict[str, Any]
Find: TypeAlias = "Callable[[ds.Dataset], Iterable[_Row]]"
"""A function that finds rows in one ledger."""

_BATCH_ROWS = 1 << 16
_BATCHES_AHEAD = 2


@dataclass(frozen=True, slots=True)
class LedgerHistory:
    """The ledgers of some versions, the oldest first; a fetched corpus may have none.

    A record has one row in the ledger of the build that read it, and one row in the ledger of each later
    build that changed its outcome. The newest row is the valid one.
    """

    corpus: Corpus
    versions: Sequence[str]

    @classmethod
    def of(cls, lineage: Lineage) -> LedgerHistory:
        """Return the ledgers of a version and of the versions that it builds on."""
        return cls(lineage.corpus, [segment.version for segment in lineage.segments])

    @property
    def is_complete(self) -> bool:
        """Whether every version has its ledger."""
        return len(self.paths()) == len(self.versions)

    def paths(self) -> list[Path]:
        """List the ledgers that exist."""
        return [path for version in self.versions if (path := self.corpus.ledger_file(version)).exists()]

    def latest(
        self,
        named: pc.Expression | Find,
        *,
        is_meant: Callable[[_Row], bool] | None = None,
        columns: Sequence[str] | None = None,
    ) -> list[_Row]:
        """Return the newest row of each record that a filter finds in any ledger, in the order of the builds.

        Ledgers are read a batch at a time; only the found rows are kept in memory.

        Args:
            named: a condition on the columns, or a function that finds rows in one ledger.
            is_meant: returns whether a row that meets the condition counts as found; every such row counts
                if None.
            columns: the columns of the returned rows, which must include ``record_id``; all if None.
        """
        import pyarrow.dataset as ds  # it imports pandas, and most builds read no ledger

        found: dict[str, _Row] = {}
        for path in self.paths():
            ledger = ds.dataset(path)
            known = pc.field("record_id").isin(pa.array(list(found), pa.string()))
            if isinstance(named, pc.Expression):
                rows = _rows(ledger, (named | known) if found else named, columns)
            else:
                rows = chain(named(ledger), _rows(ledger, known, columns) if found else ())
            for row in rows:
                if is_meant is None or row["record_id"] in found or is_meant(row):
                    found[row["record_id"]] = row
        return list(found.values())

    def under(self, kept_ids: Iterable[str]) -> list[_Row]:
        """Return the newest row of each record that one of these published documents represents now."""
        wanted = frozenset(kept_ids)
        named = pc.field("kept_id").isin(pa.array(sorted(wanted), pa.string()))
        return [row for row in self.latest(named) if row["kept_id"] in wanted]


def _rows(ledger: ds.Dataset, named: pc.Expression, columns: Sequence[str] | None) -> Iterator[_Row]:
    scanner = ledger.scanner(
        columns=None if columns is None else list(columns),
        filter=named,
        batch_size=_BATCH_ROWS,
        batch_readahead=_BATCHES_AHEAD,
        fragment_readahead=1,
    )
    for batch in scanner.to_batches():
        yield from batch.to_pylist()


def ledgers_of(corpus: Corpus, old: Manifest, new: Manifest | None = None) -> tuple[list[Path], list[Path]]:
    """List the ledgers up to the old version, and those between it and the new one, each oldest first."""
    before = [old.version, *_ancestors(corpus, old)]
    after = [new.version, *_ancestors(corpus, new)] if new else []
    between = [one for one in after if one not in before]
    histories = (LedgerHistory(corpus, versions[::-1]) for versions in (before, between))
    older, later = (history.paths() for history in histories)
    return older, later


def _ancestors(corpus: Corpus, manifest: Manifest) -> list[str]:
    found: list[str] = []
    there = set(corpus.versions())
    while manifest.parent and manifest.parent["version"] in there:
        found.append(manifest.parent["version"])
        manifest = corpus.manifest(found[-1])
    return found
