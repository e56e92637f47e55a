"""Read text tables: comma- or tab-separated values with a header."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from builder.domain.record import record_column, with_record
from builder.domain.rejection import MAX_RECORD_KEPT, rejection_batch
from builder.errors import Fault, RecipeError
from builder.io.reading.columns import ColumnsError, TooManyColumnsError, public_columns
from builder.io.reading.csv_rows import REASONS as ROW_REASONS
from builder.io.reading.csv_rows import BrokenRow, Row, read_rows
from builder.io.reading.file_source import (
    COMPRESSED,
    GUARD_REASONS,
    MAX_RECORD_BYTES,
    TOO_BIG,
    FileSource,
    guarded_chunks,
)
from builder.io.reading.lines import split_lines
from builder.io.reading.page_rows import BATCH_BYTES
from builder.io.streams.limits import TOO_MANY_COLUMNS
from builder.io.streams.paths import Found
from builder.io.streams.streams import REASONS
from builder.protocols import Reading, Task
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.domain.rejection import Rejection
    from builder.protocols import Guard

_VALUE_BYTES = 64
"""Bytes that a value takes in addition to its characters, until its batch is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvSource(FileSource):
    """Read tables of comma- or tab-separated values.

    The first row names the columns. All values are strings; an empty value is null unless ``empty_is_null``
    is off. Quoted values may contain line ends. A column whose name begins with an underscore gets its name
    in ``rename``, else it loses the underscores. A row with too many or too few values, or with unbalanced
    quotes, is a failed record. After unbalanced quotes, reading resumes at the second line of the row. Files
    may be compressed.
    """

    kind: ClassVar[str] = "csv"
    rules: ClassVar[int] = 1
    suffixes: ClassVar[Sequence[str]] = tuple(
        stem + codec for stem in (".csv", ".tsv") for codec in COMPRESSED
    )
    reasons: ClassVar[Mapping[str, str]] = {
        **TOO_BIG,
        **TOO_MANY_COLUMNS,
        **ROW_REASONS,
        "csv_header": "The header does not give each column a unique name.",
        **REASONS,
        **GUARD_REASONS,
    }
    unreadable: ClassVar[frozenset[str]] = frozenset(reasons)

    rename: dict[str, str] = option(  # noqa: RUF009 - it makes a field
        {}, help="New names for columns: column -> column."
    )
    delimiter: str | None = option(
        None, help="The character between values. Default: a tab for `.tsv` files, a comma for others."
    )
    encoding: str = option("utf-8", help="Character encoding of the files; must be a superset of ASCII.")
    empty_is_null: bool = option(True, help="Whether an empty value is null.")
    hive: bool = option(
        True, help="Whether folders named `key=value` are columns, as Spark and DuckDB write them."
    )
    max_record_bytes: int = option(
        MAX_RECORD_BYTES, help="Maximum bytes of a row; a longer row fails.", minimum=1
    )

    def tasks(self) -> list[Task]:
        """Return one task for each file; a file is not split, because row starts depend on all rows before.

        Raises:
            RecipeError: as for ``inputs``, and if the delimiter or the encoding cannot be used.
        """
        self._check()
        return [
            Task(source=self.label, path=found.path, name=found.name, size_bytes=found.size_bytes)
            for found in self.inputs()
        ]

    def read(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Yield the rows as string columns with the names of the header."""
        found = Found(path=task.path, name=task.name, size_bytes=task.size_bytes)
        table = _Table(source=self, found=found, batch_rows=batch_rows)
        pieces = split_lines(
            guarded_chunks(found, stage=self.kind, guard=guard), max_bytes=self.max_record_bytes
        )
        delimiter = self.delimiter or ("\t" if ".tsv" in task.name.lower() else ",")
        rows = read_rows(pieces, delimiter=delimiter, encoding=self.encoding, max_bytes=self.max_record_bytes)
        for row in rows:
            table.add(row)
            if table.ended:
                break
            if table.full:
                yield table.take_reading()
        yield table.take_reading()

    def _check(self) -> None:
        faults = []
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            faults.append(
                Fault(
                    where="delimiter",
                    what=f"{self.delimiter!r} cannot be used",
                    advice="set it to one character other than a quote or a line end, such as ';'",
                )
            )
        try:
            usable = bytes(range(128)).decode(self.encoding) == bytes(range(128)).decode("ascii")
        except (LookupError, UnicodeError):
            usable = False
        if not usable:
            advice = "set it to a superset of ASCII, such as utf-8 or windows-1252, or convert the files"
            faults.append(Fault(where="encoding", what=f"{self.encoding!r} cannot be used", advice=advice))
        if faults:
            raise RecipeError(*faults)


class _Table:
    """Collects the rows of one file into readings; the first row names the columns."""

    def __init__(self, *, source: CsvSource, found: Found, batch_rows: int) -> None:
        self._source, self._found, self._batch_rows = source, found, batch_rows
        self._names: list[str] | None = None
        self._ordinal = 0
        self.ended = False
        self._clear()

    @property
    def full(self) -> bool:
        return self._n_records >= self._batch_rows or self._n_bytes >= BATCH_BYTES

    def add(self, row: Row | BrokenRow) -> None:
        if self._names is None:
            self._set_header(row)
            return
        self._n_records += 1
        if isinstance(row, BrokenRow):
            self._fail(row)
        elif len(row.values) != len(self._names):
            message = f"the row has {len(row.values)} values, the header has {len(self._names)} columns"
            self._fail(_broken(row, "csv_width", message))
        else:
            self._rows.append(row.values)
            self._ordinals.append(self._ordinal)
            self._offsets.append(row.offset)
            self._n_bytes += sum(map(len, row.lines)) + _VALUE_BYTES * len(row.values)
        self._ordinal += 1

    def take_reading(self) -> Reading:
        names = self._names or []
        values = zip(*self._rows, strict=True) if self._rows else [() for _ in names]
        columns = [pa.array(self._cells(column), pa.string()) for column in values]
        record = record_column(
            source=self._source.label, path=self._found.name, ordinals=self._ordinals, offsets=self._offsets
        )
        reading = Reading(
            batch=with_record(pa.RecordBatch.from_arrays(columns, names=names), record),
            rejected=rejection_batch(self._failures),
            n_records=self._n_records,
        )
        self._clear()
        return reading

    def _set_header(self, row: Row | BrokenRow) -> None:
        """Set the column names; without valid names, the whole file is one failed record."""
        if isinstance(row, BrokenRow):
            self._n_records += 1
            self._fail(replace(row, message=f"{row.message}; the file is not read without a header"))
            self.ended = True
            return
        try:
            names = public_columns(row.values, rename=self._source.rename)
            if "" in row.values:
                raise ColumnsError("a column has no name")
            self._names = names
        except ColumnsError as error:
            self._n_records += 1
            reason = "too_many_columns" if isinstance(error, TooManyColumnsError) else "csv_header"
            self._fail(_broken(row, reason, str(error)))
            self.ended = True

    def _cells(self, column: Sequence[str]) -> Sequence[str | None]:
        return [cell or None for cell in column] if self._source.empty_is_null else column

    def _fail(self, row: BrokenRow) -> None:
        record = self._source.record(self._found, ordinal=self._ordinal, offset=row.offset)
        self._failures.append(
            self._source.failure(record, row.reason, message=row.message, raw=row.raw[:MAX_RECORD_KEPT])
        )
        self._n_bytes += min(len(row.raw), MAX_RECORD_KEPT)

    def _clear(self) -> None:
        self._rows: list[list[str]] = []
        self._ordinals: list[int] = []
        self._offsets: list[int] = []
        self._failures: list[Rejection] = []
        self._n_records = self._n_bytes = 0


def _broken(row: Row, reason: str, message: str) -> BrokenRow:
    return BrokenRow(offset=row.offset, reason=reason, message=message, raw=b"".join(row.lines))
