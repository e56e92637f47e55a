"""Write the ledger: the accounts of the first pass, with the final outcome of each record."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.domain.ledger import CLUSTERS_SCHEMA, LEDGER_SCHEMA, REJECTED_SCHEMA
from builder.domain.row_numbers import NO_ROW, FirstOrPast
from builder.history.ledger_counts import LedgerCounts, by_outcome, by_reason, count_rows
from builder.pipeline.account import KNOWN
from builder.release.audit.removed_spans import without_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.domain.document_ids import DocumentIds
    from builder.pipeline.spool import Spool
    from builder.release.outcomes import RowOutcomes

KEEPER_REJECTED = "keeper_rejected"
"""A reason code; ``reasons.py`` has its meaning."""
_ROWS_AT_ONCE = 100_000


@dataclass(frozen=True, kw_only=True)
class LedgerSums:
    """The sums of a ledger.

    Attributes:
        rows: all rows.
        restated: the rows of records of earlier builds, which are also in ``rows``.
        n_by_file: the records that were read, by source and path with a NUL between them.
    """

    rows: LedgerCounts
    restated: LedgerCounts
    n_by_file: Counter[str]

    @property
    def n_records(self) -> int:
        """The number of rows of the ledger."""
        return self.rows.total()

    @cached_property
    def outcomes(self) -> Counter[str]:
        """The number of rows by outcome."""
        return by_outcome(self.rows)

    @cached_property
    def reasons(self) -> Counter[tuple[str, str, str]]:
        """The number of rows by (outcome, stage, reason)."""
        return by_reason(self.rows)


def write_ledger(
    path: Path, *, clusters: Path, spool: Spool, row_outcomes: RowOutcomes, restated: pa.Table
) -> tuple[LedgerSums, int]:
    """Write ``ledger.parquet``, one row for each record in the order of the input, and add it up.

    Merged records are also written to ``clusters.parquet``. A record that is in the ledger of an earlier
    version (a known record) gets no row.

    Args:
        restated: rows for records of earlier builds whose outcome changed; they are written last.

    Returns:
        The sums, and the number of known records.
    """
    sums = LedgerSums(
        rows=Counter(),
        restated=count_rows(restated),
        n_by_file=Counter(),
    )
    originals = _originals(spool)
    known: Counter[str] = Counter()
    tables = _ledger_tables(spool, row_outcomes, originals, sums.n_by_file, known)
    with (
        pq.ParquetWriter(path, LEDGER_SCHEMA, compression="zstd") as writer,
        pq.ParquetWriter(clusters, CLUSTERS_SCHEMA, compression="zstd") as clusters_writer,
    ):
        for table in _in_groups(chain(tables, [restated])):
            writer.write_table(table)
            merged = table.filter(pc.equal(table["outcome"], "merged"))
            clusters_writer.write_table(merged.select(CLUSTERS_SCHEMA.names).cast(CLUSTERS_SCHEMA))
            sums.rows.update(count_rows(table))
    return sums, known[KNOWN]


def write_rejected(path: Path, *, spool: Spool, late: pa.Table, private: pa.StringArray) -> int:
    """Write ``rejected.parquet``: the original records that a contract rejected or a reader failed on.

    Args:
        private: the ids of the records that are left out, because their use is reserved.
    """
    tables = (_fixable(part.table("rejected")) for part in spool.parts if part.n_rejected)
    with pq.ParquetWriter(path, REJECTED_SCHEMA, compression="zstd") as writer:
        n_rows = 0
        for table in [*tables, _fixable(late)]:
            table = without_records(table, private)
            writer.write_table(table)
            n_rows += table.num_rows
    return n_rows


def _fixable(rejected: pa.Table) -> pa.Table:
    has_content = pc.or_(pc.is_valid(rejected["record"]), pc.is_valid(rejected["faults"]))
    rejected = rejected.filter(pc.or_(has_content, pc.equal(rejected["outcome"], "failed")))
    columns = {
        "record_id": pc.struct_field(rejected["_record"], "id"),
        **{name: rejected[name] for name in ("stage", "reason", "faults", "record")},
    }
    return pa.table([columns[f.name].cast(f.type) for f in REJECTED_SCHEMA], schema=REJECTED_SCHEMA)


# -- revisits --------------------------------------------------------------------------------------


def _originals(spool: Spool) -> dict[str, int]:
    """Find the row of each alias that a revisit refers to; if several rows have it, the first one."""
    wanted: set[str] = set()
    for part in spool.parts:
        if part.n_rejected:
            wanted.update(pc.list_flatten(part.table("account")["refers_to"]).to_pylist())
    found: dict[str, int] = {}
    for part, first_row in zip(spool.parts if wanted else (), spool.first_rows[:-1], strict=False):
        aliases = part.table("account").filter(pc.field("outcome").is_null())["aliases"]
        for row, names in enumerate(aliases.to_pylist(), start=int(first_row)):
            for name in names or ():
                if name in wanted:
                    found.setdefault(name, row)
    return found


def _revisited(account: pa.Table, originals: dict[str, int]) -> NDArray[np.int64]:
    """Return int64[n_records]: the row that a revisit repeats; -1 for every other record."""
    rows = np.full(account.num_rows, -1, np.int64)
    if originals:
        for at, names in enumerate(account["refers_to"].to_pylist()):
            rows[at] = next((originals[name] for name in names or () if name in originals), -1)
    return rows


# -- one part of the ledger ------------------------------------------------------------------------


def _ledger_tables(
    spool: Spool,
    row_outcomes: RowOutcomes,
    originals: dict[str, int],
    ordinals: Counter[str],
    known: Counter[str],
) -> Iterator[pa.Table]:
    for part, first_row in zip(spool.parts, spool.first_rows[:-1], strict=True):
        account = part.table("account").combine_chunks()
        alive = pc.is_null(account["outcome"]).to_numpy(zero_copy_only=False)
        rows = np.full(account.num_rows, -1, np.int64)
        rows[alive] = np.arange(first_row, first_row + part.n_rows)
        columns = {name: account[name] for name in account.column_names}
        columns["ordinal"] = _ordinals_in_file(account, ordinals)
        columns |= _outcome_columns(columns, rows, _revisited(account, originals), row_outcomes)
        table = pa.table([columns[f.name].cast(f.type) for f in LEDGER_SCHEMA], schema=LEDGER_SCHEMA)
        is_known = pc.equal(table["outcome"], KNOWN)
        known[KNOWN] += pc.sum(is_known).as_py() or 0
        yield table.filter(pc.invert(is_known))


def _ordinals_in_file(account: pa.Table, ordinals: Counter[str]) -> pa.ChunkedArray:
    """Number records over the whole file: each task counts from 0, and a part may contain many files."""
    numbers = np.empty(account.num_rows, np.int64)
    places = pc.binary_join_element_wise(account["source"], account["path"], "\0").combine_chunks()
    places = places.dictionary_encode()
    codes = places.indices.to_numpy(zero_copy_only=False)
    for code, place in enumerate(places.dictionary.to_pylist()):
        here = np.flatnonzero(codes == code)
        numbers[here] = ordinals[place] + np.arange(len(here))
        ordinals[place] += len(here)
    return pa.chunked_array([pa.array(numbers)])


def _outcome_columns(
    account: dict[str, pa.ChunkedArray],
    rows: NDArray[np.int64],
    revisited: NDArray[np.int64],
    row_outcomes: RowOutcomes,
) -> dict[str, Any]:
    merges = row_outcomes.merges
    row = np.maximum(rows, 0)
    alive = rows >= 0
    published = alive & row_outcomes.published[row]
    into = np.where(alive, merges.into[row], NO_ROW)
    target = FirstOrPast(np.where(revisited >= 0, revisited, into))
    merged = target != NO_ROW
    represented_by = np.where(published, row, np.where(merged, row_outcomes.representatives(target), NO_ROW))
    late = _late_rows(row_outcomes.late, rows)
    text = {name: _patch(account[name], late, row_outcomes.late, name) for name in _LATE}
    text["outcome"] = _choose(text["outcome"], {"kept": published, "merged": merged})
    text["stage"] = _choose(text["stage"], _by_stage(merges.stages, merges.by[row], merged & alive))
    text["reason"] = _choose(
        text["reason"],
        {
            **_by_stage(merges.reasons, merges.by[row], merged & alive),
            KEEPER_REJECTED: merged & (represented_by < 0),
        },
    )
    shard = row_outcomes.shard[row]
    return text | {
        "document_id": _ids(row_outcomes.ids, np.where(published, row, -1)),
        "kept_id": _ids(row_outcomes.id_table, represented_by),
        "merged_into": _ids(row_outcomes.id_table, row_outcomes.positions(target)),
        "similarity": _similarities(merges.similarity[row], merged & alive),
        "split": _names([split for split, _ in row_outcomes.shards], shard, published),
        "shard": _names([path for _, path in row_outcomes.shards], shard, published),
    }


_LATE = ("outcome", "stage", "reason", "pointer", "value", "limit", "message")


def _late_rows(late: pa.Table, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64[n_records]: the position of a record in ``late``; -1 if it is not there."""
    known = late["_row"].to_numpy() if late.num_rows else np.empty(0, np.int64)
    at = np.searchsorted(known, rows)
    hit = (at < len(known)) & (rows >= 0)
    hit[hit] = known[at[hit]] == rows[hit]
    return np.where(hit, at, -1)


