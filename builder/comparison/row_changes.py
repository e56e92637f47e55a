"""Report the rows that a comparison found, with excerpts of their values.

The old and the new values of a changed row may be far apart on disk. Therefore the old rows are written to
groups of neighbouring new places, with a limit of bytes. Each group is loaded when its new rows are read.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.comparison.row_verdicts import NOWHERE
from builder.domain.excerpt import Excerpt, excerpt, shortened
from builder.io.parquet_sink.rows import encode_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from numpy.typing import NDArray

    from builder.comparison.compare import Comparison
    from builder.comparison.row_verdicts import Judged
    from builder.domain.changelog import Reason

    Kind: TypeAlias = Literal["removed", "added", "moved", "changed", "reordered"]

KINDS: tuple[Kind, ...] = ("removed", "added", "moved", "changed", "reordered")
_GROUP_BYTES = 32_000_000
"""Bytes of old and new rows that are compared at a time; a single row may be larger."""
_BATCH_ROWS = 512
_SPLIT_SHIFT = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """How one row changed.

    Attributes:
        split: the split of the row; the old split if it was removed.
        old_split: the old split, if the row was moved.
        because: the reason of a removed row in the ledgers; None if they have no reason.
        columns: the columns in which its values differ; a moved row may have some too.
        reordered: whether the row comes after a row that it came before.
    """

    kind: Kind
    id: str
    url: str | None
    split: str
    old_split: str | None = None
    because: Reason | None = None
    columns: tuple[tuple[str, Excerpt], ...] = ()
    reordered: bool = False


def walk_rows(
    found: Comparison,
    *,
    scratch: Path,
    url_columns: tuple[str | None, str | None],
    limit: int | None,
    report: Callable[[RowChange], None],
    group_bytes: int = _GROUP_BYTES,
) -> Counter[str]:
    """Report each row: first the removed rows in their old order, then all others in their new order.

    Args:
        scratch: a folder that the caller deletes; changed rows of the old side are written there.
        url_columns: the URL columns of the old and the new side; None for a side without one.
        limit: the number of rows of each kind to report; all if None.
        report: called with each row.

    Returns:
        For each column, the number of rows whose values differ in it. Rows above the limit count too.
    """
    walk = _Walk(found, url_columns, _Limit(limit), report)
    with (scratch / "old-rows").open("w+b") as file:
        groups = _OldRows(file, _group_starts(found, group_bytes))
        walk.old(groups)
        return walk.new(groups)


class _Limit:
    """The number of rows of each kind that may still be reported."""

    def __init__(self, limit: int | None) -> None:
        self._left = dict.fromkeys(KINDS, limit)

    def first(self, kind: Kind, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the first marked rows that may be reported, and count them."""
        left = self._left[kind]
        if left is None or not mask.any():
            return mask
        kept = mask & (np.cumsum(mask) <= left)
        self._left[kind] = left - int(kept.sum())
        return kept


