"""The job that ``validate`` sends to workers: judge one part of one file by a contract."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from builder.domain.contract.incoming import as_it_came, incoming_values, without_nulls
from builder.domain.contract.judge import Judge
from builder.domain.contract.rename import rename_members
from builder.domain.contract.shaper import shape_of_schema
from builder.domain.fault_groups import FaultTally
from builder.domain.fault_order import pointer_of
from builder.domain.json.exact import Broken
from builder.domain.record import RECORD
from builder.domain.rejection import ContractFault
from builder.io.streams.streams import compression_of, read_chunks
from builder.operations.formats import kind_of_file
from builder.pipeline.charged import read_charged
from builder.registry import source_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from builder.domain.contract.shape import Shape
    from builder.domain.json.exact import Parsed
    from builder.io.contracts import Schema
    from builder.io.streams.paths import Found
    from builder.protocols import Guard, Reading, Source, Task

_BATCH_ROWS = 1_000

_STAGE = "validate"
"""The stage that judges records in a build."""

NOT_A_PAGE = "record_type"
"""The reason of archive records that are not pages, such as requests."""

MAX_PLACES = 20
"""Number of faulty records of one file that are listed. All are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFault:
    """A record that does not meet the contract, or could not be read.

    ``ordinal`` counts the records of the file from 0. ``offset`` is in bytes of the decompressed file; for
    Parquet it is a row number. ``line`` counts from 1; it is None if the format has no lines.
    """

    ordinal: int
    offset: int
    line: int | None
    outcome: str
    reason: str
    message: str | None
    faults: tuple[ContractFault, ...]


@dataclass(slots=True)
class Tally:
    """The counts of one part. ``places`` are its first faulty records, numbered within the part.

    ``n_not_pages`` counts records of an archive that are not pages; they are not judged.
    """

    n_records: int = 0
    n_not_pages: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    faults: FaultTally = field(default_factory=FaultTally)
    places: list[RecordFault] = field(default_factory=list)

    def add(self, place: RecordFault, *, record_id: str) -> None:
        """Count one faulty record."""
        self.outcomes[place.outcome] += 1
        self.reasons[place.reason] += 1
        self.faults.add(record_id, _STAGE, place.faults)
        if len(self.places) < MAX_PLACES:
            self.places.append(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgePart:
    """Judge one task of one file. Several workers can judge parts at the same time.

    Attributes:
        renames: the option ``rename`` of each source, by the source's name.
        shown: the path to show for a path that may contain secrets.
        folder: the folder to which the faulty records of a part are written, as ``NUMBER.jsonl``; None to
            write none.
    """

    schema: Schema
    renames: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)
    folder: str | None = None

    def __call__(self, numbered: tuple[int, Source, Task], guard: Guard) -> Tally:
        """Read and judge the records of one task."""
        number, source, task = numbered
        judge, shape = _tools(self.schema)
        tally, lines = Tally(), []
        renames = self.renames.get(source.label, {})
        for reading in read_charged(source, task, guard=guard, batch_rows=_BATCH_ROWS):
            n_not_pages = 0
            for place, record_id, record in _faulty(reading, judge=judge, shape=shape, renames=renames):
                if place.reason == NOT_A_PAGE:
                    n_not_pages += 1
                    continue
                tally.add(place, record_id=record_id)
                if self.folder is not None:
                    path = source_path(source, task)
                    lines.append(_line(self.shown.get(path, path), place, record))
            tally.n_records += reading.n_records - n_not_pages
            tally.n_not_pages += n_not_pages
            guard.tick(reading.n_records, reading.batch.nbytes)
        if self.folder is not None and lines:
            (Path(self.folder) / f"{number}.jsonl").write_bytes(b"".join(lines))
        return tally


_TOOLS: dict[str, tuple[Judge, Shape]] = {}


def _tools(schema: Schema) -> tuple[Judge, Shape]:
    """Return judge and shape of a schema; they are created once in a process."""
    if schema.digest not in _TOOLS:
        shape = shape_of_schema(schema.schema, schema.documents)
        _TOOLS[schema.digest] = (Judge(schema.schema, schema.documents), shape)
    return _TOOLS[schema.digest]


def source_of(found: Found) -> Source:
    """Return the source that reads one file, as ``kind_of_file`` finds it.

    Raises:
        RecipeError: if no source reads the file.
    """
    source: Source = source_class(kind_of_file(found))(path=found.path)
    return source


