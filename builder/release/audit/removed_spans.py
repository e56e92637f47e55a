"""Write ``removed.parquet`` and ``signals.parquet``: spans that stages took out, and signals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.outcome import MEASURED_SCHEMA, REMOVED_SCHEMA
from builder.pipeline.dropped import PRIVATE_STAGES, REMOVED, SIGNALS_OF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builder.pipeline.run import ChainResult


def write_removed(
    path: Path, chain_result: ChainResult, *, ledger: Path, private: pa.StringArray
) -> Path | None:
    """Write all removed spans, in the order of the build; return None if no stage removed one."""
    gone = _gone(ledger, private)
    return _write_public(path, chain_result, name=REMOVED, schema=REMOVED_SCHEMA, gone=gone)


def write_measured(
    path: Path, chain_result: ChainResult, *, ledger: Path, private: pa.StringArray
) -> Path | None:
    """Write the signals of rejected documents, in the order of the build; return None without one."""
    gone = _gone(ledger, private)
    return _write_public(path, chain_result, name=SIGNALS_OF, schema=MEASURED_SCHEMA, gone=gone)


def _write_public(
    path: Path, chain_result: ChainResult, *, name: str, schema: pa.Schema, gone: pa.StringArray
) -> Path | None:
    tables = list(_of_parts(chain_result, name))
    if not tables:
        return None
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for table in tables:
            file.write_table(without_records(table, gone))
    return path


def _gone(ledger: Path, private: pa.StringArray) -> pa.StringArray:
    """Return the records of pages that a person wants to be gone: the ledger names those of takedowns."""
    rows = pq.read_table(ledger, columns=["record_id", "stage"])
    is_private = pc.is_in(rows["stage"], value_set=pa.array(sorted(PRIVATE_STAGES), rows["stage"].type))
    named = rows["record_id"].filter(is_private).combine_chunks().cast(pa.string())
    return pa.concat_arrays([named, private])


def without_records(table: pa.Table, private: pa.StringArray) -> pa.Table:
    """Return the rows of other records."""
    return table.filter(pc.invert(pc.is_in(table["record_id"], value_set=private)))


def _of_parts(chain_result: ChainResult, name: str) -> Iterator[pa.Table]:
    for part in (*chain_result.first.parts, *chain_result.later_parts):
        if name in part.files:
            yield part.table(name)
