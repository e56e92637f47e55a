"""``validate``: judge the records of JSONL, JSON or Parquet files by any JSON Schema."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from builder.engines.local import LocalEngine
from builder.errors import BuilderError, Fault
from builder.io.contracts import load_schema
from builder.io.streams.paths import find_inputs
from builder.io.streams.streams import compression_of
from builder.operations.judging import MAX_PLACES, JudgePart, RecordFault, Tally, number_lines, source_of
from builder.pipeline.preload import JUDGING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from builder.io.streams.paths import Found
    from builder.protocols import Source, Task

_SMALL_BYTES = 16 << 20
"""Total input bytes up to which judging in this process is faster than starting workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVerdict:
    """The counts of one file. ``places`` are its first faulty records."""

    path: str
    n_records: int
    n_valid: int
    n_rejected: int
    n_failed: int
    reasons: Mapping[str, int]
    places: tuple[RecordFault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """The counts of all files.

    ``n_records`` = ``n_valid`` + ``n_rejected`` (read, but not valid) + ``n_failed`` (could not be read).
    ``reasons`` counts records by the reason of their first fault.
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
    workers: int | None = None,
) -> Validation:
    """Judge every record of some files by a contract.

    A ``.json`` file is one record, each row of a ``.parquet`` file is a record, and each line of any other
    file is a record. A record may be any JSON value. The schema need not have an Arrow mapping. References
    are looked up in the schema, below its folder, and in the folders ``schemas``; nothing is downloaded.

    Args:
        files: paths, folders or globs, local or on any fsspec file system.
        contract: a built-in contract, or the path of a JSON Schema.
        rejected: a JSONL file to write, with one line for each record that is not valid: ``path``,
            ``ordinal``, ``offset``, ``outcome``, ``reason``, ``faults``, and the original ``record``.
        workers: number of worker processes for large or compressed files; default: one for each core.

    Raises:
        ContractError: if the contract is not a valid schema, or one of its references cannot be resolved.
        RecipeError: if a file does not exist.
    """
    loaded = load_schema(contract, folder=Path.cwd(), schemas=[Path(folder) for folder in schemas])
    found = list(dict.fromkeys(one for pattern in files for one in find_inputs(pattern)))
    if rejected is not None:
        _make_writable(Path(rejected))
    engine = LocalEngine(workers=workers, preload=JUDGING)
    with engine, tempfile.TemporaryDirectory(prefix="builder-") as folder:
        if sum(one.size_bytes for one in found) > _SMALL_BYTES:
            engine.start()
        job = JudgePart(schema=loaded, folder=folder if rejected is not None else None)
        parts = _parts(found)
        untrusted = any(source.untrusted for _, source, _ in parts)
        tallies = list(engine.map(job, parts, untrusted=untrusted))
        firsts = _first_ordinals(parts, tallies)
        if rejected is not None:
            _gather_rejected(Path(folder), Path(rejected), firsts)
        by_file = _by_file(parts, tallies, firsts)
        asked = [(one, tally.places) for one, tally in zip(found, by_file, strict=True)]
        lined = [pair if _has_lines(pair[0]) else (pair[0], []) for pair in asked]
        numbered = list(engine.map(number_lines, lined, untrusted=untrusted))
    verdicts = tuple(
        _verdict(one, tally, places or tally.places)
        for one, tally, places in zip(found, by_file, numbered, strict=True)
    )
    return Validation(
        contract=f"{loaded.name}-{loaded.major}",
        digest=loaded.digest,
        n_records=sum(verdict.n_records for verdict in verdicts),
        n_valid=sum(verdict.n_valid for verdict in verdicts),
        n_rejected=sum(verdict.n_rejected for verdict in verdicts),
        n_failed=sum(verdict.n_failed for verdict in verdicts),
        reasons=_by_count(sum((Counter(tally.reasons) for tally in by_file), Counter())),
        files=verdicts,
    )


def _parts(found: Sequence[Found]) -> list[tuple[int, Source, Task]]:
    """List the tasks of all files, with consecutive numbers."""
    tasks = [(source, task) for source in map(source_of, found) for task in source.tasks()]
    return [(number, source, task) for number, (source, task) in enumerate(tasks)]


def _first_ordinals(parts: Sequence[tuple[int, Source, Task]], tallies: Sequence[Tally]) -> list[int]:
    """Return, for each part, how many records of its file come before it."""
    before: Counter[str] = Counter()
    firsts = []
    for (_, _, task), tally in zip(parts, tallies, strict=True):
        firsts.append(before[task.path])
        before[task.path] += tally.n_records
    return firsts


def _by_file(
    parts: Sequence[tuple[int, Source, Task]], tallies: Sequence[Tally], firsts: Sequence[int]
) -> list[Tally]:
    """Add up the parts of each file, and number its records over the whole file."""
    files: dict[str, Tally] = {}
    for (_, _, task), tally, first in zip(parts, tallies, firsts, strict=True):
        whole = files.setdefault(task.path, Tally())
        whole.n_records += tally.n_records
        whole.outcomes += tally.outcomes
        whole.reasons += tally.reasons
        room = MAX_PLACES - len(whole.places)
        whole.places += [replace(place, ordinal=first + place.ordinal) for place in tally.places[:room]]
    return list(files.values())


def _verdict(found: Found, tally: Tally, places: Iterable[RecordFault]) -> FileVerdict:
    return FileVerdict(
        path=found.path,
        n_records=tally.n_records,
        n_valid=tally.n_records - tally.outcomes.total(),
        n_rejected=tally.outcomes["rejected"],
        n_failed=tally.outcomes["failed"],
        reasons=_by_count(tally.reasons),
        places=tuple(places),
    )


def _has_lines(found: Found) -> bool:
    name = found.name.lower()
    stem = name.rpartition(".")[0] if compression_of(name) else name
    return not stem.endswith((".json", ".parquet"))


def _gather_rejected(folder: Path, output: Path, firsts: Sequence[int]) -> None:
    """Concatenate the faulty records of all parts, numbered by file."""
    with output.open("wb") as out:
        for number, first in enumerate(firsts):
            part = folder / f"{number}.jsonl"
            if not part.exists():
                continue
            with part.open("rb") as lines:
                for line in lines:
                    document = orjson.loads(line)
                    document["ordinal"] += first
                    out.write(orjson.dumps(document) + b"\n")


def _make_writable(path: Path) -> None:
    """Stop before anything is read if the output cannot be written."""
    try:
        path.open("w").close()
    except OSError as error:
        raise BuilderError(Fault(where=str(path), what=f"cannot be written: {error.strerror}")) from None


def _by_count(reasons: Counter[str]) -> dict[str, int]:
    return dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
