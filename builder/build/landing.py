"""Landings: every corpus stage decides in turn, and what it decides is traced back to the first spool."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from builder.build.flight import ROW
from builder.build.spool import Spool, StageSketches

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.protocols import CorpusStage, Engine, Verdicts

SEGMENT = ".index.parquet"


@dataclass(frozen=True)
class Merges:
    """Who was merged into whom, over the rows of the first spool.

    Attributes:
        into: int64[n_rows], the row that this one was compared with and merged into; -1 if it was not.
        similarity: float64[n_rows], of that pair; NaN where none was measured.
        by: int16[n_rows], position in ``stages`` and ``reasons``; -1 if not merged.
    """

    into: NDArray[np.int64]
    similarity: NDArray[np.float64]
    by: NDArray[np.int16]
    stages: list[str]
    reasons: list[str]

    @classmethod
    def none(cls, n_rows: int) -> Merges:
        """Return the state before the first landing."""
        size = max(n_rows, 1)  # an empty build has a ledger too, and a row number 0 to look up
        return cls(
            into=np.full(size, -1, np.int64),
            similarity=np.full(size, np.nan),
            by=np.full(size, -1, np.int16),
            stages=[],
            reasons=[],
        )

    def note(self, stage: str, verdicts: Verdicts, *, rows: NDArray[np.int64]) -> None:
        """Write down one stage's merges; ``rows`` are the first spool's numbers of the landing's rows."""
        here = np.arange(len(rows))
        merged = np.flatnonzero((verdicts.keeper >= 0) & (verdicts.keeper != here))
        self.into[rows[merged]] = rows[verdicts.keeper[merged]]
        self.similarity[rows[merged]] = verdicts.similarity[merged]
        self.by[rows[merged]] = len(self.stages)
        self.stages.append(stage)
        self.reasons.append(verdicts.reason)

    @cached_property
    def last(self) -> NDArray[np.int64]:
        """int64[n_rows], the row at the end of each row's chain of merges; itself if it was not merged."""
        last = np.where(self.into >= 0, self.into, np.arange(len(self.into)))
        while (last != (further := last[last])).any():
            last = further
        return last


def resolve_landing(
    spool: Spool, landing: Sequence[CorpusStage], *, engine: Engine, folder: Path, merges: Merges
) -> list[Path]:
    """Ask each corpus stage of a landing in turn, each over what the one before kept.

    Beside the keepers (int64[n_rows], one file a stage) it writes what later versions must know of these
    rows: the stage's segment of the index.

    Returns:
        The files of the keepers.
    """
    alive = np.ones(spool.n_rows, np.bool_)
    numbers = row_numbers(spool)
    files = []
    for stage in landing:
        sketches = StageSketches(spool, stage.name)
        verdicts = stage.resolve(sketches, alive=alive, memory=(), texts=spool, engine=engine)
        if not _tags(stage):
            merges.note(stage.name, verdicts, rows=numbers)
            alive &= (verdicts.keeper == -1) | (verdicts.keeper == np.arange(spool.n_rows))
        files.append(_save(folder / f"{stage.name}.keepers.npy", verdicts.keeper))
        pq.write_table(
            stage.remember(sketches, verdicts), folder / f"{stage.name}{SEGMENT}", compression="zstd"
        )
    return files


def row_numbers(spool: Spool) -> NDArray[np.int64]:
    """Number the rows as the first spool does, which itself has no such column yet."""
    if not spool.parts or ROW not in spool.parts[0].batch("rows").schema.names:
        return np.arange(spool.n_rows)
    return spool.values(ROW)


def _tags(stage: CorpusStage) -> bool:
    return getattr(stage, "mode", "drop") == "tag"


def _save(path: Path, array: NDArray[np.int64]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    return path