def _patch(column: pa.ChunkedArray, at: NDArray[np.int64], late: pa.Table, name: str) -> pa.ChunkedArray:
    if not (at >= 0).any():
        return column
    hit = pa.array(at >= 0)
    return pc.if_else(hit, late[name].combine_chunks().take(pa.array(at, mask=at < 0)), column)


def _choose(column: pa.ChunkedArray, masks: dict[str, NDArray[np.bool_]]) -> pa.ChunkedArray:
    for text, mask in masks.items():
        if mask.any():
            column = pc.if_else(pa.array(mask), pa.scalar(text), column)
    return column


def _by_stage(
    names: list[str], by: NDArray[np.int16], merged: NDArray[np.bool_]
) -> dict[str, NDArray[np.bool_]]:
    return {name: merged & (by == i) for i, name in enumerate(names)}


def _ids(ids: DocumentIds, rows: NDArray[np.int64]) -> pa.Array:
    exists = pa.array(rows >= 0)
    return pc.if_else(exists, ids[np.maximum(rows, 0)].to_strings(), pa.scalar(None, pa.string()))


def _similarities(values: NDArray[np.float64], merged: NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=~merged | np.isnan(values))


def _names(names: list[str], at: NDArray[np.int32], exists: NDArray[np.bool_]) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(at, mask=~exists))


# -- groups ----------------------------------------------------------------------------------------


def _in_groups(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Concatenate small tables, so that small parts do not become small row groups."""
    group: list[pa.Table] = []
    for table in tables:
        group.append(table)
        if sum(t.num_rows for t in group) >= _ROWS_AT_ONCE:
            yield pa.concat_tables(group).combine_chunks()
            group = []
    if group:
        yield pa.concat_tables(group).combine_chunks()
