"""Resolve barriers: each corpus stage decides in turn, and its verdicts are traced to the first spool."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.domain.row_numbers import (
    NO_ROW,
    BarrierOrMemory,
    BarrierOrPast,
    FirstOrPast,
    PastRows,
    decode_old,
    encode_old,
    trace_to_first,
)
from builder.domain.url import URL_RULES
from builder.engines.threads import LocalThreads
from builder.errors import BuilderError, Fault, WorkerDiedError
from builder.history.index import write_arrow
from builder.io.streams.replacing import save_array
from builder.pipeline.judgements import NotedFiles, refused_rows_of, save_judgements
from builder.pipeline.preload import load_compiler
from builder.pipeline.spool import Spool, StageSketches, row_numbers
from builder.pipeline.stage_errors import blame_stage
from builder.pipeline.tombstone_filter import find_tombstoned
from builder.protocols import Verdicts
from builder.stages.binding.placed import joins_notes, tags_clusters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from builder.domain.row_numbers import FirstRows
    from builder.history.past import Past
    from builder.pipeline.tombstones import Tombstones
    from builder.protocols import CorpusStage, Engine, Guard, Remembered

SEGMENT, BARRED = ".index.arrow", "barred.npy"

MEMORY_KEEPERS, PAST_KEEPERS = ".memory-keepers.npy", ".past-keepers.npy"
"""Suffixes of two files of keepers: BarrierOrMemory, as a stage returns them, and BarrierOrPast."""

_SEGMENT_ROWS = 1 << 16

MANY_ROWS = 500_000
"""Above this number of rows, a corpus stage runs alone and may use the memory of all workers."""


@dataclass(frozen=True)
class Merges:
    """The merges of all barriers, by rows of the first spool.

    Attributes:
        into: int64[n_rows], the row or past row that a row was compared with and merged into; -1 if it was
            not merged.
        similarity: float64[n_rows], the similarity of that pair; NaN if it was not measured.
        by: int16[n_rows], the position of the merging stage in ``stages`` and ``reasons``; -1 if not merged.
        replaces: int64[n_rows], the past row of the same page in an earlier version, if this row is a newer
            fetch of it; -1 if not.
        replacers: names of the stages that can replace past rows.
    """

    into: FirstOrPast
    similarity: NDArray[np.float64]
    by: NDArray[np.int16]
    replaces: PastRows
    stages: list[str]
    reasons: list[str]
    replacers: list[str]

    @classmethod
    def none(cls, n_rows: int) -> Merges:
        """Return the state before the first barrier."""
        size = max(n_rows, 1)  # an empty build has a ledger too, which looks up row number 0
        return cls(
            into=FirstOrPast(np.full(size, NO_ROW, np.int64)),
            similarity=np.full(size, np.nan),
            by=np.full(size, -1, np.int16),
            replaces=PastRows(np.full(size, NO_ROW, np.int64)),
            stages=[],
            reasons=[],
            replacers=[],
        )

    def note(self, stage: str, verdicts: PastVerdicts, *, rows: FirstRows) -> None:
        """Record the merges of one stage; ``rows`` are the first spool's numbers of the barrier's rows."""
        keeper = verdicts.keeper
        merged = np.flatnonzero((keeper != NO_ROW) & (keeper != np.arange(len(rows))))
        self.into[rows[merged]] = trace_to_first(BarrierOrPast(keeper[merged]), rows)
        self.similarity[rows[merged]] = verdicts.similarity[merged]
        self.by[rows[merged]] = len(self.stages)
        if verdicts.replaces is not None:
            taken = np.flatnonzero(verdicts.replaces >= 0)
            self.replaces[rows[taken]] = verdicts.replaces[taken]
            self.replacers.append(stage)
        self.stages.append(stage)
        self.reasons.append(verdicts.reason)

    @property
    def replacer(self) -> str:
        """The name of the first stage that can replace past rows."""
        return self.replacers[0] if self.replacers else "dedup_url"

    @property
    def replaced(self) -> PastRows:
        """Past rows whose page was fetched again, ascending; later stages do not compare with them."""
        return PastRows(np.unique(self.replaces[self.replaces >= 0]))

    @cached_property
    def last(self) -> FirstOrPast:
        """int64[n_rows], the end of each row's chain of merges; the row itself if it was not merged."""
        last = np.where(self.into >= 0, self.into, np.arange(len(self.into)))
        while (last != (further := last[last])).any():
            last = further
        is_old, _ = decode_old(self.into[last])
        return FirstOrPast(np.where(is_old, self.into[last], last))


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVerdicts:
    """The verdicts of a stage, with past rows in place of rows of the stage's memory.

    All stages of a barrier share the numbers of past rows.
    """

    keeper: BarrierOrPast
    similarity: NDArray[np.float64]
    reason: str
    replaces: PastRows | None


