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


def write_removed(path: Path, chain_result: ChainResult, *, ledger: Path) -> Path | None:
    """Write all removed spans, in the order of the build; return None if no stage removed one."""
    return _write_public(path, chain_result, name=REMOVED, schema=REMOVED_SCHEMA, ledger=ledger)


def write_measured(path: Path, chain_result: ChainResult, *, ledger: Path) -> Path | None:
    """Write the signals of rejected documents, in the order of the build; return None without one."""
    return _write_public(path, chain_result, name=SIGNALS_OF, schema=MEASURED_SCHEMA, ledger=ledger)


def _write_public(
    path: Path, chain_result: ChainResult, *, name: str, schema: pa.Schema, ledger: Path
) -> Path | None:
    """Write the rows of all parts, except those of pages that a person wants to be gone.

    The ledger names these pages.
    """
    tables = list(_of_parts(chain_result, name))
    if not tables:
        return None
    rows = pq.read_table(ledger, columns=["record_id", "stage"])
    is_private = pc.is_in(rows["stage"], value_set=pa.array(sorted(PRIVATE_STAGES), rows["stage"].type))
    private = rows["record_id"].filter(is_private).combine_chunks()
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for table in tables:
            gone = pc.is_in(table["record_id"], value_set=private.cast(pa.string()))
            file.write_table(table.filter(pc.invert(gone)))
    return path


def _of_parts(chain_result: ChainResult, name: str) -> Iterator[pa.Table]:
    for part in (*chain_result.first.parts, *chain_result.later_parts):
        if name in part.files:
            yield part.table(name)
