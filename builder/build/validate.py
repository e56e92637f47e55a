"""Any JSONL, JSON or Parquet file against any JSON Schema, with or without an Arrow mapping."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import orjson

from builder.domain.exact_json import Broken
from builder.domain.incoming import as_it_came, incoming_values, without_nulls
from builder.domain.judge import Judge
from builder.domain.record import RECORD
from builder.domain.shaper import shape_of_schema
from builder.errors import BuilderError, Fault
from builder.io.contracts import load_schema
from builder.io.paths import find_inputs
from builder.io.streams import codec_of, read_chunks
from builder.registry import source_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from builder.domain.exact_json import Parsed
    from builder.domain.rejection import ContractFault
    from builder.domain.shape import Shape
    from builder.io.paths import Found
    from builder.protocols import Reading, Source

BATCH_ROWS = 1_000

MAX_PLACES = 20
"""Records of one file whose faults are told; all are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A record that does not meet the contract, or could not be read.

    ``ordinal`` counts the records of the file from 0. ``offset`` is in bytes of the decompressed file, or a
    row number for Parquet; ``line`` counts from 1 and is None where a format has no lines.
    """

    ordinal: int
    offset: int
    line: int | None
    outcome: str
    reason: str
    message: str | None
    faults: tuple[ContractFault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerdict:
    """What was found in one file; ``places`` are the first of its faulty records."""

    path: str
    n_records: int
    n_valid: int
    n_rejected: int
    n_failed: int
    reasons: Mapping[str, int]
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What was found in all files.

    ``n_records`` = ``n_valid`` + ``n_rejected`` (read, but against the contract) + ``n_failed`` (not to be
    read). ``reasons`` counts records by the reason of their first fault.
    """

    contract: str
    digest: str
    n_records: int
    n_valid: int
    n_rejected: int
    n_failed: int
    reasons: Mapping[str, int]
    files: tuple[FileVerdict, ...]

    @property
    def is_valid(self) -> bool:
        """Whether all records meet the contract."""
        return self.n_valid == self.n_records


def validate(
    files: Sequence[str],
    *,
    contract: str,
    schemas: Sequence[str | Path] = (),
    rejected: str | Path | None = None,
) -> Validation:
    """Judge every record of some files by a contract.

    A ``.json`` file is one document, a ``.parquet`` file has rows, any other has a document a line; what is
    judged is any JSON value. The schema need not have an Arrow mapping. References are looked up in the
    schema, below its folder, and in the folders ``schemas``; nothing is fetched.

    Args:
        files: paths, folders or globs, local or of any fsspec address.
        contract: a built-in contract, or the path of a JSON Schema.
        rejected: a JSONL file to be written, one line for each record that is not valid: ``path``,
            ``ordinal``, ``offset``, ``outcome``, ``reason``, ``faults``, and ``record`` as it came.

    Raises:
        ContractError: if the contract is no schema, or a reference of it cannot be resolved.
        RecipeError: if a file is not there.
    """
    loaded = load_schema(contract, folder=Path.cwd(), schemas=[Path(folder) for folder in schemas])
    shape = shape_of_schema(loaded.schema, loaded.documents)
    judge = Judge(loaded.schema, loaded.documents)
    found = [one for pattern in files for one in find_inputs(pattern)]
    with ExitStack() as stack:
        out = None if rejected is None else stack.enter_context(_open_rejected(Path(rejected)))
        verdicts = tuple(judge_file(one, judge=judge, shape=shape, rejected=out) for one in found)
    reasons: Counter[str] = Counter()
    for verdict in verdicts:
        reasons.update(verdict.reasons)
    return Validation(
        contract=f"{loaded.name}-{loaded.major}",
        digest=loaded.digest,
        n_records=sum(verdict.n_records for verdict in verdicts),
        n_valid=sum(verdict.n_valid for verdict in verdicts),
        n_rejected=sum(verdict.n_rejected for verdict in verdicts),
        n_failed=sum(verdict.n_failed for verdict in verdicts),
        reasons=_by_count(reasons),
        files=verdicts,
    )