def source_path(source: Source, task: Task) -> str:
    """Return the path of the file of a task; a dataset has one path for all its files."""
    return task.path or str(getattr(source, "path", source.label))


Faulty: TypeAlias = "tuple[RecordFault, str, bytes | None]"
"""What is wrong with a record, its id, and its bytes."""


def _faulty(reading: Reading, *, judge: Judge, shape: Shape, renames: Mapping[str, str]) -> Iterator[Faulty]:
    """Yield the records of a reading that are not valid, in order."""
    found = [*_unread(reading.rejected), *_invalid(reading.batch, judge, shape, renames)]
    yield from sorted(found, key=lambda one: one[0].ordinal)


def _unread(rejected: pa.RecordBatch) -> Iterator[Faulty]:
    for row in rejected.to_pylist():
        place = RecordFault(
            ordinal=row[RECORD]["ordinal"],
            offset=row[RECORD]["offset"],
            line=None,
            outcome=row["outcome"],
            reason=row["reason"],
            message=row["message"],
            faults=(),
        )
        yield place, row[RECORD]["id"], row["record"]


def _invalid(
    batch: pa.RecordBatch, judge: Judge, shape: Shape, renames: Mapping[str, str]
) -> Iterator[Faulty]:
    for row, incoming in enumerate(incoming_values(batch, shape)):
        faults = () if isinstance(incoming, Broken) else _faults(incoming, batch, row, judge, renames)
        if not faults and not isinstance(incoming, Broken):
            continue
        record = batch.column(RECORD)[row].as_py()
        place = RecordFault(
            ordinal=record["ordinal"],
            offset=record["offset"],
            line=None,
            outcome="failed" if isinstance(incoming, Broken) else "rejected",
            reason=incoming.reason if isinstance(incoming, Broken) else faults[0].keyword,
            message=incoming.message if isinstance(incoming, Broken) else faults[0].message,
            faults=faults,
        )
        yield place, record["id"], as_it_came(batch, row)


def _faults(
    parsed: Parsed, batch: pa.RecordBatch, row: int, judge: Judge, renames: Mapping[str, str]
) -> tuple[ContractFault, ...]:
    """Judge one value. A null in a column may also mean that the member is absent."""
    if parsed.faults:
        return parsed.faults
    value, taken = _renamed(parsed.value, renames)
    if taken is not None:
        message = f"the record already has a member {taken!r}: rename it too, or remove this rename"
        return (ContractFault(pointer=pointer_of([taken]), keyword="rename_conflict", message=message),)
    if judge.accepts(value):
        return ()
    bare = without_nulls(batch, row)
    return () if bare is not None and judge.accepts(_renamed(bare, renames)[0]) else judge.explain(value)


def _renamed(value: Any, renames: Mapping[str, str]) -> tuple[Any, str | None]:
    return rename_members(value, renames) if renames and isinstance(value, dict) else (value, None)


def number_lines(one: tuple[Found, Sequence[RecordFault]], guard: Guard) -> list[RecordFault]:
    """Add the line number to each place. The file is read again, up to the last place."""
    found, places = one
    guard.enter("lines", -1)
    numbered: list[RecordFault] = []
    left = list(places)
    at, line = 0, 1
    for chunk in read_chunks(found.path, codec=compression_of(found.name)):
        if not left or not isinstance(chunk, bytes):
            break
        while left and left[0].offset <= at + len(chunk):
            place = left.pop(0)
            count = line + chunk.count(b"\n", 0, place.offset - at)
            numbered.append(replace(place, line=count))
        at, line = at + len(chunk), line + chunk.count(b"\n")
    guard.leave()
    return [*numbered, *left]


def _line(path: str, place: RecordFault, record: bytes | None) -> bytes:
    faults = [
        {"pointer": f.pointer, "keyword": f.keyword, "value": f.value, "limit": f.limit, "message": f.message}
        for f in place.faults
    ]
    document: dict[str, Any] = {
        "path": path,
        "ordinal": place.ordinal,
        "offset": place.offset,
        "outcome": place.outcome,
        "reason": place.reason,
        "message": place.message,
        "faults": faults,
        "record": None if record is None else record.decode("utf-8", "replace"),
    }
    return orjson.dumps(document) + b"\n"
