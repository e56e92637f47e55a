"""Run ``dedup_near`` with several thresholds on the same rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.domain.row_numbers import NO_ROW
from builder.stages.dedup_near import NO_TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.protocols import Sketches, Texts, Threads
    from builder.stages.dedup_near import DedupNear

SAVED = "runs.npz"

_CHUNK_ROWS = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class NearRuns:
    """What the stage merges at each threshold.

    Attributes:
        n_documents: the documents that are compared.
        thresholds: float64[n_thresholds], rising.
        merged: int64[n_thresholds], the documents that are merged at each threshold.
        documents: int64[n_pairs], the rows that are merged at one threshold or more.
        keepers: int64[n_pairs], the most similar document that is kept in place of each, at any threshold.
        similarity: float64[n_pairs], the similarity of the two.
    """

    n_documents: int
    thresholds: NDArray[np.float64]
    merged: NDArray[np.int64]
    documents: NDArray[np.int64]
    keepers: NDArray[np.int64]
    similarity: NDArray[np.float64]

    def save(self, folder: Path) -> None:
        """Write the runs to a folder."""
        arrays = {name: np.asarray(getattr(self, name)) for name in self.__slots__}
        with (folder / SAVED).open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    @classmethod
    def none(cls, thresholds: Sequence[float]) -> NearRuns:
        """Return the runs of a stage that no document came to."""
        rows = np.empty(0, np.int64)
        return cls(
            n_documents=0,
            thresholds=np.array(sorted(thresholds)),
            merged=np.zeros(len(thresholds), np.int64),
            documents=rows,
            keepers=rows,
            similarity=np.empty(0),
        )

    @classmethod
    def load(cls, folder: Path) -> NearRuns | None:
        """Read the runs of a folder; None if no document came to the stage."""
        if not (folder / SAVED).exists():
            return None
        with np.load(folder / SAVED, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in cls.__slots__}
        return cls(**found | {"n_documents": int(found["n_documents"])})


@dataclass(frozen=True)
class _MadeSketches:
    """Sketches in memory; see ``protocols.Sketches``."""

    table: pa.Table

    @property
    def n_rows(self) -> int:
        return int(self.table.num_rows)

    def column(self, name: str) -> pa.ChunkedArray:
        return self.table.column(name)

    def release(self) -> None:
        """Keep the columns, which are in memory."""


@dataclass(frozen=True)
class _SomeTexts:
    """The texts of some rows of the spool, numbered from 0."""

    texts: Texts
    rows: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> pa.LargeBinaryArray:
        return self.texts.take(self.rows[rows])


def run_thresholds(
    stage: DedupNear,
    thresholds: Sequence[float],
    sketches: Sketches,
    *,
    alive: NDArray[np.bool_],
    texts: Texts,
    threads: Threads,
) -> NearRuns:
    """Let the stage decide at each threshold, with the bands that it would use at that threshold.

    Bands that the recipe sets stay. A threshold has no effect on another one.
    """
    has_text = np.asarray(sketches.column("n_words").to_numpy()) != NO_TEXT
    rows = np.flatnonzero(alive & has_text)
    some = _SomeTexts(texts, rows)
    made: dict[tuple[int, int], _MadeSketches] = {}
    best = np.full(len(rows), NO_ROW, np.int64)
    similarity = np.full(len(rows), -1.0)
    merged = []
    for threshold in sorted(thresholds):
        near = replace(stage, threshold=threshold)
        if near.banding not in made:
            made = {near.banding: _sketch(near, some, sketches, threads)}
        verdicts = near.resolve(
            made[near.banding], alive=np.ones(len(rows), np.bool_), memory=None, texts=some, threads=threads
        )
        gone = np.flatnonzero((verdicts.keeper != NO_ROW) & (verdicts.keeper != np.arange(len(rows))))
        merged.append(len(gone))
        nearer = gone[verdicts.similarity[gone] > similarity[gone]]
        best[nearer], similarity[nearer] = verdicts.keeper[nearer], verdicts.similarity[nearer]
    documents = np.flatnonzero(best != NO_ROW)
    return NearRuns(
        n_documents=len(rows),
        thresholds=np.array(sorted(thresholds)),
        merged=np.array(merged, np.int64),
        documents=rows[documents],
        keepers=rows[best[documents]],
        similarity=similarity[documents],
    )


def _sketch(stage: DedupNear, texts: _SomeTexts, before: Sketches, threads: Threads) -> _MadeSketches:
    """Sketch all texts in threads, some at a time."""
    edges = [*range(0, len(texts.rows), _CHUNK_ROWS), len(texts.rows)]
    numbered = iter(list(enumerate(pairwise(edges))))
    chunks: dict[int, pa.RecordBatch] = {}

    def sketch_some() -> None:
        for number, (start, stop) in numbered:
            columns = stage.sketch_texts(texts.take(np.arange(start, stop)))
            chunks[number] = pa.RecordBatch.from_pydict(columns)

    threads.side_by_side(sketch_some)
    if not chunks:
        chunks[0] = pa.RecordBatch.from_pydict(stage.sketch_texts(pa.array([], pa.large_binary())))
    table = pa.Table.from_batches([chunks[number] for number in sorted(chunks)])
    if stage.keep == "newest":
        fetched_at = before.column("fetched_at").take(pa.array(texts.rows))
        table = table.append_column("fetched_at", fetched_at)
    return _MadeSketches(table)
