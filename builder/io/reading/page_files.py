"""Share code between the sources whose files are one page each: text and HTML."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa

from builder.domain.rejection import NO_RECORDS, STAGE_ERROR, Rejection
from builder.io.archive.payload import binary_type, undo_undeclared_gzip
from builder.io.charset.decode import decode
from builder.io.reading.file_source import MAX_RECORD_BYTES, FileSource, files_of, read_whole
from builder.io.reading.page_rows import PAGE_SCHEMA, PageRows
from builder.registry import describe_error, is_own, option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from builder.io.charset.decode import Decoded
    from builder.io.streams.paths import Found
    from builder.protocols import Guard, Reading, Task


FILE_LIMIT_S = 3600.0
"""Seconds that a file may take, which may be at a slow address; a safety limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFiles(FileSource, ABC):
    """A source whose files are one page each.

    Attributes:
        adds: columns other than those of ``PAGE_SCHEMA``, such as ``title``, with their Arrow types.
    """

    adds: ClassVar[Mapping[str, pa.DataType]] = {}

    rename: dict[str, str] = option(  # noqa: RUF009 - it makes a field
        {}, help="New names for fields: dotted path -> column."
    )
    max_record_bytes: int = option(
        MAX_RECORD_BYTES, help="Maximum bytes of a file; a larger file fails.", minimum=1
    )

    def tasks(self) -> list[Task]:
        """Group consecutive small files into tasks."""
        return self.grouped_tasks()

    def read_file(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Yield each file as a page."""
        rows = PageRows(source=self.label, name=task.name, batch_rows=batch_rows, schema=self._schema())
        units = count()
        for found in files_of(task):
            self._read_file(found, rows, guard=guard, units=units)
            if rows.full:
                yield rows.take()
        yield rows.take()

    def decode(self, data: bytes) -> Decoded:
        """Decode the bytes of a file to text."""
        return decode(data)

    def open_page(self, data: bytes, *, name: str) -> tuple[Decoded, dict[str, Any]]:  # noqa: ARG002
        """Return the decoded text of a file, and the columns of its page."""
        decoded = self.decode(data)
        return decoded, self.page(decoded.text)

    def _schema(self) -> pa.Schema:
        """Return the columns of the pages; a source of builder has those that all page sources share."""
        return pa.schema([*PAGE_SCHEMA, *(pa.field(name, kind) for name, kind in self.adds.items())])

    @abstractmethod
    def page(self, text: str) -> dict[str, Any]:
        """Return the columns of a page, such as ``url`` and ``text``, from the text of its file.

        The columns are those of ``PAGE_SCHEMA`` and of ``adds``; a column that is left out is null. In
        ``PAGE_SCHEMA``, ``status`` is an int, and all other values are texts, also times.
        """

    def _read_file(self, found: Found, rows: PageRows, *, guard: Guard, units: Iterator[int]) -> None:
        record = rows.count(offset=0, name=found.name)
        reason = guard.enter(f"{self.kind}:file", record["ordinal"], limit_s=FILE_LIMIT_S)
        if reason is not None:
            message = "decoding it crashed or hung a worker process"
            rows.reject(self.failure(record, reason, message=message))
            return
        try:
            self._add_page(record, found, rows, guard=guard, units=units)
        finally:
            guard.leave()

    def _add_page(
        self, record: dict[str, Any], found: Found, rows: PageRows, *, guard: Guard, units: Iterator[int]
    ) -> None:
        data, fault = read_whole(
            found, stage=self.kind, guard=guard, units=units, max_bytes=self.max_record_bytes
        )
        if fault is not None:
            rows.reject(self.failure(record, fault.reason, message=fault.message, raw=data))
            return
        inflated = undo_undeclared_gzip(data, max_bytes=self.max_record_bytes)
        if inflated is not None:
            data = inflated
            rows.add_count("undeclared_gzip")
        if (binary := binary_type(data)) is not None:
            rows.reject(Rejection(record=record, stage=self.kind, reason="not_text", value=binary))
            return
        self._add_pages(record, data, found, rows)

    def _add_pages(self, record: dict[str, Any], data: bytes, found: Found, rows: PageRows) -> None:
        """Add the page of a file; a file on which the code of another package raises fails."""
        try:
            decoded, page = self.open_page(data, name=found.name)
            check_page(page, self._schema())
        except Exception as error:
            if is_own(type(self)) or isinstance(error, MemoryError):
                raise
            rows.reject(self.failure(record, STAGE_ERROR, message=describe_error(error), raw=data))
            return
        if decoded.n_replaced:
            rows.add_count("replaced_chars", decoded.n_replaced)
        rows.add(record, **page)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFiles(PageFiles, ABC):
    """A source whose files have many records: override ``records``."""

    @abstractmethod
    def records(self, text: str) -> Iterable[dict[str, Any]]:
        """Yield the columns of each record, such as ``url`` and ``text``, from the text of a file.

        The columns are those of ``page``. If this raises, the record that would come next fails, and the rest
        of the file is not read.
        """

    def page(self, text: str) -> dict[str, Any]:
        """Return the columns of the first record."""
        return next(iter(self.records(text)), {})

    def _add_pages(self, record: dict[str, Any], data: bytes, found: Found, rows: PageRows) -> None:
        """Add the records of a file; a file without one fails."""
        decoded = self.decode(data)
        if decoded.n_replaced:
            rows.add_count("replaced_chars", decoded.n_replaced)
        n_read = 0
        try:
            for page in self.records(decoded.text):
                check_page(page, self._schema())
                rows.add(record if n_read == 0 else rows.count(offset=n_read, name=found.name), **page)
                n_read += 1
        except Exception as error:
            if is_own(type(self)) or isinstance(error, MemoryError):
                raise
            place = record if n_read == 0 else rows.count(offset=n_read, name=found.name)
            message = f"{describe_error(error)}; the rest of the file is not read"
            rows.reject(self.failure(place, STAGE_ERROR, message=message))
        else:
            if n_read == 0:
                rows.reject(self.failure(record, NO_RECORDS, message="the file has no record"))


def check_page(page: dict[str, Any], schema: pa.Schema) -> None:
    """Check that a page has columns of the schema only, with values of their types.

    Raises:
        ValueError: for another column.
        TypeError: for a value of another type.
    """
    if unknown := sorted(page.keys() - set(schema.names)):
        known = ", ".join(name for name in schema.names if not name.startswith("_"))
        what = f"returned the column {unknown[0]!r}, which is not one of {known}"
        raise ValueError(f"{what}; declare it with its type in `adds`")
    for name, value in page.items():
        kind = schema.field(name).type
        if value is None or (type(value) is str and kind == pa.string()):
            continue
        try:
            pa.scalar(value, kind)
        except (pa.ArrowException, OverflowError) as error:
            what = f"the column {name!r} has {kind} values, not {type(value).__name__} ({value!r:.60})"
            raise TypeError(what) from error