def resolve_barrier(
    spool: Spool,
    barrier: Sequence[CorpusStage],
    *,
    engine: Engine,
    folder: Path,
    merges: Merges,
    past: Past | None = None,
    tombstones: Tombstones | None = None,
    url_rules: int = URL_RULES,
    noted: NotedFiles | None = None,
) -> list[Path]:
    """Resolve each corpus stage of a barrier in turn, over the rows that the stage before has kept.

    Each stage gets a file of keepers, int64[n_rows], and its segment of the index, which later versions need.
    Tombstoned rows reach no stage; ``barred.npy`` lists them.

    Returns:
        The files of keepers, one for each stage.
    """
    if tombstones:
        load_compiler()
    folder.mkdir(parents=True, exist_ok=True)
    alive = np.ones(spool.n_rows, np.bool_)
    tombstoned = np.zeros(spool.n_rows, np.bool_)
    numbers = row_numbers(spool)
    files = []
    for stage in barrier:
        if tombstones:
            sketches = StageSketches(spool, stage.name)
            tombstoned |= find_tombstoned(
                tombstones, stage, sketches, alive=alive, texts=spool, url_rules=url_rules
            )
            alive &= ~tombstoned
        joins = joins_notes(stage)
        memory = past.excluding(merges.replaced).stage(stage.name) if past and not joins else None
        resolved = _resolve_stage(
            stage, spool, alive=alive, memory=memory, engine=engine, folder=folder, noted=noted
        )
        verdicts = with_past_rows(resolved, memory.rows if memory else PastRows(np.empty(0, np.int64)))
        if joins:
            alive[refused_rows_of(folder, stage.name)] = False
        elif not tags_clusters(stage):
            merges.note(stage.name, verdicts, rows=numbers)
            alive &= (verdicts.keeper == NO_ROW) | (verdicts.keeper == np.arange(spool.n_rows))
        files.append(save_array(folder / f"{stage.name}{PAST_KEEPERS}", verdicts.keeper))
    save_array(folder / BARRED, tombstoned)
    return files


def _resolve_stage(
    stage: CorpusStage,
    spool: Spool,
    *,
    alive: NDArray[np.bool_],
    memory: Remembered | None,
    engine: Engine,
    folder: Path,
    noted: NotedFiles | None,
) -> Verdicts:
    """Resolve one stage in a worker, if the engine has workers: they have loaded the kernels."""
    resolution = Resolution(
        spool=spool,
        alive=str(save_array(folder / "alive.npy", alive)),
        folder=str(folder),
        memory=memory,
        n_threads=engine.threads,
        noted=noted,
    )
    if spool.n_rows > MANY_ROWS:
        reason = _resolve_alone(engine, resolution, stage)
    else:
        (reason,) = engine.map(resolution, [stage])
    replaces = folder / f"{stage.name}.replaces.npy"
    return Verdicts(
        keeper=np.load(folder / f"{stage.name}{MEMORY_KEEPERS}"),
        similarity=np.load(folder / f"{stage.name}.similarity.npy"),
        reason=reason,
        replaces=np.load(replaces) if replaces.exists() else None,
    )


