"""``validate``: judge the records of any file that a build reads by any JSON Schema."""

from __future__ import annotations

import dataclasses
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from builder.domain.addresses import mask_values, public_address
from builder.domain.contract.idle_keywords import find_idle_keywords
from builder.domain.fault_groups import FaultTally
from builder.domain.progress import ignore_progress
from builder.engines.local import LocalEngine
from builder.errors import BuilderError, Fault
from builder.io.contracts import Schema, load_schema
from builder.io.streams.address import is_local
from builder.io.streams.paths import Found, find_inputs
from builder.operations.judging import MAX_PLACES, JudgePart, RecordFault, Tally, number_lines, source_of
from builder.pipeline.preload import JUDGING
from builder.progress.shown import shows_progress
from builder.recipe import Recipe
from builder.recipe.one_or_more import OneOrMore, as_texts
from builder.recipe.secrets import hidden_variables
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from builder.domain.fault_groups import FaultGroup
    from builder.domain.progress import Progress
    from builder.protocols import Source, Task

_SMALL_BYTES = 16 << 20
"""Total input bytes up to which judging in this process is faster than starting workers."""

_WITH_LINES = ("jsonl", "csv")
"""Sources whose records are lines, and whose offsets are bytes."""


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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Validation(Summarised):
    """The counts of all files.

    ``n_records`` = ``n_valid`` + ``n_rejected`` (read, but not valid) + ``n_failed`` (could not be read).
    ``n_not_pages`` are records of archives that are not pages; they are not judged. ``reasons`` counts
    records by the reason of their first fault, ``contract_faults`` by each rule and place. ``warnings`` are
    keywords and formats of the contract that do nothing.
    """

    contract: str
    digest: str
    n_records: int
    n_valid: int
    n_rejected: int
    n_failed: int
    n_not_pages: int
    reasons: Mapping[str, int]
    contract_faults: tuple[FaultGroup, ...]
    warnings: tuple[Fault, ...]
    files: tuple[FileVerdict, ...]

    @property
    def is_valid(self) -> bool:
        """Whether all records meet the contract."""
        return self.n_valid == self.n_records

    def _summary(self) -> dict[str, object]:
        return {
            "contract": self.contract,
            "records": self.n_records,
            "valid": self.n_valid,
            "rejected": self.n_rejected,
            "failed": self.n_failed,
            "reasons": dict(self.reasons),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file (or dataset), the source that reads it, and its path without secrets."""

    found: Found
    source: Source
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One task of a file; parts of all files have consecutive numbers."""

    file: int
    job: tuple[int, Source, Task]


@shows_progress(compiles=True)
def validate(
    files: OneOrMore[str | Path] = (),
    *,
    contract: str | None = None,
    recipe: Recipe | str | Path | None = None,
    schemas: OneOrMore[str | Path] = (),
    rejected: str | Path | None = None,
    workers: int | None = None,
    progress: bool = True,  # noqa: ARG001 - the decorator reads it
    advance: Progress = ignore_progress,
) -> Validation:
    """Judge every record of some files by a contract.

    A file is read by the source for its name, as in a build: ``.json`` is one record, and each row of a
    ``.parquet`` or ``.csv`` file, each line of a ``.jsonl`` file and each page of an archive is one. A file
    with another name is read as lines of JSON if it begins like one. A record may be any JSON value. The
    schema need not have an Arrow mapping. References are looked up in the schema, below its folder, and in
    the folders ``schemas``; nothing is downloaded.

    Args:
        files: paths, folders or globs, local or on any fsspec file system.
        contract: a built-in contract, or the path of a JSON Schema.
        recipe: in place of files and contract: judge all inputs of a recipe by its contract, with the options
            of its sources.
        rejected: a JSONL file to write, with one line for each record that is not valid: ``path``,
            ``ordinal``, ``offset``, ``outcome``, ``reason``, ``faults``, and the original ``record``.
        workers: number of worker processes for large or compressed files; default: one for each core.
        progress: show progress in a terminal and in a notebook.
        advance: receives the progress in place of the display.

    Raises:
        ContractError: if the contract is not a valid schema, or one of its references cannot be resolved.
        RecipeError: if a file does not exist or has a format that is not read.

    >>> validate("my-corpus/pages/*.jsonl", contract="page-1").n_rejected
    1
    """
    if (recipe is None) == (contract is None) or (recipe is not None and files):
        raise BuilderError("name files and a contract, or a recipe alone")
    if isinstance(recipe, (str, Path)):  # its stages do not run, so none of its code is imported
        recipe = Recipe.load(recipe, schemas=schemas, allow_code=True)
    if recipe is None:
        loaded = load_schema(
            contract or "", folder=Path.cwd(), schemas=[Path(folder) for folder in as_texts(schemas)]
        )
        return _validate(
            _named_files(as_texts(files)), loaded, rejected=rejected, workers=workers, advance=advance
        )
    with hidden_variables(recipe.variables):
        return _validate(
            _files_of(recipe), _schema_of(recipe), rejected=rejected, workers=workers, advance=advance
        )


def _validate(
    units: Sequence[_File],
    loaded: Schema,
    *,
    rejected: str | Path | None,
    workers: int | None,
    advance: Progress,
) -> Validation:
    if rejected is not None:
        _make_writable(Path(rejected))
    with (
        LocalEngine(workers=workers, preload=JUDGING, on_progress=_counter(advance)) as engine,
        tempfile.TemporaryDirectory(prefix="builder-") as folder,
    ):
        if sum(one.found.size_bytes for one in units) > _SMALL_BYTES:
            engine.start()
        job = JudgePart(
            schema=loaded,
            renames={one.source.label: getattr(one.source, "rename", {}) for one in units},
            shown={one.found.path: one.shown for one in units if one.shown != one.found.path},
            folder=folder if rejected is not None else None,
        )
        parts = _parts(units)
        untrusted = any(one.source.untrusted for one in units)
        tallies = list(engine.map(job, [part.job for part in parts], untrusted=untrusted))
        firsts = _first_ordinals(parts, tallies)
        if rejected is not None:
            _gather_rejected(Path(folder), Path(rejected), firsts)
        by_file = _by_file(units, parts, tallies, firsts)
        asked = [
            (one.found, tally.places if one.source.kind in _WITH_LINES else [])
            for one, tally in zip(units, by_file, strict=True)
        ]
        numbered = list(engine.map(number_lines, asked, untrusted=untrusted))
    verdicts = tuple(
        _verdict(one.shown, tally, places or tally.places)
        for one, tally, places in zip(units, by_file, numbered, strict=True)
    )
    return _validation(loaded, verdicts, by_file)


def _counter(advance: Progress) -> Callable[[int, int], None]:
    """Return a function that receives what was judged since its last call, and reports the sum."""
    n_records = 0

    def count(more_records: int, more_bytes: int) -> None:  # noqa: ARG001 - the engine passes both
        nonlocal n_records
        n_records += more_records
        advance("judge", done=n_records, total=0, unit="records")

    return count


def _validation(loaded: Schema, verdicts: tuple[FileVerdict, ...], by_file: Sequence[Tally]) -> Validation:
    faults = FaultTally()
    for tally in by_file:
        faults.merge(tally.faults)
    return Validation(
        contract=f"{loaded.name}-{loaded.major}",
        digest=loaded.digest,
        n_records=sum(verdict.n_records for verdict in verdicts),
        n_valid=sum(verdict.n_valid for verdict in verdicts),
        n_rejected=sum(verdict.n_rejected for verdict in verdicts),
        n_failed=sum(verdict.n_failed for verdict in verdicts),
        n_not_pages=sum(tally.n_not_pages for tally in by_file),
        reasons=_by_count(sum((Counter(tally.reasons) for tally in by_file), Counter())),
        contract_faults=tuple(faults.groups()),
        warnings=tuple(find_idle_keywords(loaded.schema, loaded.documents)),
        files=verdicts,
    )


def _schema_of(recipe: Recipe) -> Schema:
    contract = recipe.contract
    return Schema(
        name=contract.name,
        major=contract.major,
        schema=contract.schema,
        documents=contract.documents,
        digest=contract.digest,
    )


def _named_files(patterns: Sequence[str]) -> list[_File]:
    found = dict.fromkeys(one for pattern in patterns for one in find_inputs(pattern))
    return [_File(found=one, source=source_of(one), shown=one.path) for one in found]


def _files_of(recipe: Recipe) -> list[_File]:
    """List the files of a recipe, each with its source. Other inputs, such as a dataset, are one file."""
    units: list[_File] = []
    for source in recipe.sources:
        if not getattr(source, "suffixes", ()):
            path = str(getattr(source, "path", source.label))
            shown = _public(path, recipe)
            units.append(_File(found=Found(path=path, name=path, size_bytes=0), source=source, shown=shown))
            continue
        for one in source.inputs():
            alone = dataclasses.replace(source, path=one.path, name=source.label)  # type: ignore[type-var]
            found = Found(path=one.path, name=one.name, size_bytes=one.size_bytes)
            units.append(_File(found=found, source=alone, shown=_public(one.path, recipe)))
    return units


def _public(path: str, recipe: Recipe) -> str:
    """Return a path without the secrets of its address and without the values of variables."""
    return mask_values(path if is_local(path) else public_address(path), recipe.variables)


def _parts(units: Sequence[_File]) -> list[_Part]:
    """List the tasks of all files, with consecutive numbers."""
    tasks = [(file, unit.source, task) for file, unit in enumerate(units) for task in unit.source.tasks()]
    return [_Part(file=file, job=(number, source, task)) for number, (file, source, task) in enumerate(tasks)]


def _first_ordinals(parts: Sequence[_Part], tallies: Sequence[Tally]) -> list[int]:
    """Return, for each part, how many records of its file come before it."""
    before: Counter[int] = Counter()
    firsts = []
    for part, tally in zip(parts, tallies, strict=True):
        firsts.append(before[part.file])
        before[part.file] += tally.n_records + tally.n_not_pages
    return firsts


def _by_file(
    units: Sequence[_File], parts: Sequence[_Part], tallies: Sequence[Tally], firsts: Sequence[int]
) -> list[Tally]:
    """Add up the parts of each file, and number its records over the whole file."""
    files = [Tally() for _ in units]
    for part, tally, first in zip(parts, tallies, firsts, strict=True):
        whole = files[part.file]
        whole.n_records += tally.n_records
        whole.n_not_pages += tally.n_not_pages
        whole.outcomes += tally.outcomes
        whole.reasons += tally.reasons
        whole.faults.merge(tally.faults)
        room = MAX_PLACES - len(whole.places)
        whole.places += [replace(place, ordinal=first + place.ordinal) for place in tally.places[:room]]
    return files


def _verdict(path: str, tally: Tally, places: Iterable[RecordFault]) -> FileVerdict:
    return FileVerdict(
        path=path,
        n_records=tally.n_records,
        n_valid=tally.n_records - tally.outcomes.total(),
        n_rejected=tally.outcomes["rejected"],
        n_failed=tally.outcomes["failed"],
        reasons=_by_count(tally.reasons),
        places=tuple(places),
    )


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
