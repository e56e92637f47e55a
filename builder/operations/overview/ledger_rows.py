"""Read the ledgers and audit files of a version as arrays, with the newest row of each record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.corpus import Corpus

LEDGER_BATCH_ROWS = 1 << 17


@dataclass(frozen=True, slots=True)
class Audit:
    """The audit files of a version and of the versions that it builds on, the oldest first."""

    corpus: Corpus
    versions: Sequence[str]

    @property
    def is_there(self) -> bool:
        """Whether each version has its ledger."""
        return all(self.corpus.ledger_file(one).exists() for one in self.versions)

    def ledger(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of all ledgers in batches, without rows that a later build stated again."""
        gone = pa.array([], pa.string())
        for version in reversed(self.versions):
            path = self.corpus.ledger_file(version)
            if not path.exists():
                continue
            names = list(dict.fromkeys([*columns, "record_id"] if len(gone) else columns))
            for batch in pq.ParquetFile(path).iter_batches(batch_size=LEDGER_BATCH_ROWS, columns=names):
                yield _without(batch, gone).select(columns)
            gone = pa.concat_arrays([gone, self._restated(version)])

    def named(self, record_ids: Sequence[str], columns: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the newest row of each of these records."""
        wanted = pa.array(sorted(set(record_ids)), pa.string())
        found: dict[str, dict[str, Any]] = {}
        for batch in self.ledger(list(dict.fromkeys([*columns, "record_id"]))) if len(wanted) else ():
            for row in batch.filter(pc.is_in(batch["record_id"], value_set=wanted)).to_pylist():
                found.setdefault(row["record_id"], row)
        return found

    def batches(
        self, name: str, columns: Sequence[str], *, rows: int = LEDGER_BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of an audit file of all versions, the oldest first."""
        for version in self.versions:
            path = self.corpus.audit_file(version, name)
            if path.exists():
                yield from pq.ParquetFile(path).iter_batches(batch_size=rows, columns=list(columns))

    def _restated(self, version: str) -> pa.Array:
        """Return the records of older builds in the ledger of a version: its last rows."""
        n = int(self.corpus.manifest(version).counts.get("restated", 0))
        if not n:
            return pa.array([], pa.string())
        ids = pq.read_table(self.corpus.ledger_file(version), columns=["record_id"])["record_id"]
        return ids.slice(max(0, len(ids) - n)).combine_chunks().cast(pa.string())


def _without(batch: pa.RecordBatch, gone: pa.Array) -> pa.RecordBatch:
    if not len(gone):
        return batch
    return batch.filter(pc.invert(pc.is_in(batch["record_id"], value_set=gone)))
