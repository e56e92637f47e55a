"""Write the evidence of stages that decide about records: ``opt_out.parquet``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.ledger import OPT_OUT, OPT_OUT_SCHEMA
from builder.domain.record import RECORD
from builder.domain.url import domain
from builder.history.index import open_arrow
from builder.pipeline.judgements import EVIDENCE
from builder.pipeline.tombstone_filter import are_taken_down

if TYPE_CHECKING:
    from pathlib import Path

    from builder.pipeline.context import BuildContext
    from builder.pipeline.run import ChainResult
    from builder.pipeline.tombstones import Tombstones


def write_evidence(context: BuildContext, chain_result: ChainResult) -> list[Path]:
    """Write the file, whatever ``audit`` says; none without a stage that gives evidence.

    Rows of URLs and hosts that were taken down are left out.
    """
    found = sorted(context.folder.glob(f"[0-9]*/*{EVIDENCE}{OPT_OUT}.arrow"))
    if not found:
        return []
    path = context.folder / f"{OPT_OUT}.parquet"
    has_rows = chain_result.first.n_rows > 0
    records = pc.struct_field(chain_result.first.column(RECORD).combine_chunks(), "id") if has_rows else None
    with pq.ParquetWriter(path, OPT_OUT_SCHEMA, compression="zstd") as writer:
        for one in found:
            evidence = open_arrow(one)
            if records is None or not evidence.num_rows:
                continue
            stage = one.name.split(EVIDENCE)[0]
            columns = {name: evidence[name] for name in evidence.column_names}
            columns |= {"record_id": records.take(evidence["row"].combine_chunks())}
            columns |= {"stage": pa.repeat(stage, evidence.num_rows)}
            table = pa.table([columns[f.name] for f in OPT_OUT_SCHEMA], schema=OPT_OUT_SCHEMA)
            writer.write_table(_without(table, context.tombstones))
    return [path]


def _without(table: pa.Table, tombstones: Tombstones | None) -> pa.Table:
    if tombstones is None:
        return table
    urls = table["url"].to_pylist()
    hosts = tombstones.match_hosts([domain(one) if one else None for one in urls])
    return table.filter(pa.array(~(are_taken_down(tombstones, urls) | hosts)))
