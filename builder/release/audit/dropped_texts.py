"""Write ``texts.parquet``: texts of the records that stages dropped or merged, for ``builder show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.record import RECORD
from builder.domain.row_numbers import NO_ROW
from builder.domain.url import domain
from builder.pipeline.dropped import (
    DROPPED,
    DROPPED_SCHEMA,
    NO_TEXTS,
    PRIVATE_STAGES,
    SAMPLE,
    lowest_ranks,
    sample_rank,
    text_columns,
)
from builder.pipeline.spool import Spool
from builder.pipeline.tombstone_filter import are_taken_down
from builder.release.audit.removed_spans import without_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builder.pipeline.context import BuildContext
    from builder.pipeline.run import ChainResult
    from builder.pipeline.tombstones import Tombstones

TEXTS = "texts.parquet"
SHOWN_TEXTS_SCHEMA = pa.schema(
    [DROPPED_SCHEMA.field(name) for name in ("record_id", "stage", "reason", "text", "text_chars")]
)
_AT_ONCE = 1_000
"""Merged rows whose texts are read at a time."""


def write_texts(
    path: Path, context: BuildContext, chain_result: ChainResult, *, private: pa.StringArray
) -> None:
    """Write the texts that the recipe asks for: a sample of each stage and reason, all, or none.

    Args:
        private: the ids of the records whose texts are not kept. They are taken out of the sample, which has
            no other records for them: otherwise it would depend on the size of batches.
    """
    wanted = context.recipe.audit_texts
    tables = [] if wanted == NO_TEXTS else [*_dropped(chain_result), *_merged(context, chain_result)]
    whole = pa.concat_tables([DROPPED_SCHEMA.empty_table(), *tables])
    if context.tombstones:
        whole = whole.filter(pa.array(~_is_tombstoned(whole, context.tombstones)))
    if wanted == SAMPLE:
        whole = lowest_ranks(whole)
    whole = without_records(whole, private)
    whole = whole.sort_by([(name, "ascending") for name in ("stage", "reason", "rank", "record_id")])
    pq.write_table(whole.select(SHOWN_TEXTS_SCHEMA.names).cast(SHOWN_TEXTS_SCHEMA), path, compression="zstd")


def _dropped(chain_result: ChainResult) -> Iterator[pa.Table]:
    for part in (*chain_result.first.parts, *chain_result.later_parts):
        if DROPPED in part.files:
            yield part.table(DROPPED)


def _merged(context: BuildContext, chain_result: ChainResult) -> Iterator[pa.Table]:
    """Yield the texts of merged rows: a sample of each stage, or all of them."""
    merges, first = chain_result.merges, chain_result.first
    text = context.recipe.columns.text
    if text is None or not first.n_rows or text not in first.column_names:
        return
    late = chain_result.late["_row"].to_numpy() if chain_result.late.num_rows else np.empty(0, np.int64)
    spool = Spool(first.parts, text)
    records = pc.struct_field(first.column(RECORD).combine_chunks(), "id")
    urls = first.column(context.recipe.columns.url) if context.recipe.columns.url else None
    for number, (stage, reason) in enumerate(zip(merges.stages, merges.reasons, strict=True)):
        rows = np.setdiff1d(np.flatnonzero((merges.into != NO_ROW) & (merges.by == number)), late)
        if stage in PRIVATE_STAGES or not len(rows):
            continue
        ids = records.take(pa.array(rows))
        ranks = pa.array([sample_rank(one) for one in ids.to_pylist()], pa.uint64())
        facts = pa.table(
            {
                "record_id": ids,
                "stage": pa.repeat(stage, len(rows)),
                "reason": pa.repeat(reason, len(rows)),
                "rank": ranks,
                "row": pa.array(rows),
            }
        )
        if context.recipe.audit_texts == SAMPLE:
            facts = lowest_ranks(facts)
        for start in range(0, facts.num_rows, _AT_ONCE):
            some = facts.slice(start, _AT_ONCE)
            at = some["row"].to_numpy()
            url = urls.take(pa.array(at)) if urls is not None else pa.nulls(len(at), pa.string())
            texts = text_columns(spool.take(at).cast(pa.string()))
            columns = [*(some[name] for name in ("record_id", "stage", "reason", "rank")), url, *texts]
            yield pa.table(
                [one.cast(f.type) for one, f in zip(columns, DROPPED_SCHEMA, strict=True)],
                schema=DROPPED_SCHEMA,
            )


def _is_tombstoned(table: pa.Table, tombstones: Tombstones) -> np.ndarray:
    """Return bool[n_rows]: the rows whose URL, domain or text was taken down."""
    urls = table["url"].to_pylist()
    hosts = [None if one is None else domain(one) for one in urls]
    return np.asarray(
        are_taken_down(tombstones, urls)
        | tombstones.match_hosts(hosts)
        | tombstones.match_contents(table["digest"].to_pylist())
    )
