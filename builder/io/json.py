"""Read JSON files: arrays, wrapped lists of records, and documents one after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from builder.domain.json.pointer import pointer_steps
from builder.domain.record import RAW, RECORD_FIELD, RECORD_TYPE
from builder.domain.rejection import rejection_batch
from builder.errors import Fault
from builder.io.charset.marked import utf8_chunks
from builder.io.reading.file_source import (
    COMPRESSED,
    CONTAINERS,
    GUARD_REASONS,
    MAX_RECORD_BYTES,
    TOO_BIG,
    files_of,
)
from builder.io.reading.json_values import REASONS as VALUE_REASONS
from builder.io.reading.json_values import JsonRecord, split_values
from builder.io.reading.page_rows import BATCH_BYTES
from builder.io.reading.record_source import RecordSource
from builder.io.streams.streams import REASONS
from builder.protocols import Reading
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.domain.contract.value_forms import ValueForms
    from builder.domain.rejection import Rejection
    from builder.io.reading.json_values import JsonPiece
    from builder.io.streams.paths import Found
    from builder.protocols import Guard, Task

_SCHEMA = pa.schema([RECORD_FIELD, pa.field(RAW, pa.large_binary())])
_MAX_STEPS = 64
_EXAMPLE = "write it as in /data/*, where * matches every element"


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonSource(RecordSource):
    """Read the records of JSON files.

    A file is one JSON document, or several documents one after the other: pretty-printed, on one line each
    (JSON lines), or separated by record separators (RFC 7464). Without ``records``, each element of an array
    is a record, and any other document is one record. With ``records``, a JSON pointer says where the records
    of each document are; a step ``*`` matches every element or member. A document in which the pointer leads
    to no record fails.

    The stage ``validate`` parses the records. A record that breaks off fails, and the next one is read. Files
    of any size are read in bounded memory. A byte order mark is skipped; a file in UTF-16 needs one. Files
    may be compressed. Small files are read in groups. In a damaged compressed file, the record that contains
    the damage fails, and all records before it are read.
    """

    kind: ClassVar[str] = "json"
    rules: ClassVar[int] = 1
    suffixes: ClassVar[Sequence[str]] = tuple(".json" + codec for codec in COMPRESSED)
    reasons: ClassVar[Mapping[str, str]] = {
        **TOO_BIG,
        **CONTAINERS,
        **VALUE_REASONS,
        **REASONS,
        **GUARD_REASONS,
    }

    unreadable: ClassVar[frozenset[str]] = frozenset((*REASONS, *GUARD_REASONS))

    records: str | None = option(
        None, help="JSON pointer to the records of each document, such as `/data/*`. Default: see above."
    )
    max_record_bytes: int = option(
        MAX_RECORD_BYTES, help="Maximum bytes of a record; a longer record fails.", minimum=1
    )

    @property
    def value_forms(self) -> ValueForms:
        """How the files write values; without ``records``, a record may wrap the records."""
        return replace(super(JsonSource, self).value_forms, is_document=self.records is None)

    def tasks(self) -> list[Task]:
        """Group consecutive small files into tasks.

        Raises:
            RecipeError: as for ``inputs``, and if an option cannot be used.
        """
        self.check_values()
        return self.grouped_tasks()

    def read_file(self, task: Task, *, guard: Guard, batch_rows: int) -> Iterator[Reading]:
        """Yield the unparsed bytes of each record in a column ``_raw``."""
        rows = _Rows(source=self)
        units = count()
        for found in files_of(task):
            chunks = utf8_chunks(self._chunks(found, guard, units=units))
            for piece in split_values(chunks, pointer=self.records, max_bytes=self.max_record_bytes):
                rows.add(piece, found)
                if rows.n_records >= batch_rows or rows.n_bytes >= BATCH_BYTES:
                    yield rows.take()
        yield rows.take()

    def value_faults(self) -> list[Fault]:
        """Return the faults of the options for values and records."""
        faults = super(JsonSource, self).value_faults()
        what = None
        try:
            if (n_steps := len(pointer_steps(self.records or ""))) > _MAX_STEPS:
                what = f"the JSON pointer has {n_steps} steps; the maximum is {_MAX_STEPS}"
        except ValueError as error:
            what = f"{self.records!r} is not a JSON pointer: {error}"
        return [*faults, *([Fault(where="records", what=what, advice=_EXAMPLE)] if what else [])]


class _Rows:
    """Collects the records of a task into readings."""

    def __init__(self, *, source: JsonSource) -> None:
        self._source = source
        self._ordinal = 0
        self._clear()

    def add(self, piece: JsonPiece, found: Found) -> None:
        record = self._source.record(found, ordinal=self._ordinal, offset=piece.offset)
        self._ordinal += 1
        self.n_records += 1
        if isinstance(piece, JsonRecord):
            self._rows.append((record, piece.data))
            self.n_bytes += len(piece.data)
        else:
            self._failures.append(
                self._source.failure(record, piece.reason, message=piece.message, raw=piece.raw)
            )
            self.n_bytes += len(piece.raw)

    def take(self) -> Reading:
        """Return the collected rows as a reading, and start a new one."""
        columns = [
            pa.array([record for record, _ in self._rows], RECORD_TYPE),
            pa.array([data for _, data in self._rows], pa.large_binary()),
        ]
        reading = Reading(
            batch=pa.RecordBatch.from_arrays(columns, schema=_SCHEMA),
            rejected=rejection_batch(self._failures),
            n_records=self.n_records,
        )
        self._clear()
        return reading

    def _clear(self) -> None:
        self._rows: list[tuple[dict[str, object], bytes]] = []
        self._failures: list[Rejection] = []
        self.n_records = self.n_bytes = 0
