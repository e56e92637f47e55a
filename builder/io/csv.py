"""Tables as text: comma- or tab-separated values with a header."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from builder.domain.record import record_column, with_record
from builder.domain.rejection import MAX_RECORD_KEPT, rejection_batch
from builder.errors import Fault, RecipeError
from builder.io.reading.columns import ColumnsError, public_columns
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
from builder.io.streams.paths import Found
from builder.io.streams.streams import REASONS
from builder.protocols import Reading, Task
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.domain.rejection import Rejection
    from builder.protocols import Guard


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvSource(FileSource):
    """Read tables of comma- or tab-separated values.

    The first row names the columns; all values are strings, and an empty one is null unless ``empty_is_null``
    is off. Quoted values may hold line ends. A column whose name begins with an underscore is called as
    ``rename`` says, else without it. A row with too many or too few values, or with quotes that do not
    match, is a failed record, and reading goes on at the line after its first. Files may be compressed.
    """

    kind: ClassVar[str] = "csv"
    suffixes: ClassVar[Sequence[str]] = tuple(
        stem + codec for stem in (".csv", ".tsv") for codec in COMPRESSED
    )
    reasons: ClassVar[Mapping[str, str]] = {
        **TOO_BIG,
        **ROW_REASONS,
        "csv_header": "The first row does not name each column once.",
        **REASONS,
        **GUARD_REASONS,
    }

    rename: dict[str, str] = option(  # noqa: RUF009 - it makes a field
        {}, help="Columns to be called otherwise: column -> column."
    )
    delimiter: str | None = option(
        None, help="One character between values; a tab for `.tsv` and a comma otherwise if not given."
    )
    encoding: str = option("utf-8", help="How bytes stand for characters; a superset of ASCII.")
    empty_is_null: bool = option(True, help="Whether a value without a character is null.")
    max_record_bytes: int = option(
        MAX_RECORD_BYTES, help="Bytes of a row; a longer one is a failed record.", minimum=1
    )

    def tasks(self) -> list[Task]:
        """Make each file a task: where a row begins is only known from the start.

        Raises:
            RecipeError: besides what is said of paths, if delimiter or encoding cannot be used.
        """
        self._check()
        return [
            Task(source=self.label, path=found.path, name=found.name, size_bytes=found.size_bytes)
            for found in self.inputs()
        ]

    def read(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Give rows as columns of strings, those of the header."""
        found = Found(path=task.path, name=task.name, size_bytes=task.size_bytes)
        table = _Table(source=self, found=found, batch_rows=batch_rows)
        pieces = split_lines(
            guarded_chunks(found, stage=self.kind, guard=guard), max_bytes=self.max_record_bytes
        )
        delimiter = self.delimiter or ("\t" if ".tsv" in task.name.lower() else ",")
        rows = read_rows(pieces, delimiter=delimiter, encoding=self.encoding, max_bytes=self.max_record_bytes)
        for row in rows:
            table.take(row)
            if table.ended:
                break
            if table.full:
                yield table.hand_over()
        yield table.hand_over()

    def _check(self) -> None:
        faults = []
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            faults.append(
                Fault(where="delimiter", what=f"{self.delimiter!r}", advice="one character, as ';'")
            )
        try:
            usable = bytes(range(128)).decode(self.encoding) == bytes(range(128)).decode("ascii")
        except (LookupError, UnicodeError):
            usable = False
        if not usable:
            advice = "a superset of ASCII, as utf-8 or windows-1252; convert others before"
            faults.append(Fault(where="encoding", what=f"{self.encoding!r} cannot be used", advice=advice))
        if faults:
            raise RecipeError(*faults)


class _Table:
    """Collects the rows of one file into readings; the first names the columns."""

    def __init__(self, *, source: CsvSource, found: Found, batch_rows: int) -> None:
        self._source, self._found, self._batch_rows = source, found, batch_rows
        self._names: list[str] | None = None
        self._ordinal = 0
        self.ended = False
        self._clear()

    @property
    def full(self) -> bool:
        return self._n_records >= self._batch_rows or self._n_bytes >= BATCH_BYTES

    def take(self, row: Row | BrokenRow) -> None:
        if self._names is None:
            self._take_header(row)
            return
        self._n_records += 1
        if isinstance(row, BrokenRow):
            self._fail(row)
        elif len(row.values) != len(self._names):
            message = f"{len(row.values)} values for {len(self._names)} columns"
            self._fail(_broken(row, "csv_width", message))
        else:
            self._rows.append(row.values)
            self._ordinals.append(self._ordinal)
            self._offsets.append(row.offset)
            self._n_bytes += sum(map(len, row.lines))
        self._ordinal += 1

    def hand_over(self) -> Reading:
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

    def _take_header(self, row: Row | BrokenRow) -> None:
        """Name the columns; without names, the file is one failed record."""
        if isinstance(row, BrokenRow):
            self._n_records += 1
            self._fail(replace(row, message=f"{row.message}; without a header the file was not read on"))
            self.ended = True
            return
        try:
            if "" in row.values:
                raise ColumnsError("a column has no name")
            self._names = public_columns(row.values, rename=self._source.rename)
        except ColumnsError as error:
            self._n_records += 1
            self._fail(_broken(row, "csv_header", str(error)))
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
