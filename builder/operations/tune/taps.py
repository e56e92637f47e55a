"""Stages that work as those of the recipe, and write down what a threshold would decide about.

A tap is the stage itself with one addition: it writes the rows that come to it, with their values, to a
folder in scratch. So what comes to a stage has passed all stages before it, as in a build.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RECORD
from builder.io.streams.replacing import attempt_name, replacing
from builder.operations.tune.near_runs import run_thresholds
from builder.pipeline.candidate_ids import ID, identify
from builder.stages.binding.placed import PlacedCorpusStage, PlacedStage
from builder.stages.binding.where import LANGUAGE
from builder.stages.dedup_near import DedupNear
from builder.stages.filter import Filter
from builder.stages.identification.columns import SCORE, SHARE
from builder.stages.language import Language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from builder.pipeline.chain import Chain
    from builder.protocols import Guard, Outcome, Remembered, Resources, Sketches, Texts, Threads, Verdicts
    from builder.stages.binding.placed import AnyStage

EXCERPT_CHARS = 400
"""Characters of the text of a document that are kept to be read."""

VALUE = "value."
"""What the columns with the values of signals begin with."""

AGREES = "second_detector"
"""The name of the value of `language` that says whether the second detector agrees."""

Tapped = Filter | Language | DedupNear


@dataclass(frozen=True, slots=True, kw_only=True)
class TappedFilter(Filter):
    """The stage ``filter``; writes the values of its signals."""

    folder: str
    also: tuple[str, ...] = ()

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Judge a batch after its values were written."""
        evidence = self.evidence(batch, resources=resources, also=self.also)
        write_rows(batch, evidence.values, folder=Path(self.folder), resources=resources)
        return self.decide(batch, evidence, resources=resources)


@dataclass(frozen=True, slots=True, kw_only=True)
class TappedLanguage(Language):
    """The stage ``language``; writes the languages and scores that it finds."""

    folder: str

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:
        """Identify the languages of a batch after they were written."""
        findings = self.find(batch, resources=resources)
        found = self.write_columns(batch, findings, resources=resources)
        values = {LANGUAGE: found.column(LANGUAGE), SCORE: found.column(SCORE)}
        if self.by == "paragraph":
            values[SHARE] = found.column(SHARE)
        if self.agree:
            options = {one.name: getattr(self, one.name) for one in dataclasses.fields(Language)}
            every = Language(**options | {"keep": None, "min_score": None, "unknown": "keep"})
            outcome = every.decide(batch, findings, resources=resources, guard=guard)
            values[AGREES] = _answers(batch, outcome.rejected)
        write_rows(batch, values, folder=Path(self.folder), resources=resources)
        return self.decide(batch, findings, resources=resources, guard=guard)


@dataclass(frozen=True, slots=True, kw_only=True)
class TappedNear(DedupNear):
    """The stage ``dedup_near``; writes what it would merge at each of some thresholds."""

    folder: str
    thresholds: tuple[float, ...]

    def resolve(
        self,
        sketches: Sketches,
        *,
        alive: NDArray[np.bool_],
        memory: Remembered | None,
        texts: Texts,
        threads: Threads,
    ) -> Verdicts:
        """Resolve the stage after all thresholds were tried on the same rows."""
        options = {one.name: getattr(self, one.name) for one in dataclasses.fields(DedupNear)}
        runs = run_thresholds(
            DedupNear(**options), self.thresholds, sketches, alive=alive, texts=texts, threads=threads
        )
        runs.save(Path(self.folder))
        return DedupNear.resolve(self, sketches, alive=alive, memory=memory, texts=texts, threads=threads)


def tap_chain(
    chain: Chain,
    folders: Mapping[str, Path],
    *,
    thresholds: Mapping[str, Sequence[float]],
    also: Sequence[str],
) -> Chain:
    """Return the chain with a tap in place of each stage that has a folder, by the stage's name."""

    def tap(stage: Any) -> Any:
        if stage.name not in folders:
            return stage
        folder = str(folders[stage.name])
        if isinstance(stage, (PlacedStage, PlacedCorpusStage)):
            inner: Any = _tapped(stage.stage, folder, thresholds.get(stage.name, ()), also)
            return replace(stage, stage=inner)
        return _tapped(stage, folder, thresholds.get(stage.name, ()), also)

    passes = [
        replace(one, stages=tuple(map(tap, one.stages)), barrier=tuple(map(tap, one.barrier)))
        for one in chain.passes
    ]
    return replace(chain, passes=tuple(passes))


def _tapped(stage: AnyStage, folder: str, thresholds: Sequence[float], also: Sequence[str]) -> AnyStage:
    options = {one.name: getattr(stage, one.name) for one in dataclasses.fields(stage)}  # type: ignore[arg-type]
    if isinstance(stage, Filter):
        return TappedFilter(**options, folder=folder, also=tuple(also))
    if isinstance(stage, Language):
        return TappedLanguage(**options, folder=folder)
    if isinstance(stage, DedupNear):
        return TappedNear(**options, folder=folder, thresholds=tuple(thresholds))
    return stage


def _answers(batch: pa.RecordBatch, rejected: pa.RecordBatch) -> pa.Array:
    """Return ``differs`` for the rows that the second detector rejects, and null for all others."""
    ids = pc.struct_field(batch.column(RECORD), "id")
    gone = pc.is_in(ids, value_set=pc.struct_field(rejected.column(RECORD), "id"))
    return pc.if_else(gone, pa.scalar("differs"), pa.scalar(None, pa.string()))


# -- rows -----------------------------------------------------------------------------------------


def write_rows(
    batch: pa.RecordBatch, values: Mapping[str, pa.Array], *, folder: Path, resources: Resources
) -> None:
    """Write one row for each document of a batch: where it is from, how it begins, and its values."""
    if not batch.num_rows:
        return
    roles = resources.columns
    known = identify(batch, resources=resources)
    language = values[LANGUAGE] if LANGUAGE in values else _column(batch, LANGUAGE)
    columns = {
        "record": pc.struct_field(batch.column(RECORD), "id"),
        "id": known.column(ID),
        "url": _column(batch, roles.url),
        "language": language,
        "excerpt": pc.utf8_slice_codeunits(_column(batch, roles.text), 0, EXCERPT_CHARS),
        **{f"{VALUE}{name}": column for name, column in values.items()},
    }
    for name in ("record", "url", "language", "excerpt"):
        columns[name] = columns[name].cast(pa.large_string())
    table = pa.RecordBatch.from_pydict(columns)
    with (
        replacing(folder / f"{attempt_name()}.arrow") as path,
        pa.OSFile(str(path), "wb") as file,
        pa.ipc.new_file(file, table.schema) as writer,
    ):
        writer.write_batch(table)


def _column(batch: pa.RecordBatch, name: str | None) -> pa.Array:
    """Return a column of texts; nulls if the batch does not have it."""
    if name not in batch.schema.names:
        return pa.nulls(batch.num_rows, pa.string())
    column = batch.column(name)
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column if is_text else pa.nulls(batch.num_rows, pa.string())


def read_tapped(folder: Path) -> pa.Table | None:
    """Read all rows of a folder in the order of their records; None without a row.

    A batch that a worker did twice, because it died, has its rows once.
    """
    tables = [pa.ipc.open_file(pa.OSFile(str(path))).read_all() for path in sorted(folder.glob("*.arrow"))]
    if not tables:
        return None
    table = pa.concat_tables(tables, promote_options="permissive").combine_chunks()
    records = table["record"].to_numpy()
    _, first = np.unique(records, return_index=True)
    return table.take(pa.array(first))