def judge_file(found: Found, *, judge: Judge, shape: Shape, rejected: TextIO | None = None) -> FileVerdict:
    """Judge one file; needs nothing of the others, so files can be judged side by side."""
    tally = _Tally()
    source = source_of(found)
    for task in source.tasks():
        first = tally.n_records
        for reading in source.read(task, guard=NoGuard(), batch_rows=BATCH_ROWS):
            for place, record in _faulty(reading, judge=judge, shape=shape, first=first):
                tally.add(place)
                if rejected is not None:
                    rejected.write(_line(found.path, place, record))
            tally.n_records += reading.n_records
    places = _with_lines(found, tally.places) if source.kind == "jsonl" else tally.places
    return FileVerdict(
        path=found.path,
        n_records=tally.n_records,
        n_valid=tally.n_records - tally.outcomes.total(),
        n_rejected=tally.outcomes["rejected"],
        n_failed=tally.outcomes["failed"],
        reasons=_by_count(tally.reasons),
        places=tuple(places),
    )


def source_of(found: Found) -> Source:
    """Choose the source that reads a file, by its name."""
    name = found.name.lower()
    if codec_of(name) is not None:
        name = name.rpartition(".")[0]
    kind = "json" if name.endswith(".json") else "parquet" if name.endswith(".parquet") else "jsonl"
    source: Source = source_class(kind)(path=found.path)
    return source


class NoGuard:
    """Stands where an engine's guard would: whoever validates a file by hand sees what becomes of it."""

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> None:
        """Note nothing."""

    def tick(self, n_records: int, n_bytes: int) -> None:
        """Note nothing."""

    def leave(self) -> None:
        """Note nothing."""


@dataclass(slots=True)
class _Tally:
    n_records: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    places: list[Place] = field(default_factory=list)

    def add(self, place: Place) -> None:
        self.outcomes[place.outcome] += 1
        self.reasons[place.reason] += 1
        if len(self.places) < MAX_PLACES:
            self.places.append(place)


def _faulty(
    reading: Reading, *, judge: Judge, shape: Shape, first: int
) -> Iterator[tuple[Place, bytes | None]]:
    """Give the records of a reading that are not valid, in order.

    Args:
        first: records of the file before this task.
    """
    found = [*_unread(reading.rejected, first), *_invalid(reading.batch, judge, shape, first)]
    yield from sorted(found, key=lambda one: one[0].ordinal)


def _unread(rejected: pa.RecordBatch, first: int) -> Iterator[tuple[Place, bytes | None]]:
    for row in rejected.to_pylist():
        place = Place(
            ordinal=first + row[RECORD]["ordinal"],
            offset=row[RECORD]["offset"],
            line=None,
            outcome=row["outcome"],
            reason=row["reason"],
            message=row["message"],
            faults=(),
        )
        yield place, row["record"]


def _invalid(
    batch: pa.RecordBatch, judge: Judge, shape: Shape, first: int
) -> Iterator[tuple[Place, bytes | None]]:
    for row, incoming in enumerate(incoming_values(batch, shape)):
        faults = () if isinstance(incoming, Broken) else _faults(incoming, batch, row, judge)
        if not faults and not isinstance(incoming, Broken):
            continue
        record = batch.column(RECORD)[row].as_py()
        place = Place(
            ordinal=first + record["ordinal"],
            offset=record["offset"],
            line=None,
            outcome="failed" if isinstance(incoming, Broken) else "rejected",
            reason=incoming.reason if isinstance(incoming, Broken) else faults[0].keyword,
            message=incoming.message if isinstance(incoming, Broken) else faults[0].message,
            faults=faults,
        )
        yield place, as_it_came(batch, row)


def _faults(parsed: Parsed, batch: pa.RecordBatch, row: int, judge: Judge) -> tuple[ContractFault, ...]:
    """Judge one value; a null of a column may as well be an absent member."""
    if parsed.faults or judge.accepts(parsed.value):
        return parsed.faults
    bare = without_nulls(batch, row)
    return () if bare is not None and judge.accepts(bare) else judge.explain(parsed.value)


def _with_lines(found: Found, places: Sequence[Place]) -> list[Place]:
    """Count line ends up to each place; reads the file again, as far as the last of them."""
    numbered: list[Place] = []
    left = list(places)
    at, line = 0, 1
    for chunk in read_chunks(found.path, codec=codec_of(found.name)):
        if not left or not isinstance(chunk, bytes):
            break
        while left and left[0].offset <= at + len(chunk):
            place = left.pop(0)
            count = line + chunk.count(b"\n", 0, place.offset - at)
            numbered.append(replace(place, line=count))
        at, line = at + len(chunk), line + chunk.count(b"\n")
    return [*numbered, *left]


def _line(path: str, place: Place, record: bytes | None) -> str:
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
    return orjson.dumps(document).decode() + "\n"


def _open_rejected(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise BuilderError(Fault(where=str(path), what=f"cannot be written: {error.strerror}")) from None


def _by_count(reasons: Counter[str]) -> dict[str, int]:
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
