"""Barriers: every corpus stage decides in turn, and what it decides is traced back to the first spool."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from builder.engines.threads import LocalThreads
from builder.errors import BuilderError, Fault, WorkerDiedError
from builder.history.index import write_arrow
from builder.pipeline.spool import Spool, StageSketches, row_numbers
from builder.pipeline.tombstone_filter import find_tombstoned
from builder.protocols import Verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from builder.domain.row_numbers import FirstRows
    from builder.history.past import Past
    from builder.pipeline.tombstones import Tombstones
    from builder.protocols import CorpusStage, Engine, Guard, Remembered

SEGMENT, BARRED = ".index.arrow", "barred.npy"

MEMORY_KEEPERS, PAST_KEEPERS = ".memory-keepers.npy", ".past-keepers.npy"
"""Ends of the names of two files of keepers: BarrierOrMemory, as a stage has answered, and BarrierOrPast."""

_SEGMENT_ROWS = 1 << 16

MANY_ROWS = 500_000
"""Above this a corpus stage decides while no other worker is there, with the memory of all."""


@dataclass(frozen=True)
class Merges:
    """Who was merged into whom, over the rows of the first spool.

    Attributes:
        into: int64[n_rows], the row or past row that this one was compared with and merged into; -1 if it was
            not.
        similarity: float64[n_rows], of that pair; NaN where none was measured.
        by: int16[n_rows], position in ``stages`` and ``reasons``; -1 if not merged.
        replaces: int64[n_rows], the past row whose page this one is, fetched again; -1 if there is none.
    """

    into: FirstOrPast
    similarity: NDArray[np.float64]
    by: NDArray[np.int16]
    replaces: PastRows
    stages: list[str]
    reasons: list[str]

    @classmethod
    def none(cls, n_rows: int) -> Merges:
        """Return the state before the first barrier."""
        size = max(n_rows, 1)  # an empty build has a ledger too, and a row number 0 to look up
        return cls(
            into=FirstOrPast(np.full(size, NO_ROW, np.int64)),
            similarity=np.full(size, np.nan),
            by=np.full(size, -1, np.int16),
            replaces=PastRows(np.full(size, NO_ROW, np.int64)),
            stages=[],
            reasons=[],
        )

    def note(self, stage: str, verdicts: PastVerdicts, *, rows: FirstRows) -> None:
        """Write down one stage's merges; ``rows`` are the first spool's numbers of the barrier's rows."""
        keeper = verdicts.keeper
        merged = np.flatnonzero((keeper != NO_ROW) & (keeper != np.arange(len(rows))))
        self.into[rows[merged]] = trace_to_first(BarrierOrPast(keeper[merged]), rows)
        self.similarity[rows[merged]] = verdicts.similarity[merged]
        self.by[rows[merged]] = len(self.stages)
        if verdicts.replaces is not None:
            taken = np.flatnonzero(verdicts.replaces >= 0)
            self.replaces[rows[taken]] = verdicts.replaces[taken]
        self.stages.append(stage)
        self.reasons.append(verdicts.reason)

    @property
    def replaced(self) -> PastRows:
        """Past rows whose page was fetched again, ascending: no later stage compares with them."""
        return PastRows(np.unique(self.replaces[self.replaces >= 0]))

    @cached_property
    def last(self) -> FirstOrPast:
        """int64[n_rows], the end of each row's chain of merges; itself if it was not merged."""
        last = np.where(self.into >= 0, self.into, np.arange(len(self.into)))
        while (last != (further := last[last])).any():
            last = further
        is_old, _ = decode_old(self.into[last])
        return FirstOrPast(np.where(is_old, self.into[last], last))


