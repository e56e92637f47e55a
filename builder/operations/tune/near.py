"""What ``dedup_near`` merges at each threshold, with pairs to read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from builder.domain.record import RECORD
from builder.operations.sampling import take_evenly

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from builder.operations.tune.near_runs import NearRuns
    from builder.pipeline.spool import Spool

LOWEST = 0.5
THRESHOLD_STEPS = tuple(round(LOWEST + i * 0.05, 2) for i in range(11))
"""The thresholds that are tried, next to that of the recipe."""

MAX_PAIR_CHARS = 20_000
"""Characters of each text of a pair that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairText:
    """One document of a pair; ``text_chars`` counts all characters of its text."""

    record: str
    url: str | None
    text: str
    text_chars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NearPair:
    """A merged document and the document that is kept in its place, with their exact similarity."""

    similarity: float
    merged: PairText
    kept: PairText


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdFacts:
    """One threshold.

    Attributes:
        merges: documents that the stage merges at this threshold.
        more: documents that it merges in addition to those of the next higher threshold.
        in_bin: documents whose similarity is from this threshold up to the next higher one. Each merged
            document counts once, by its similarity to the most similar document that is kept in its place.
        pairs: some of these, to be read.
    """

    threshold: float
    merges: int
    more: int
    in_bin: int
    is_current: bool
    pairs: tuple[NearPair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearFacts:
    """A stage ``dedup_near``: the thresholds in falling order, and what each would merge.

    Attributes:
        setting: what ``--set`` needs to change the threshold, with ``{bound}`` in its place.
        least_sensitive: the bin with the fewest documents, as its two thresholds; None if nothing is alike.
    """

    stage: str
    kind: str
    place: str
    n_documents: int
    mode: str
    setting: str
    thresholds: tuple[ThresholdFacts, ...]
    least_sensitive: tuple[float, float] | None


def thresholds_to_try(current: float) -> list[float]:
    """Return the thresholds in rising order, with that of the recipe among them."""
    return sorted({*THRESHOLD_STEPS, current})


def near_facts(
    runs: NearRuns,
    spool: Spool,
    *,
    current: float,
    stage: str,
    place: str,
    setting: str,
    mode: str,
    url: str | None,
    n_pairs: int,
) -> NearFacts:
    """Count the merges of each threshold, and take pairs out of each bin."""
    edges = runs.thresholds
    owner = np.searchsorted(edges, runs.similarity, side="right") - 1
    found = []
    for i in range(len(edges) - 1, -1, -1):
        inside = np.flatnonzero(owner == i)
        higher = int(runs.merged[i + 1]) if i + 1 < len(edges) else 0
        chosen = choose_pairs(runs, inside, n=n_pairs)
        found.append(
            ThresholdFacts(
                threshold=float(edges[i]),
                merges=int(runs.merged[i]),
                more=int(runs.merged[i]) - higher,
                in_bin=len(inside),
                is_current=float(edges[i]) == current,
                pairs=tuple(_pairs(runs, chosen, spool, url=url)),
            )
        )
    return NearFacts(
        stage=stage,
        kind="dedup_near",
        place=place,
        n_documents=runs.n_documents,
        mode=mode,
        setting=setting,
        thresholds=tuple(found),
        least_sensitive=_least_sensitive(found),
    )


def choose_pairs(runs: NearRuns, inside: NDArray[np.int64], *, n: int) -> list[int]:
    """Choose pairs of a bin: of different keepers if possible, spread over the similarities of the bin.

    Of a large cluster, all pairs show the same two texts.
    """
    order = inside[np.lexsort((runs.documents[inside], runs.similarity[inside]))]
    seen: Counter[int] = Counter()
    rounds: list[tuple[int, int]] = []
    for pair in order.tolist():
        keeper = int(runs.keepers[pair])
        rounds.append((seen[keeper], pair))
        seen[keeper] += 1
    first = [pair for turn, pair in rounds if turn == 0]
    others = [pair for turn, pair in sorted(rounds) if turn]
    chosen = take_evenly(first, n)
    chosen += others[: n - len(chosen)]
    return sorted(chosen, key=lambda pair: (-runs.similarity[pair], runs.documents[pair]))


def _pairs(runs: NearRuns, chosen: Sequence[int], spool: Spool, *, url: str | None) -> list[NearPair]:
    rows = np.unique([one[i] for i in chosen for one in (runs.documents, runs.keepers)])
    if not len(rows):
        return []
    names = [RECORD, *([url] if url else [])]
    table = spool.take_rows(rows, names)
    texts = spool.take(rows)
    records = pc.struct_field(table[RECORD], "id").to_pylist()
    urls = table[url].to_pylist() if url else [None] * len(rows)
    by_row = {}
    for i, row in enumerate(rows.tolist()):
        text = texts[i].as_py().decode("utf-8", "replace")
        by_row[row] = PairText(
            record=records[i], url=urls[i], text=text[:MAX_PAIR_CHARS], text_chars=len(text)
        )
    return [
        NearPair(
            similarity=float(runs.similarity[i]),
            merged=by_row[int(runs.documents[i])],
            kept=by_row[int(runs.keepers[i])],
        )
        for i in chosen
    ]


def _least_sensitive(found: Sequence[ThresholdFacts]) -> tuple[float, float] | None:
    """Return the bin below 0.95 with the fewest documents; the higher one of two."""
    steps = [one for one in found if one.threshold in THRESHOLD_STEPS]
    if not any(one.in_bin for one in steps):
        return None
    bins = [
        (sum(one.in_bin for one in found if low.threshold <= one.threshold < high.threshold), high, low)
        for high, low in pairwise(steps)
        if high.threshold <= 0.95
    ]
    fewest = min(bins, key=lambda one: one[0])
    return (fewest[2].threshold, fewest[1].threshold)