class _Walk:
    def __init__(
        self,
        found: Comparison,
        url_columns: tuple[str | None, str | None],
        limit: _Limit,
        report: Callable[[RowChange], None],
    ) -> None:
        self._found = found
        self._names = found.verdicts.names
        self._old_url, self._new_url = url_columns
        self._limit = limit
        self._report = report
        self._columns: Counter[str] = Counter()

    def old(self, groups: _OldRows) -> None:
        """Report the removed rows, and write the old rows of changed ones to groups."""
        for judged in self._found.verdicts.old():
            gone = judged.rows["new_split"] == NOWHERE
            reported = self._limit.first("removed", gone)
            for rows, batch in _read(judged, reported | ~gone, self._with(self._old_url)):
                removed = rows["new_split"] == NOWHERE
                groups.add(rows[~removed], batch.filter(pa.array(~removed)).select(self._found.columns))
                names = _names_of(batch.filter(pa.array(removed)), self._old_url)
                for row, (name, url) in zip(rows[removed], names, strict=True):
                    because = None if row["why"] == NOWHERE else self._found.reasons[row["why"]]
                    split = self._names[judged.shard_range.split]
                    self._report(RowChange(kind="removed", id=name, url=url, split=split, because=because))

    def new(self, groups: _OldRows) -> Counter[str]:
        """Report all other rows, and count the columns in which rows differ."""
        for judged in self._found.verdicts.new():
            kinds = _kinds(judged)
            reported = np.zeros(len(kinds), np.bool_)
            for number, kind in enumerate(KINDS):
                reported |= self._limit.first(kind, kinds == number)
            wanted = reported | judged.rows["differs"]
            shown = iter(zip(kinds[wanted].tolist(), reported[wanted].tolist(), strict=True))
            for rows, batch in _read(judged, wanted, self._with(self._new_url)):
                self._report_new(judged, rows, batch, shown, groups)
        return self._columns

    def _report_new(
        self,
        judged: Judged,
        rows: NDArray[Any],
        batch: pa.RecordBatch,
        shown: Iterator[tuple[int, bool]],
        groups: _OldRows,
    ) -> None:
        pairs = groups.pair(judged.shard_range.split, rows, batch)
        names = _names_of(batch, self._new_url)
        for row, (name, url), (kind, is_reported) in zip(rows, names, shown, strict=False):
            differs = next(pairs) if row["differs"] else ()
            self._columns.update(column for column, _ in differs)
            if is_reported:
                self._report(
                    RowChange(
                        kind=KINDS[kind],
                        id=name,
                        url=url,
                        split=self._names[judged.shard_range.split],
                        old_split=self._names[row["old_split"]] if KINDS[kind] == "moved" else None,
                        columns=tuple((column, show()) for column, show in differs),
                        reordered=bool(row["reordered"]),
                    )
                )

    def _with(self, url_column: str | None) -> list[str]:
        """List the columns that both sides have, and the URL column of one side."""
        return list(dict.fromkeys([*self._found.columns, *([url_column] if url_column else [])]))


def _names_of(batch: pa.RecordBatch, url_column: str | None) -> list[tuple[str, str | None]]:
    """Return id, which is the first column, and URL of each row."""
    urls = batch[url_column].to_pylist() if url_column in batch.schema.names else [None] * len(batch)
    return list(zip(batch.column(0).to_pylist(), urls, strict=True))


def _kinds(judged: Judged) -> NDArray[np.int8]:
    """Return int8[n_rows], positions in ``KINDS``; NOWHERE for unchanged rows."""
    rows = judged.rows
    kinds = np.full(len(rows), NOWHERE, np.int8)
    kinds[rows["reordered"]] = KINDS.index("reordered")
    kinds[rows["differs"]] = KINDS.index("changed")
    kinds[rows["old_split"] != judged.shard_range.split] = KINDS.index("moved")
    kinds[rows["old_split"] == NOWHERE] = KINDS.index("added")
    return kinds


def _read(
    judged: Judged, wanted: NDArray[np.bool_], columns: Sequence[str]
) -> Iterator[tuple[NDArray[Any], pa.RecordBatch]]:
    """Read some rows of a shard; row groups without any of these rows are skipped."""
    rows = judged.rows[wanted]
    places = rows["place"] - judged.shard_range.first
    start = 0
    with pq.ParquetFile(judged.shard_range.shard.path) as file:
        columns = [name for name in columns if name in file.schema_arrow.names]
        for group in range(file.num_row_groups):
            stop = start + file.metadata.row_group(group).num_rows
            if not np.subtract(*np.searchsorted(places, [stop, start])):
                start = stop
                continue
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, row_groups=[group], columns=columns):
                first, last = np.searchsorted(places, [start, start + batch.num_rows])
                if last > first:
                    yield rows[first:last], batch.take(pa.array(places[first:last] - start))
                start += batch.num_rows


# -- pairs of old and new rows ---------------------------------------------------------------------


