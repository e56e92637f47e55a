"""Keep what a corpus stage that rejects or marks rows has decided, in files next to its verdicts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.ledger import audit_table
from builder.domain.record import RECORD
from builder.domain.rejection import REJECTION_SCHEMA, no_rejections
from builder.history.index import open_arrow, write_arrow
from builder.io.streams.replacing import save_array, write_replacing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.pipeline.parts import Part
    from builder.protocols import CorpusStage, Verdicts

REFUSED, MARKED, COUNTS = ".refused.arrow", ".marks.arrow", ".counts.json"
PRIVATE = ".private.npy"
EVIDENCE = ".evidence."
"""Part of the name of a table for the audit: ``STAGE.evidence.NAME.arrow``."""


@dataclass(frozen=True)
class NotedFiles:
    """What sources noted: in the parts of this build's first spool, and in the audits of older versions.

    Attributes:
        audits: the audit folders of the versions that the build builds on, the oldest first.
    """

    parts: Sequence[Part]
    audits: Sequence[Path] = ()

    def tables(self, name: str) -> Iterator[pa.Table]:
        """Yield the tables with one name, with the columns of the audit; older versions come first."""
        for folder in self.audits:
            if (path := folder / f"{name}.parquet").exists():
                yield pq.read_table(path, partitioning=None)
        for part in self.parts:
            if name in part.files:
                yield audit_table(name, part.table(name))


def save_judgements(folder: Path, stage: str, verdicts: Verdicts, *, first_rows: NDArray[np.int64]) -> None:
    """Write what a stage decided; a resumed build writes the same again.

    Args:
        first_rows: int64[n_rows], the numbers of the barrier's rows in the first spool; evidence has these.
    """
    if verdicts.refused is not None:
        write_arrow(folder / f"{stage}{REFUSED}", verdicts.refused.schema, [verdicts.refused])
    if verdicts.marks is not None:
        write_arrow(folder / f"{stage}{MARKED}", verdicts.marks.schema, [verdicts.marks])
    if verdicts.private is not None:
        save_array(folder / f"{stage}{PRIVATE}", first_rows[verdicts.private])
    for name, table in verdicts.evidence.items():
        rows = pa.array(first_rows[table["row"].to_numpy()], pa.int64())
        table = table.set_column(0, "row", rows)
        write_arrow(folder / f"{stage}{EVIDENCE}{name}.arrow", table.schema, [table])
    write_replacing(folder / f"{stage}{COUNTS}", orjson.dumps(dict(verdicts.counts)))


def refused_rows_of(folder: Path, stage: str) -> NDArray[np.int64]:
    """Return int64[n], the rows that a stage rejects, ascending."""
    path = folder / f"{stage}{REFUSED}"
    return np.asarray(open_arrow(path)["row"].to_numpy() if path.exists() else np.empty(0, np.int64))


def private_rows_of(folder: Path, stage: str) -> NDArray[np.int64]:
    """Return int64[n], the rows of the first spool whose texts the audit must not keep."""
    path = folder / f"{stage}{PRIVATE}"
    return np.asarray(np.load(path) if path.exists() else np.empty(0, np.int64))


def judged_counts(folder: Path, barrier: Sequence[CorpusStage]) -> Counter[str]:
    """Return what the stages of a barrier counted."""
    counts: Counter[str] = Counter()
    for stage in barrier:
        if (path := folder / f"{stage.name}{COUNTS}").exists():
            counts.update({f"{stage.name}.{one}": n for one, n in orjson.loads(path.read_bytes()).items()})
    return counts


def refuse(
    batch: pa.RecordBatch, folder: Path, stage: str, *, first_row: int, url: str | None
) -> pa.RecordBatch:
    """Return the rejections of a stage for the rows of a part.

    Args:
        batch: the rows of the part, the first of which has the number ``first_row`` in the spool.
        url: the column of URLs.
    """
    path = folder / f"{stage}{REFUSED}"
    if not path.exists():
        return no_rejections()
    table = open_arrow(path)
    rows = table["row"].to_numpy()
    start, stop = np.searchsorted(rows, [first_row, first_row + batch.num_rows])
    some = table.slice(start, stop - start).combine_chunks()
    at = pa.array(rows[start:stop] - first_row)
    n = len(at)
    has_url = url is not None and url in batch.schema.names
    columns = {
        RECORD: batch.column(RECORD).take(at),
        "url": batch.column(url).take(at).cast(pa.string()) if has_url else pa.nulls(n, pa.string()),
        "outcome": pa.repeat("rejected", n),
        "stage": pa.repeat(stage, n),
    }
    columns |= {name: pc.cast(some[name], pa.string()) for name in ("reason", "value", "limit", "message")}
    arrays = [columns.get(one.name, pa.nulls(n, one.type)) for one in REJECTION_SCHEMA]
    whole = [one.combine_chunks() if isinstance(one, pa.ChunkedArray) else one for one in arrays]
    return pa.RecordBatch.from_arrays(
        [one.cast(f.type) for one, f in zip(whole, REJECTION_SCHEMA, strict=True)], schema=REJECTION_SCHEMA
    )


def with_marks(
    batch: pa.RecordBatch, folder: Path, stage: str, *, numbers: NDArray[np.int64]
) -> pa.RecordBatch:
    """Add the columns with which a stage marks rows.

    Args:
        numbers: int64[n_rows], the numbers of the rows in the spool.
    """
    path = folder / f"{stage}{MARKED}"
    if not path.exists():
        return batch
    table = open_arrow(path)
    for name in table.column_names:
        column = table[name].take(pa.array(numbers))
        batch = batch.append_column(name, pa.concat_arrays(column.chunks).cast(table.schema.field(name).type))
    return batch