@dataclass(frozen=True, slots=True, kw_only=True)
class PastVerdicts:
    """The verdicts of a stage with past rows, which all stages have in common, for rows of its memory."""

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
) -> list[Path]:
    """Ask each corpus stage of a barrier in turn, each over what the one before kept.

    Beside the keepers (int64[n_rows], one file a stage) it writes what later versions must know of these
    rows: the stage's segment of the index. What a tombstone bars comes to no stage; ``barred.npy`` says
    which rows that are.

    Returns:
        The files of the keepers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    alive = np.ones(spool.n_rows, np.bool_)
    tombstoned = np.zeros(spool.n_rows, np.bool_)
    numbers = row_numbers(spool)
    files = []
    for stage in barrier:
        if tombstones:
            tombstoned |= find_tombstoned(
                tombstones, stage, StageSketches(spool, stage.name), alive=alive, texts=spool
            )
            alive &= ~tombstoned
        memory = past.excluding(merges.replaced).stage(stage.name) if past else None
        resolved = _verdicts(stage, spool, alive=alive, memory=memory, engine=engine, folder=folder)
        verdicts = with_past_rows(resolved, memory.rows if memory else PastRows(np.empty(0, np.int64)))
        if not _tags(stage):
            merges.note(stage.name, verdicts, rows=numbers)
            alive &= (verdicts.keeper == NO_ROW) | (verdicts.keeper == np.arange(spool.n_rows))
        files.append(_save(folder / f"{stage.name}{PAST_KEEPERS}", verdicts.keeper))
    _save(folder / BARRED, tombstoned)
    return files


def _verdicts(
    stage: CorpusStage,
    spool: Spool,
    *,
    alive: NDArray[np.bool_],
    memory: Remembered | None,
    engine: Engine,
    folder: Path,
) -> Verdicts:
    """Ask one stage, in a worker if there are any: there the kernels are loaded."""
    resolution = Resolution(
        spool=spool,
        alive=str(_save(folder / "alive.npy", alive)),
        folder=str(folder),
        memory=memory,
        n_threads=engine.workers,
    )
    if spool.n_rows > MANY_ROWS:
        reason = _alone(engine, resolution, stage)
    else:
        (reason,) = engine.map(resolution, [stage])
    replaces = folder / f"{stage.name}.replaces.npy"
    return Verdicts(
        keeper=np.load(folder / f"{stage.name}{MEMORY_KEEPERS}"),
        similarity=np.load(folder / f"{stage.name}.similarity.npy"),
        reason=reason,
        replaces=np.load(replaces) if replaces.exists() else None,
    )


def _alone(engine: Engine, resolution: Resolution, stage: CorpusStage) -> str:
    """Ask a stage with the memory of all workers.

    Raises:
        BuilderError: if that was not enough.
    """
    try:
        return engine.alone(resolution, stage)
    except WorkerDiedError as error:
        what = f"the worker that decides over {resolution.spool.n_rows:,} rows has died"
        advice = "most likely it needs more memory: give it with --max-memory; finished parts are kept"
        raise BuilderError(Fault(where=stage.name, what=what, advice=advice)) from error


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """Takes the decisions of a corpus stage.

    Attributes:
        alive: file of bool[n_rows], the rows that the stages before have kept.
        folder: where verdicts and the stage's segment of the index are written.
        n_threads: threads that the stage may use; no worker has anything else to do meanwhile.
    """

    spool: Spool
    alive: str
    folder: str
    memory: Remembered | None
    n_threads: int = 1

    def __call__(self, stage: CorpusStage, guard: Guard) -> str:  # noqa: ARG002 - engines give one
        """Decide, write down what comes of it, and return the reason."""
        verdicts = self.decide(stage)
        _save(Path(self.folder) / f"{stage.name}{MEMORY_KEEPERS}", verdicts.keeper)
        _save(Path(self.folder) / f"{stage.name}.similarity.npy", verdicts.similarity)
        if verdicts.replaces is not None:
            _save(Path(self.folder) / f"{stage.name}.replaces.npy", verdicts.replaces)
        return verdicts.reason

    def decide(self, stage: CorpusStage) -> Verdicts:
        """Ask the stage, and write down what later versions must know."""
        sketches = StageSketches(self.spool, stage.name)
        threads = LocalThreads(self.n_threads)
        verdicts = stage.resolve(
            sketches, alive=np.load(self.alive), memory=self.memory, texts=self.spool, threads=threads
        )
        sketches.release()
        write_segment(Path(self.folder) / f"{stage.name}{SEGMENT}", stage, self.spool, verdicts)
        return verdicts


def write_segment(path: Path, stage: CorpusStage, spool: Spool, verdicts: Verdicts) -> None:
    """Write what a stage remembers, some parts at a time, its rows by their numbers in the first spool."""
    path.parent.mkdir(parents=True, exist_ok=True)
    segments = _segments(stage, spool, verdicts)
    first = next(segments)
    write_arrow(path, first.schema, chain([first], segments))


def _segments(stage: CorpusStage, spool: Spool, verdicts: Verdicts) -> Iterator[pa.Table]:
    """Give at least one table, of no rows where there are none."""
    numbers = row_numbers(spool)
    for some, first_row in spool.in_pieces(_SEGMENT_ROWS):
        rows = slice(first_row, first_row + some.n_rows)
        segment = stage.remember(StageSketches(some, stage.name), _own(verdicts, rows))
        at = segment.schema.get_field_index("row")
        own = pa.array(numbers[rows][segment["row"].to_numpy()], pa.int64())
        yield segment.set_column(at, "row", own).combine_chunks()
        some.release()


def _own(verdicts: Verdicts, rows: slice) -> Verdicts:
    """Return the verdicts on some rows as if they were all; what is not its own keeper has none."""
    keeper: NDArray[np.int64] = verdicts.keeper[rows]
    stays = keeper == np.arange(rows.start, rows.stop)
    keeper = BarrierOrMemory(np.where(stays, np.arange(len(keeper)), NO_ROW))
    return replace(verdicts, keeper=keeper, similarity=verdicts.similarity[rows], replaces=None)


def with_past_rows(verdicts: Verdicts, rows: PastRows) -> PastVerdicts:
    """Name keepers of earlier versions by their past rows: ``rows`` has one for each row of the memory."""
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


def _tags(stage: CorpusStage) -> bool:
    return getattr(stage, "mode", "drop") == "tag"


def _save(path: Path, array: NDArray[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    return path
