"""Label blocks: which of their words stand in the gold text of the page."""

from __future__ import annotations

import re
from collections import Counter

import numba
import numpy as np

WORD = re.compile(r"\w+")
_OPENING = 0.9
"""Cost of a run of matches. Without it, a stray "the" of the boilerplate matches one of the gold text."""

_MAX_CELLS = 400_000_000
_MOVED = 5


@numba.njit(cache=True)
def _align(page: np.ndarray, gold: np.ndarray, opening: float) -> tuple[np.ndarray, np.ndarray]:
    """Return which words of each side belong to the best alignment: runs of equal words, in order.

    A cell of the matrix has the best score of an alignment that ends in a match, and of one that does not.
    """
    n, m = page.size, gold.size
    came_from = np.zeros((n + 1, m + 1), np.uint8)  # bits 0-1: up, left, match; bit 2: a run continues
    match_above = np.full(m + 1, -1e9, np.float32)
    gap_above = np.zeros(m + 1, np.float32)
    match, gap = match_above.copy(), gap_above.copy()
    for i in range(1, n + 1):
        match[0] = -1e9
        gap[0] = 0
        for j in range(1, m + 1):
            way = 0
            match[j] = -1e9
            if page[i - 1] == gold[j - 1]:
                continued = match_above[j - 1] + 1
                opened = gap_above[j - 1] + 1 - opening
                match[j] = max(continued, opened)
                way = 4 if continued >= opened else 0
            best = gap_above[j]
            if gap[j - 1] > best:
                best = gap[j - 1]
                way |= 1
            if match[j] > best:
                best = match[j]
                way = (way & 4) | 2
            gap[j] = best
            came_from[i, j] = way
        match_above[:] = match
        gap_above[:] = gap
    in_page, in_gold = np.zeros(n, np.bool_), np.zeros(m, np.bool_)
    i, j, in_match = n, m, False
    while i > 0 and j > 0:
        way = came_from[i, j]
        if in_match:
            in_page[i - 1] = in_gold[j - 1] = True
            in_match = way & 4 != 0
            i -= 1
            j -= 1
        elif way & 3 == 2:
            in_match = True
        elif way & 3 == 1:
            j -= 1
        else:
            i -= 1
    return in_page, in_gold


def _encode(words: list[str], numbers: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return a number and the word of each unit; scripts without spaces are cut by character."""
    units: list[int] = []
    owners: list[int] = []
    for place, word in enumerate(words):
        for unit in word if len(word) > 1 and ord(word[0]) > 0x2E80 else [word]:
            units.append(numbers.setdefault(unit, len(numbers)))
            owners.append(place)
    return np.array(units, np.int32), np.array(owners, np.int32)


def label(texts: list[str], gold: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each block's words that stand in the gold text, and the number of its words."""
    words = [WORD.findall(text.lower()) for text in texts]
    n_words = np.array([len(one) for one in words], np.int32)
    flat = [word for one in words for word in one]
    numbers: dict[str, int] = {}
    page, owners = _encode(flat, numbers)
    wanted, _ = _encode(WORD.findall(gold.lower()), numbers)
    if not page.size or not wanted.size:
        return np.zeros(len(texts), np.float32), n_words
    if page.size * wanted.size <= _MAX_CELLS:
        in_page, in_gold = _align(page, wanted, _OPENING)
    else:
        in_page, in_gold = np.zeros(page.size, np.bool_), np.zeros(wanted.size, np.bool_)
    _add_moved(page, wanted, in_page, in_gold)
    found = np.bincount(owners, in_page, len(flat)) / np.maximum(np.bincount(owners, minlength=len(flat)), 1)
    blocks = np.repeat(np.arange(len(texts)), n_words)
    return (np.bincount(blocks, found, len(texts)) / np.maximum(n_words, 1)).astype(np.float32), n_words


def _add_moved(page: np.ndarray, gold: np.ndarray, in_page: np.ndarray, in_gold: np.ndarray) -> None:
    """Match runs of five words that are left over on both sides: text that the gold has in another place."""
    left = Counter(
        gold[j : j + _MOVED].tobytes()
        for j in range(gold.size - _MOVED + 1)
        if not in_gold[j : j + _MOVED].any()
    )
    if not left:
        return
    for i in range(page.size - _MOVED + 1):
        if not in_page[i : i + _MOVED].all() and left[page[i : i + _MOVED].tobytes()]:
            in_page[i : i + _MOVED] = True
