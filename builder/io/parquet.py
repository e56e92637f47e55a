"""Read Parquet files, row group by row group."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, TypeVar

import numpy as np
import pyarrow as pa

from builder.domain.record import RECORD_FIELD, record_column, with_record
from builder.domain.rejection import rejection_batch
from builder.io.reading.columns import (
    ColumnsError,
    TooManyColumnsError,
    plain_batch,
    public_columns,
    row_bytes,
)
from builder.io.reading.file_source import CONTAINERS, GUARD_REASONS, MAX_RECORD_BYTES, TOO_BIG
from builder.io.reading.page_rows import BATCH_BYTES
from builder.io.reading.parquet_pages import largest_row
from builder.io.reading.record_source import RecordSource
from builder.io.streams.limits import (
    MAX_TABLE_COLUMNS,
    ROW_BYTES,
    SWELLING,
    TOO_MANY_COLUMNS,
    swelling_message,
    swells,
)
from builder.io.streams.paths import Found
from builder.io.streams.streams import open_input
from builder.protocols import Reading, Task
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow.parquet as pq

    from builder.domain.rejection import Rejection
    from builder.io.streams.content import FileContent
    from builder.protocols import Guard

_T = TypeVar("_T")

TASK_BYTES = 64 << 20
"""Bytes of a part of a file; a row group belongs to the part in which it begins."""

MAX_DECODED_BYTES = 256 << 20
"""Bytes that a batch may take when all its rows have the largest values of the dictionaries."""

_MAX_ROWS = 1 << 48
"""A file that declares more rows is damaged."""

_BUFFER_BYTES = 64 << 10
"""Arrow reads 1 MiB at a time and buffers it; a buffer of that size would copy each byte once more."""

_LIMIT_S = 120.0
"""Seconds that reading a batch may take; a safety limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetSource(RecordSource):
    """Read Parquet files.

    Each row is a record, with the columns and types of the file. A column whose name begins with an
    underscore gets its name in ``rename``, else it loses the underscores. Row groups of one file are read in
    parallel. A damaged row group gives the rows that can be read, and one failed record for the rest. A file
    that is not Parquet is one failed record.
    """

    kind: ClassVar[str] = "parquet"
    rules: ClassVar[int] = 1
    suffixes: ClassVar[Sequence[str]] = (".parquet",)
    reasons: ClassVar[Mapping[str, str]] = {
        **TOO_BIG,
        **CONTAINERS,
        "not_parquet": "The footer of the file is missing or cannot be read.",
        "parquet_corrupt": "The row group is damaged from this row on.",
        **SWELLING,
        **TOO_MANY_COLUMNS,
        "parquet_columns": "The column names are empty or not unique.",
        **GUARD_REASONS,
    }
    unreadable: ClassVar[frozenset[str]] = frozenset(("not_parquet", "parquet_columns", *GUARD_REASONS))

    hive: bool = option(
        True, help="Whether folders named `key=value` are columns, as Spark and DuckDB write them."
    )
    max_record_bytes: int = option(
        MAX_RECORD_BYTES,
        help="Maximum bytes of the strings in a row; a larger row fails.",
        minimum=1,
    )

    @property
    def untrusted(self) -> bool:
        """Always true: native code reads Parquet."""
        return True

    def refusal(self, content: FileContent) -> str | None:
        """Refuse a file that is compressed as a whole; the columns of Parquet are compressed."""
        return content.codec and f"the file is compressed with {content.codec} as a whole: decompress it"

    def tasks(self) -> list[Task]:
        """Split files by their size; no file is opened.

        Raises:
            RecipeError: as for ``inputs``, and if an option cannot be used.
        """
        self.check_values()
        return [task for found in self.inputs() for task in self.cut_tasks(found, part_bytes=TASK_BYTES)]

    def read_file(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Yield the row groups that begin in the task's range."""
        return _Reader(source=self, task=task, guard=guard, batch_rows=batch_rows).read()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Broken:
    """The reason why a step failed."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """A row group of a file.

    Attributes:
        at: offset of its first byte in the file.
        first_row: number of its first row in the file.
        n_bytes: bytes of its encoded values before compression.
    """

    index: int
    at: int
    first_row: int
    n_rows: int
    n_bytes: int


class _Reader:
    """Reads one task; each call of native code is a unit of the guard."""

    def __init__(self, *, source: ParquetSource, task: Task, guard: Guard, batch_rows: int) -> None:
        self._source, self._task, self._guard, self._batch_rows = source, task, guard, batch_rows
        self._found = Found(path=task.path, name=task.name, size_bytes=task.size_bytes)
        self._range = range(task.start, sys.maxsize if task.stop is None else task.stop)
        self._units = count()
        self._n_records = self._n_out = 0
        self._ended = False

    def read(self) -> Iterator[Reading]:
        with open_input(self._task.path, buffer_bytes=_BUFFER_BYTES) as stream:
            opened = self._step("not_parquet", lambda: self._open(stream))
            if isinstance(opened, _Broken):
                if self._task.start == 0:
                    yield self._failure(opened, row=0)
                return
            file, groups, names = opened
            for group in groups:
                if group.at not in self._range or not group.n_rows:
                    continue
                yield from self._read_group(group, self._batches(stream, file, group, names))
                if self._ended:
                    return
            n_rows = groups[-1].first_row + groups[-1].n_rows if groups else 0
            if self._task.start == 0 and file.metadata.num_rows > n_rows:
                message = f"the footer declares {file.metadata.num_rows} rows, the row groups have {n_rows}"
                yield self._failure(_Broken(reason="parquet_corrupt", message=message), row=n_rows)

    def _open(self, stream: Any) -> tuple[pq.ParquetFile, list[_Group], list[str]]:
        import pyarrow.parquet as pq

        file = pq.ParquetFile(
            stream,
            pre_buffer=False,
            buffer_size=1 << 20,
            page_checksum_verification=True,
            arrow_extensions_enabled=False,
        )
        if file.metadata.num_columns > MAX_TABLE_COLUMNS:
            raise TooManyColumnsError(file.metadata.num_columns)
        names = public_columns(file.schema_arrow.names, rename=self._source.rename)
        return file, list(self._groups(file.metadata)), names

    def _groups(self, metadata: pq.FileMetaData) -> Iterator[_Group]:
        first_row = 0
        for index in range(metadata.num_row_groups):
            group = metadata.row_group(index)
            if not 0 <= group.num_rows <= _MAX_ROWS - first_row:
                raise ValueError(f"row group {index} declares {group.num_rows} rows")
            yield _Group(
                index=index,
                at=max(_first_byte(group), 0),
                first_row=first_row,
                n_rows=group.num_rows,
                n_bytes=max(group.total_byte_size, 0),
            )
            first_row += group.num_rows

    def _batches(
        self, stream: BinaryIO, file: pq.ParquetFile, group: _Group, names: Sequence[str]
    ) -> Iterator[pa.RecordBatch]:
        """Read a row group in batches whose size is limited before they are decoded."""
        by_mean = BATCH_BYTES // (group.n_bytes // group.n_rows + 1)
        by_largest = MAX_DECODED_BYTES // (largest_row(stream, file, group.index) + 1)
        rows = max(1, min(self._batch_rows, by_mean, by_largest))
        for batch in file.iter_batches(batch_size=rows, row_groups=[group.index], use_threads=False):
            batch.validate()
            yield plain_batch(batch, names)

    def _read_group(self, group: _Group, batches: Iterator[pa.RecordBatch]) -> Iterator[Reading]:
        """Yield as many rows as the footer declares, and a failed record if the group has fewer."""
        n_done = 0
        while n_done < group.n_rows:
            batch = self._step("parquet_corrupt", lambda: next(batches, None))
            if batch is None:
                batch = _Broken(reason="parquet_corrupt", message=f"the row group ends after {n_done} rows")
            if isinstance(batch, _Broken):
                yield self._failed_rows(group, n_done, batch)
                return
            batch = batch.slice(0, group.n_rows - n_done)
            self._n_out += batch.nbytes + ROW_BYTES * batch.num_rows
            if swells(self._n_out, self._task.size_bytes):
                swelling = _Broken(reason="swelling", message=swelling_message(self._task.size_bytes))
                yield self._failed_rows(group, n_done, swelling)
                self._ended = True
                return
            if batch.num_rows:
                yield self._reading(batch, group.first_row + n_done)
            n_done += batch.num_rows

    def _step(self, reason: str, action: Callable[[], _T]) -> _T | _Broken:
        refusal = self._guard.enter(self._source.kind, next(self._units), limit_s=_LIMIT_S)
        if refusal is not None:
            return _Broken(reason=refusal, message="reading it crashed or hung a worker process")
        try:
            return action()
        except MemoryError:
            raise  # the engine handles it, because it depends on the machine
        except TooManyColumnsError as error:
            return _Broken(reason="too_many_columns", message=str(error))
        except ColumnsError as error:
            return _Broken(reason="parquet_columns", message=str(error))
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            return _Broken(reason=reason, message=str(error))
        finally:
            self._guard.leave()

    def _reading(self, batch: pa.RecordBatch, first_row: int) -> Reading:
        n_rows = batch.num_rows
        rows = np.arange(n_rows)
        ordinals = self._n_records + rows
        limit = self._source.max_record_bytes
        failures = []
        if batch.nbytes > limit and (large := row_bytes(batch) > limit).any():
            message = f"the strings of the row are longer than max_record_bytes = {limit}"
            failures = [
                self._fail(int(ordinals[at]), first_row + int(at), "record_too_big", message)
                for at in rows[large]
            ]
            batch, rows = batch.filter(pa.array(~large)), rows[~large]
        record = record_column(
            source=self._source.label,
            path=self._found.name,
            ordinals=ordinals[rows],
            offsets=first_row + rows,
        )
        self._n_records += n_rows
        return Reading(batch=with_record(batch, record), rejected=rejection_batch(failures), n_records=n_rows)

    def _failed_rows(self, group: _Group, n_done: int, broken: _Broken) -> Reading:
        """Return a failed record for the rows of a group that were not read."""
        first, last = group.first_row + n_done, group.first_row + group.n_rows - 1
        message = f"row group {group.index}, rows {first} to {last}: {broken.message}"
        return self._failure(_Broken(reason=broken.reason, message=message), row=first)

    def _failure(self, broken: _Broken, *, row: int) -> Reading:
        failed = self._fail(self._n_records, row, broken.reason, broken.message)
        self._n_records += 1
        nothing: list[int] = []
        record = record_column(
            source=self._source.label, path=self._found.name, ordinals=nothing, offsets=nothing
        )
        batch = pa.RecordBatch.from_arrays([record], schema=pa.schema([RECORD_FIELD]))
        return Reading(batch=batch, rejected=rejection_batch([failed]), n_records=1)

    def _fail(self, ordinal: int, row: int, reason: str, message: str) -> Rejection:
        record = self._source.record(self._found, ordinal=ordinal, offset=row)
        return self._source.failure(record, reason, message=message)


def _first_byte(group: Any) -> int:
    if not group.num_columns:
        return 0
    column = group.column(0)
    return int(column.dictionary_page_offset or column.data_page_offset or 0)