def _resolve_alone(engine: Engine, resolution: Resolution, stage: CorpusStage) -> str:
    """Resolve a stage with the memory of all workers.

    Raises:
        BuilderError: if the worker dies, which usually means that the memory was not enough.
    """
    try:
        return engine.alone(resolution, stage)
    except WorkerDiedError as error:
        what = f"the worker that compares {resolution.spool.n_rows:,} rows has died"
        advice = "it probably needs more memory: raise --max-memory; finished parts are kept"
        raise BuilderError(Fault(where=stage.name, what=what, advice=advice)) from error


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """Resolves a corpus stage in a worker.

    Attributes:
        alive: file of bool[n_rows], the rows that the stages before have kept.
        folder: the folder for verdicts and for the stage's segment of the index.
        n_threads: threads that the stage may use; no other worker has work meanwhile.
    """

    spool: Spool
    alive: str
    folder: str
    memory: Remembered | None
    n_threads: int = 1
    noted: NotedFiles | None = None

    def __call__(self, stage: CorpusStage, guard: Guard) -> str:  # noqa: ARG002 - engines pass one
        """Resolve the stage, write its verdicts to files, and return its reason."""
        verdicts = self.decide(stage)
        save_array(Path(self.folder) / f"{stage.name}{MEMORY_KEEPERS}", verdicts.keeper)
        save_array(Path(self.folder) / f"{stage.name}.similarity.npy", verdicts.similarity)
        if verdicts.replaces is not None:
            save_array(Path(self.folder) / f"{stage.name}.replaces.npy", verdicts.replaces)
        return verdicts.reason

    def decide(self, stage: CorpusStage) -> Verdicts:
        """Return the verdicts of the stage, and write its segment of the index."""
        load_compiler()  # workers have it already
        sketches = StageSketches(self.spool, stage.name)
        threads = LocalThreads(self.n_threads)
        if joins_notes(stage):
            stage = stage.with_noted(self.noted or NotedFiles(()))  # type: ignore[attr-defined]
        with blame_stage(stage):
            verdicts = stage.resolve(
                sketches, alive=np.load(self.alive), memory=self.memory, texts=self.spool, threads=threads
            )
        sketches.release()
        save_judgements(Path(self.folder), stage.name, verdicts, first_rows=row_numbers(self.spool))
        write_segment(Path(self.folder) / f"{stage.name}{SEGMENT}", stage, self.spool, verdicts)
        return verdicts


def write_segment(path: Path, stage: CorpusStage, spool: Spool, verdicts: Verdicts) -> None:
    """Write the segment of a stage, some parts at a time; its rows are numbers of the first spool."""
    path.parent.mkdir(parents=True, exist_ok=True)
    segments = _segments(stage, spool, verdicts)
    first = next(segments)
    write_arrow(path, first.schema, chain([first], segments))


def _segments(stage: CorpusStage, spool: Spool, verdicts: Verdicts) -> Iterator[pa.Table]:
    """Yield at least one table, which is empty if no row is remembered."""
    numbers = row_numbers(spool)
    for some, first_row in spool.in_pieces(_SEGMENT_ROWS):
        rows = slice(first_row, first_row + some.n_rows)
        segment = stage.remember(StageSketches(some, stage.name), _verdicts_of(verdicts, rows))
        at = segment.schema.get_field_index("row")
        own = pa.array(numbers[rows][segment["row"].to_numpy()], pa.int64())
        yield segment.set_column(at, "row", own).combine_chunks()
        some.release()


def _verdicts_of(verdicts: Verdicts, rows: slice) -> Verdicts:
    """Return the verdicts on some rows, numbered from 0; a row that is not its own keeper gets no keeper."""
    keeper: NDArray[np.int64] = verdicts.keeper[rows]
    stays = keeper == np.arange(rows.start, rows.stop)
    keeper = BarrierOrMemory(np.where(stays, np.arange(len(keeper)), NO_ROW))
    return replace(verdicts, keeper=keeper, similarity=verdicts.similarity[rows], replaces=None)


def with_past_rows(verdicts: Verdicts, rows: PastRows) -> PastVerdicts:
    """Replace rows of the memory by past rows; ``rows`` has the past row of each row of the memory."""
    keeper: NDArray[np.int64] = verdicts.keeper
    replaces: NDArray[np.int64] | None = verdicts.replaces
    if len(rows):
        is_old, memory_rows = decode_old(keeper)
        keeper = np.where(is_old, encode_old(rows[memory_rows]), keeper)
        if replaces is not None:
            replaces = np.where(replaces >= 0, rows[np.maximum(replaces, 0)], NO_ROW)
    return PastVerdicts(
        keeper=BarrierOrPast(keeper),
        similarity=verdicts.similarity,
        reason=verdicts.reason,
        replaces=None if replaces is None else PastRows(replaces),
    )
