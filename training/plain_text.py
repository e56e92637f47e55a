"""Label the units of text pages, learn what words say, and fit the model of ``clean_text``."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import lightgbm
import numba
import numpy as np

from builder.kernels.html.letters import CAPITAL, DIGIT, IDEOGRAPH, LETTER, category, decode_point
from builder.kernels.html.vocabulary import BASIS
from builder.kernels.plain.layout import U_END, U_START, UNIT_WORDS, VOCABULARY_BITS
from builder.kernels.plain.leaves import MAX_LEAVES
from builder.kernels.plain.statistics import add_character, bucket_of, hash_of_pair
from builder.stages.cleaning.unit_reader import features_of_units
from training.align import WORD, label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.stages.cleaning.unit_reader import UnitReader
    from training.renderings import TextPage

SEED = 15
N_FOLDS = 4
N_PLACES = 1 << VOCABULARY_BITS
NO_WORDS = np.zeros(N_PLACES, np.int8)

_STEP, _PRIOR, _RARE = 24, 4.0, 3
"""A word's value is 24 for each unit of log odds; words of fewer domains than ``_RARE`` say nothing."""

PARAMETERS: dict[str, Any] = {
    "objective": "cross_entropy",
    "learning_rate": 0.14,
    "num_leaves": MAX_LEAVES,
    "max_depth": 6,
    "min_data_in_leaf": 80,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 255,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": SEED,
    "verbose": -1,
}
N_TREES = 120
_SHORT_WORDS, _KEPT_SHORT = 6, 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPage:
    """A text page with the share of each unit's words that is in its gold text."""

    page: TextPage
    data: bytes
    labels: np.ndarray
    words: np.ndarray
    places: np.ndarray
    owners: np.ndarray
    weight: float = 1.0
    is_part: bool = False

    @property
    def fold(self) -> int:
        """The fold of the page; all pages of a domain are in the same one."""
        return int(hashlib.sha256(self.page.domain.encode()).hexdigest(), 16) % N_FOLDS


def cut(page: TextPage, reader: UnitReader, *, gold: str | None = None) -> CutPage:
    """Cut a page into units and label them."""
    data = page.text.encode("utf-8", "replace")
    array = np.frombuffer(data or b" ", np.uint8)
    n, memory = reader.read(array, 0, len(data))
    units = memory.units[:n]
    texts = [
        data[a:b].decode("utf-8", "replace") for a, b in zip(units[:, U_START], units[:, U_END], strict=True)
    ]
    labels, _ = label(texts, page.gold if gold is None else gold)
    return _cut(page, array, data, units, labels, memory.counts[:n, UNIT_WORDS].astype(np.int64))


def _cut(page: TextPage, array: Any, data: bytes, units: Any, labels: Any, words: Any) -> CutPage:
    places = np.empty(len(data) + 1, np.int32)
    owners = np.empty(len(data) + 1, np.int32)
    n_words = _list_words(array, units, places, owners)
    return CutPage(
        page=page,
        data=data,
        labels=labels,
        words=words,
        places=places[:n_words].copy(),
        owners=owners[:n_words].copy(),
    )


@numba.njit(cache=False)
def _list_words(data: Any, units: Any, places: Any, owners: Any) -> Any:
    """Write the place in the vocabulary of each word, and its unit, as the kernel finds them."""
    n = 0
    for i in range(len(units)):
        at = units[i, 0]
        end = units[i, 1]
        value = np.uint64(BASIS)
        inside = False
        before = np.int64(0)
        while at < end:
            point, length = decode_point(data, at, end)
            kind = category(point)
            if kind in (LETTER, CAPITAL, DIGIT):
                value = add_character(value if inside else np.uint64(BASIS), data, at, length)
                inside = True
            else:
                if inside:
                    places[n] = bucket_of(value)
                    owners[n] = i
                    n += 1
                inside = False
                if kind == IDEOGRAPH:
                    places[n] = bucket_of(hash_of_pair(before, point))
                    owners[n] = i
                    n += 1
            before = point
            at += length
        if inside:
            places[n] = bucket_of(value)
            owners[n] = i
            n += 1
    return n


def learn_words(pages: Sequence[CutPage]) -> np.ndarray:
    """Return int8[N_PLACES]: log odds of domains that have a word in main text, against other text."""
    inside, outside = np.zeros(N_PLACES), np.zeros(N_PLACES)
    by_domain: dict[str, list[CutPage]] = {}
    for page in pages:
        by_domain.setdefault(page.page.domain, []).append(page)
    for some in by_domain.values():
        good, bad = np.zeros(N_PLACES), np.zeros(N_PLACES)
        for page in some:
            labels = page.labels[page.owners]
            np.add.at(good, page.places, labels > 0.5)
            np.add.at(bad, page.places, labels <= 0.5)
        inside += good / np.maximum(good + bad, 1)
        outside += bad / np.maximum(good + bad, 1)
    odds = np.log((inside + _PRIOR) / (outside + _PRIOR))
    odds[inside + outside < _RARE] = 0
    return np.clip(np.round(_STEP * odds), -127, 127).astype(np.int8)


