"""Read text tables: comma- or tab-separated values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from builder.domain.record import record_column, with_record
from builder.domain.rejection import MAX_RECORD_KEPT, rejection_batch
from builder.errors import Fault
from builder.io.charset.marked import read_mark, transcoded
from builder.io.reading.columns import ColumnsError, TooManyColumnsError, public_columns
from builder.io.reading.csv_dialect import Dialect
from builder.io.reading.csv_header import check_header, is_preamble
from builder.io.reading.csv_rows import REASONS as ROW_REASONS
from builder.io.reading.csv_rows import BrokenRow, Row, read_rows
from builder.io.reading.file_source import (
    COMPRESSED,
    CONTAINERS,
    GUARD_REASONS,
    MAX_RECORD_BYTES,
    TOO_BIG,
)
from builder.io.reading.lines import split_lines
from builder.io.reading.page_rows import BATCH_BYTES
from builder.io.reading.record_source import RecordSource
from builder.io.streams.limits import TOO_MANY_COLUMNS
from builder.io.streams.paths import Found
from builder.io.streams.streams import REASONS
from builder.protocols import Reading, Task
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.domain.contract.value_forms import ValueForms
    from builder.domain.rejection import Rejection
    from builder.io.streams.streams import StreamFault
    from builder.protocols import Guard

_WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
_MAX_NAMES = 20
_VALUE_BYTES = 64
"""Bytes that a value takes in addition to its characters, until its batch is full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvSource(RecordSource):
    """Read tables of comma- or tab-separated values.

    The first row names the columns, unless ``columns`` names them. A column without a name, such as the index
    that pandas writes, or a comma at the end of the header, is left out and counted (``unnamed_columns``);
    ``rename: {"": row}`` gives it a name. All values are strings; ``validate`` reads them as the numbers,
    booleans, instants, arrays and objects that the contract asks for. A first line ``#TYPE``, as PowerShell
    writes it, or ``sep=``, as spreadsheets write it, is not a row. An empty value is null unless
    ``empty_is_null`` is off. Quoted values may contain line ends. A column whose name begins with an
    underscore gets its name in ``rename``, else it loses the underscores.

    A row with too many or too few values, or with unbalanced quotes, is a failed record. After unbalanced
    quotes, reading resumes at the second line of the row. A byte order mark is skipped; that of UTF-16
    decides the encoding. Files may be compressed.
    """

    kind: ClassVar[str] = "csv"
    rules: ClassVar[int] = 1
    suffixes: ClassVar[Sequence[str]] = tuple(
        stem + codec for stem in (".csv", ".tsv") for codec in COMPRESSED
    )
    reasons: ClassVar[Mapping[str, str]] = {
        **TOO_BIG,
        **CONTAINERS,
        **TOO_MANY_COLUMNS,
        **ROW_REASONS,
        "csv_header": "The header does not give each column a unique name.",
        **REASONS,
        **GUARD_REASONS,
    }
    unreadable: ClassVar[frozenset[str]] = frozenset(reasons)

    columns: list[str] | None = option(  # noqa: RUF009 - it makes a field
        None, help="Names of the columns, for files without a header or instead of the header."
    )
    header: bool | None = option(
        None, help="Whether the first row is a header. Default: yes, unless `columns` is set."
    )
    delimiter: str | None = option(
        None, help="The character between values. Default: a tab for `.tsv` files, a comma for others."
    )
    quote: str | None = option('"', help="The character around values; null if the files have no quoting.")
    escape: str | None = option(
        None, help="The character before a quote that is part of a value, such as a backslash."
    )
    encoding: str = option("utf-8", help="Character encoding of the files: a superset of ASCII, or UTF-16.")
    empty_is_null: bool = option(True, help="Whether an empty value is null.")
    null_values: list[str] = option(  # noqa: RUF009 - it makes a field
        [], help="More values that are null, such as `NULL` or `\\N`."
    )
    hive: bool = option(
        True, help="Whether folders named `key=value` are columns, as Spark and DuckDB write them."
    )
    max_record_bytes: int = option(
        MAX_RECORD_BYTES, help="Maximum bytes of a row; a longer row fails.", minimum=1
    )

    @property
    def value_forms(self) -> ValueForms:
        """How the files write values: all are strings."""
        return replace(super(CsvSource, self).value_forms, is_text=True)

    @property
    def has_header(self) -> bool:
        """Whether the first row of a file is a header."""
        return self.columns is None if self.header is None else self.header

    def tasks(self) -> list[Task]:
        """Return one task for each file; a file is not split, because row starts depend on all rows before.

        Raises:
            RecipeError: as for ``inputs``, and if an option cannot be used.
        """
        self.check_values()
        return [
            Task(source=self.label, path=found.path, name=found.name, size_bytes=found.size_bytes)
            for found in self.inputs()
        ]

    def read_file(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Yield the rows as string columns with the names of the header."""
        found = Found(path=task.path, name=task.name, size_bytes=task.size_bytes)
        dialect = self._dialect(task.name)
        table = _Table(source=self, found=found, batch_rows=batch_rows, delimiter=dialect.delimiter)
        encoding, chunks = self._decoded(self._chunks(found, guard))
        pieces = split_lines(chunks, max_bytes=self.max_record_bytes)
        rows = read_rows(pieces, dialect=dialect, encoding=encoding, max_bytes=self.max_record_bytes)
        for row in rows:
            table.add(row)
            if table.ended:
                break
            if table.full:
                yield table.take_reading()
        yield table.take_reading()

    def value_faults(self) -> list[Fault]:
        """Return the faults of the options."""
        faults = super(CsvSource, self).value_faults()
        for name in ("delimiter", "quote", "escape"):
            value = getattr(self, name)
            others = [self.delimiter or ","] if name == "escape" else []
            others += [self.delimiter or ","] if name == "quote" else []
            if value is not None and (len(value) != 1 or value in "\r\n" or value in others):
                advice = "set it to one character that is not a line end and has no other meaning in the file"
                faults.append(Fault(where=name, what=f"{value!r} cannot be used", advice=advice))
        if not self._is_known_encoding():
            advice = "set it to a superset of ASCII, such as utf-8 or windows-1252, or to utf-16-le"
            faults.append(Fault(where="encoding", what=f"{self.encoding!r} cannot be used", advice=advice))
        return [*faults, *self._name_faults()]

    def _name_faults(self) -> list[Fault]:
        if self.columns is None:
            what, advice = "a file without a header has no names", "list them, as in columns: [url, text]"
            return [] if self.has_header else [Fault(where="header", what=what, advice=advice)]
        try:
            public_columns([name for name in self.columns if name], rename=self.rename)
        except ColumnsError as error:
            return [Fault(where="columns", what=str(error), advice="give each column another name")]
        return []

    def _is_known_encoding(self) -> bool:
        if self.encoding.lower().replace("_", "-") in _WIDE:
            return True
        try:
            return bytes(range(128)).decode(self.encoding) == bytes(range(128)).decode("ascii")
        except (LookupError, UnicodeError):
            return False

    def _decoded(self, chunks: Iterator[bytes | StreamFault]) -> tuple[str, Iterator[bytes | StreamFault]]:
        """Return the encoding of lines and the chunks in it; in that encoding, a line feed is one byte."""
        codec, chunks = read_mark(chunks)
        if codec is not None:
            return "utf-8", chunks
        encoding = self.encoding.lower().replace("_", "-")
        if encoding in _WIDE:
            return "utf-8", transcoded(chunks, codec=encoding)
        return self.encoding, chunks

    def _dialect(self, name: str) -> Dialect:
        delimiter = self.delimiter or ("\t" if ".tsv" in name.lower() else ",")
        escape = None if self.escape == self.quote else self.escape  # a quote is doubled in any case
        nulls = frozenset(self.null_values)
        return Dialect(delimiter=delimiter, quote=self.quote, escape=escape, nulls=nulls)


class _Table:
    """Collects the rows of one file into readings.

    ``_places`` are the positions of the columns that are kept, ``_width`` is the number of all columns.
    """

    def __init__(self, *, source: CsvSource, found: Found, batch_rows: int, delimiter: str) -> None:
        self._delimiter, self._has_begun = delimiter, False
        self._source, self._found, self._batch_rows = source, found, batch_rows
        self._names: list[str] | None = None
        self._ordinal = 0
        self.ended = False
        self._clear()
        if not source.has_header:
            self._set_names(source.columns or [])

    @property
    def full(self) -> bool:
        return self._n_records >= self._batch_rows or self._n_bytes >= BATCH_BYTES

    def add(self, row: Row | BrokenRow) -> None:
        if not self._has_begun:
            self._has_begun = True
            if isinstance(row, Row) and is_preamble(row.values, delimiter=self._delimiter):
                return
        if self._names is None:
            self._set_header(row)
            return
        self._n_records += 1
        if isinstance(row, BrokenRow):
            self._fail(row)
        elif (values := self._fitted(row.values)) is None:
            self._fail(_broken(row, "csv_width", self._width_message(len(row.values))))
        else:
            self._rows.append([values[place] for place in self._places])
            self._ordinals.append(self._ordinal)
            self._offsets.append(row.offset)
            self._n_bytes += sum(map(len, row.lines)) + _VALUE_BYTES * len(row.values)
        self._ordinal += 1

    def _width_message(self, n_values: int) -> str:
        message = f"the row has {n_values} values, the header has {self._width} columns"
        if n_values == self._width + 1 and self._source.columns is None:
            names = ", ".join(["row", *(self._names or [])][:_MAX_NAMES])
            message += f"; if rows begin with their name, set columns: [{names}] and header: true"
        return message

    def take_reading(self) -> Reading:
        names = self._names or []
        values = zip(*self._rows, strict=True) if self._rows and names else [() for _ in names]
        columns = [pa.array(self._cells(column), pa.string()) for column in values]
        record = record_column(
            source=self._source.label, path=self._found.name, ordinals=self._ordinals, offsets=self._offsets
        )
        reading = Reading(
            batch=with_record(pa.RecordBatch.from_arrays(columns, names=names), record),
            rejected=rejection_batch(self._failures),
            n_records=self._n_records,
            counts=self._counts,
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
        values = [value or "" for value in row.values]
        try:
            if self._source.columns is None:
                check_header(values, delimiter=self._source.delimiter)
            elif len(values) != len(self._source.columns):
                self._check_width(len(values), len(self._source.columns))
            self._set_names(self._source.columns or values)
        except ColumnsError as error:
            self._n_records += 1
            reason = "too_many_columns" if isinstance(error, TooManyColumnsError) else "csv_header"
            message = str(error)
            if "are both named" in message and self._source.columns is None:
                message += ", or name them in the source with columns: [...] and header: true"
            self._fail(_broken(row, reason, message))
            self.ended = True

    def _check_width(self, n_values: int, n_named: int) -> None:
        """Check the width of a header that `columns` replaces; names of rows have no name in the header."""
        if n_values + 1 != n_named:
            raise ColumnsError(f"the header has {n_values} columns, `columns` names {n_named}")

    def _set_names(self, names: Sequence[str]) -> None:
        rename = self._source.rename
        names = [name or rename.get("", "") for name in names]
        self._width = len(names)
        self._places = [place for place, name in enumerate(names) if name]
        self._least_width = max(self._places, default=-1) + 1
        self._names = public_columns([names[place] for place in self._places], rename=rename)
        if n_unnamed := self._width - len(self._places):
            self._counts["unnamed_columns"] = n_unnamed

    def _fitted(self, values: list[str | None]) -> list[str | None] | None:
        """Return the values of a row; None if their number differs in more than empty values at the end."""
        if len(values) == self._width or (self._least_width <= len(values) < self._width):
            return values
        return values if len(values) > self._width and not any(values[self._width :]) else None

    def _cells(self, column: Sequence[str | None]) -> Sequence[str | None]:
        return [cell or None for cell in column] if self._source.empty_is_null else column

    def _fail(self, row: BrokenRow) -> None:
        record = self._source.record(self._found, ordinal=self._ordinal, offset=row.offset)
        self._failures.append(
            self._source.failure(record, row.reason, message=row.message, raw=row.raw[:MAX_RECORD_KEPT])
        )
        self._n_bytes += min(len(row.raw), MAX_RECORD_KEPT)

    def _clear(self) -> None:
        self._rows: list[list[str | None]] = []
        self._ordinals: list[int] = []
        self._offsets: list[int] = []
        self._failures: list[Rejection] = []
        self._counts: dict[str, int] = {}
        self._n_records = self._n_bytes = 0


def _broken(row: Row, reason: str, message: str) -> BrokenRow:
    return BrokenRow(offset=row.offset, reason=reason, message=message, raw=b"".join(row.lines))