def _group_starts(found: Comparison, group_bytes: int) -> NDArray[np.int64]:
    """Return int64[n_groups], the key of the new row at which each group begins."""
    starts = [np.int64(0)]
    filled = 0
    for judged in found.verdicts.new():
        rows = judged.rows[judged.rows["differs"]]
        for key, n_bytes in zip(_keys(judged.shard_range.split, rows["place"]), rows["bytes"], strict=True):
            if filled and filled + n_bytes > group_bytes:
                starts.append(key)
                filled = 0
            filled += int(n_bytes)
    return np.asarray(starts, np.int64)


def _keys(split: int | NDArray[np.int16], places: NDArray[np.int64]) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = (np.int64(1) * split << _SPLIT_SHIFT) + places
    return keys


class _OldRows:
    """The old rows of changed rows, in a file, by the group of their new place."""

    def __init__(self, file: IO[bytes], starts: NDArray[np.int64]) -> None:
        self._file = file
        self._starts = starts
        self._pieces: dict[int, list[tuple[int, int]]] = {}
        self._schema: pa.Schema | None = None
        self._group: tuple[int, NDArray[np.int64], pa.Table] | None = None

    def add(self, verdicts: NDArray[Any], batch: pa.RecordBatch) -> None:
        """Write rows to their groups."""
        keys = _keys(verdicts["new_split"], verdicts["new_place"])
        groups = self._groups(keys)
        batch = batch.add_column(0, "_key", pa.array(keys))
        self._schema = batch.schema
        for group in np.unique(groups).tolist():
            data = batch.filter(pa.array(groups == group)).serialize()
            self._pieces.setdefault(group, []).append((self._file.tell(), data.size))
            self._file.write(data)

    def pair(
        self, split: int, rows: NDArray[Any], batch: pa.RecordBatch
    ) -> Iterator[Sequence[tuple[str, Callable[[], Excerpt]]]]:
        """Yield, for each changed new row, its changed columns, each with a function for the excerpt."""
        differs = rows["differs"]
        keys = _keys(split, rows["place"][differs])
        new = batch.filter(pa.array(differs))
        groups = self._groups(keys)
        for group in np.unique(groups).tolist():
            mine = np.flatnonzero(groups == group)
            known, table = self._load(group)
            old = table.take(pa.array(np.searchsorted(known, keys[mine]))).combine_chunks()
            yield from _differences(old, new.take(pa.array(mine)))

    def _groups(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self._starts, keys, side="right") - 1

    def _load(self, group: int) -> tuple[NDArray[np.int64], pa.Table]:
        if self._group is None or self._group[0] != group:
            self._group = None
            batches = []
            for start, size in self._pieces[group]:
                self._file.seek(start)
                batches.append(pa.ipc.read_record_batch(pa.py_buffer(self._file.read(size)), self._schema))
            table = pa.Table.from_batches(batches).sort_by("_key")
            self._group = group, table["_key"].to_numpy(), table
        return self._group[1:]


def _differences(old: pa.Table, new: pa.RecordBatch) -> Iterator[Sequence[tuple[str, Callable[[], Excerpt]]]]:
    names = [name for name in old.column_names if name != "_key"]
    olds = {name: _encoded(pa.RecordBatch.from_arrays([_array(old[name])], [name])) for name in names}
    news = {name: _encoded(new.select([name])) for name in names}
    for row in range(len(new)):
        yield [
            (name, _Show(old[name], new[name], row)) for name in names if olds[name](row) != news[name](row)
        ]


def _array(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _encoded(batch: pa.RecordBatch) -> Callable[[int], bytes]:
    data, offsets = encode_rows(batch)
    return lambda row: data[offsets[row] : offsets[row + 1]].tobytes()


@dataclass(frozen=True, slots=True)
class _Show:
    """Makes the excerpt of one value when it is called."""

    old: pa.ChunkedArray
    new: pa.Array
    row: int

    def __call__(self) -> Excerpt:
        old, new = self.old[self.row].as_py(), self.new[self.row].as_py()
        if isinstance(old, str) and isinstance(new, str):
            return excerpt(old, new)
        return Excerpt(old=_value_text(old), new=_value_text(new))


def _value_text(value: Any) -> str | None:
    if value is None:
        return None
    return shortened(value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False))