def features_of(page: CutPage, reader: UnitReader) -> np.ndarray:
    """Return the features of a page's units with the words of a reader."""
    return features_of_units(*reader.read(np.frombuffer(page.data or b" ", np.uint8), 0, len(page.data)))


def small_pages(pages: Sequence[CutPage], reader: UnitReader) -> Iterator[CutPage]:
    """Cut small pages out of large ones: a few lines around the beginning or the end of the main text.

    Large pages say where a menu is by its size. In small ones the lines themselves have to.
    """
    draw = np.random.default_rng(SEED)
    for page in pages:
        lines = _lines(page, reader)
        good = np.flatnonzero(page.labels > 0.6)
        if page.page.converter == "beautifulsoup" or not len(good):
            continue
        for edge in (good[0], good[-1]):
            low = max(int(edge) - int(draw.integers(0, 9)), 0)
            high = min(int(edge) + int(draw.integers(2, 9)), len(lines))
            yield _part(page, lines, [*range(low, high)], weight=0.4)
        around = draw.choice(len(lines), min(8, len(lines)), replace=False)
        start = int(draw.choice(good))
        body = [i for i in range(start, min(start + 6, len(lines))) if page.labels[i] > 0.6]
        rest = sorted(i for i in around.tolist() if page.labels[i] < 0.2)
        half = len(rest) // 2
        yield _part(page, lines, [*rest[:half], *body, *rest[half:]], weight=0.4)


def _lines(page: CutPage, reader: UnitReader) -> list[tuple[int, bytes]]:
    n, memory = reader.read(np.frombuffer(page.data or b" ", np.uint8), 0, len(page.data))
    return [(int(u[2]), page.data[u[0] - u[3] : u[1]]) for u in memory.units[:n]]


def _part(page: CutPage, lines: list[tuple[int, bytes]], chosen: list[int], *, weight: float) -> CutPage:
    data = b"\n".join(b"\n" * lines[i][0] + lines[i][1] for i in chosen)
    return replace(
        page,
        data=data,
        labels=page.labels[chosen],
        words=page.words[chosen],
        places=page.places[:0],
        owners=page.owners[:0],
        weight=weight,
        is_part=True,
    )


def fit(
    pages: Sequence[CutPage], features: Sequence[np.ndarray], n_trees: int = N_TREES, **changed: Any
) -> Any:
    """Fit a model on the units of some pages."""
    rows = np.concatenate(features)
    labels = np.concatenate([page.labels for page in pages]).astype(np.float64)
    counts = np.concatenate([page.words for page in pages])
    weight = np.concatenate([_weights(page) for page in pages])
    short = counts < _SHORT_WORDS
    kept = ~short | (np.random.default_rng(SEED).random(len(counts)) < _KEPT_SHORT)
    weight = np.where(short, weight / _KEPT_SHORT, weight)
    data = lightgbm.Dataset(
        rows[kept],
        labels[kept],
        weight=weight[kept],
        params={"max_bin": 255, "num_threads": 1, "verbose": -1},
    )
    return lightgbm.train({**PARAMETERS, **changed}, data, n_trees)


def _weights(page: CutPage) -> np.ndarray:
    gold = float((page.labels * page.words).sum())
    found: np.ndarray = page.weight * (0.003 + page.words / (gold + 0.1 * page.words.sum() + 50.0))
    return found


def shingle_counts(text: str, gold: str, n: int = 4) -> np.ndarray:
    """Return the shares of shingles that both have, that only the text has, and that only the gold has."""
    found, wanted = _shingles(text, n), _shingles(gold, n)
    both = (found & wanted).total()
    counts = np.array([both, found.total() - both, wanted.total() - both], np.float64)
    whole: np.ndarray = counts / max(counts.sum(), 1)
    return whole


def _shingles(text: str, n: int) -> Counter[tuple[str, ...]]:
    words = WORD.findall(text)
    if len(words) < n:
        return Counter([tuple(words)] if words else [])
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def words_kept(text: str, gold: str) -> float:
    """Return the share of the gold's words that a text has."""
    wanted = Counter(WORD.findall(gold.lower()))
    return (wanted & Counter(WORD.findall(text.lower()))).total() / max(wanted.total(), 1)
