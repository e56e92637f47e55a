"""Write ``removed.parquet``: what stages took out of the texts of documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.outcome import REMOVED_SCHEMA
from builder.pipeline.dropped import PRIVATE_STAGES, REMOVED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builder.pipeline.run import ChainResult


def write_removed(path: Path, chain_result: ChainResult, *, ledger: Path) -> Path | None:
    """Write all removed spans, in the order of the build; return None if no stage removed one.

    Spans of a page that a person wants to be gone are never kept. The ledger names these pages.
    """
    tables = list(_of_parts(chain_result))
    if not tables:
        return None
    rows = pq.read_table(ledger, columns=["record_id", "stage"])
    is_private = pc.is_in(rows["stage"], value_set=pa.array(sorted(PRIVATE_STAGES), rows["stage"].type))
    private = rows["record_id"].filter(is_private).combine_chunks()
    with pq.ParquetWriter(path, REMOVED_SCHEMA, compression="zstd") as file:
        for table in tables:
            gone = pc.is_in(table["record_id"], value_set=private.cast(pa.string()))
            file.write_table(table.filter(pc.invert(gone)))
    return path


def _of_parts(chain_result: ChainResult) -> Iterator[pa.Table]:
    for part in (*chain_result.first.parts, *chain_result.later_parts):
        if REMOVED in part.files:
            yield part.table(REMOVED)
