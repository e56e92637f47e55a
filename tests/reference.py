"""Reference implementations, in plain Python, of the kernels for white space and near-duplicates.

They follow the rules in the docs and not the code of the kernels: rules about words use strings, tuples and
sets; hashes use integers and the formulas in the docstrings of the kernels. Characters that are newer than
Unicode 14.0.0 need a Python whose ``unicodedata`` has exactly that version.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MASK = (1 << 64) - 1
SEED = 0x9E3779B97F4A7C15
BASE = 0xD1342543DE82EF95

ALONE_NAMES = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "HANGZHOU")
"""First words in the Unicode names of characters that are words of their own."""

ALONE_OTHERS = {"IDEOGRAPHIC ITERATION MARK", "IDEOGRAPHIC CLOSING MARK", "IDEOGRAPHIC NUMBER ZERO"} | {
    "VERTICAL IDEOGRAPHIC ITERATION MARK",
    "KATAKANA-HIRAGANA PROLONGED SOUND MARK",
    "KATAKANA-HIRAGANA VOICED SOUND MARK",
    "KATAKANA-HIRAGANA SEMI-VOICED SOUND MARK",
    "COMBINING KATAKANA-HIRAGANA VOICED SOUND MARK",
    "COMBINING KATAKANA-HIRAGANA SEMI-VOICED SOUND MARK",
    "HENTAIGANA",
}


# -- white space -----------------------------------------------------------------------------------

BLANKS = "\t \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"


def white_space(text: str) -> str:
    r"""Remove blanks at line ends, all but one of several blank lines, and blank lines at the text's ends.

    >>> white_space("\n  a  b \t\n\n\n\nc\n")
    '  a  b\n\nc'
    """
    lines = (line.rstrip(BLANKS) for line in text.split("\n"))
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


# -- words and shingles ----------------------------------------------------------------------------


@cache
def fold(char: str) -> str:
    """Fold one code point: NFKC, casefold, NFKC."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())


@cache
def is_word_char(char: str) -> bool:
    """Return whether a character is a letter, a mark or a number."""
    return unicodedata.category(char)[0] in "LMN"


@cache
def stands_alone(char: str) -> bool:
    """Return whether a character belongs to a script without spaces, by its Unicode name."""
    name = unicodedata.name(char, "")
    return name.split(" ")[0] in (*ALONE_NAMES, "HENTAIGANA") or name in ALONE_OTHERS


def words(text: str) -> list[str]:
    """Split a text into folded words."""
    found: list[str] = []
    current = ""
    for char in "".join(map(fold, text)) + " ":
        if is_word_char(char) and not stands_alone(char):
            current += char
            continue
        if current:
            found.append(current)
            current = ""
        if is_word_char(char):
            found.append(char)
    return found


def shingles(text: str, *, width: int = 5) -> set[tuple[str, ...]]:
    """Return the set of runs of ``width`` words."""
    folded = words(text)
    return {tuple(folded[i : i + width]) for i in range(len(folded) - width + 1)}


def jaccard(left: set, right: set) -> float:
    """Return the number of common members divided by the size of the union; 0 for two empty sets."""
    union = len(left | right)
    return len(left & right) / union if union else 0.0


# -- pairs and clusters ----------------------------------------------------------------------------


def similar_pairs(sets: Sequence[set], *, threshold: float) -> dict[tuple[int, int], float]:
    """Find all pairs at or above a threshold by counting the common members of every pair."""
    holders = defaultdict(list)
    for number, members in enumerate(sets):
        for member in members:
            holders[member].append(number)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for numbers in holders.values():
        for i, a in enumerate(numbers):
            for b in numbers[i + 1 :]:
                shared[a, b] += 1
    found = {}
    for (a, b), n_shared in shared.items():
        similarity = n_shared / (len(sets[a]) + len(sets[b]) - n_shared)
        if similarity >= threshold:
            found[a, b] = similarity
    return found


def cluster(
    sets: Sequence[set],
    *,
    threshold: float,
    order: Iterable[int] | None = None,
    candidates: Callable[[int, int], bool] = lambda a, b: True,
) -> tuple[list[int], list[float | None]]:
    """Let each document, in order, join the most similar keeper (ties: the earlier) or become a keeper.

    Returns:
        Each document's keeper, and its similarity with that keeper; None for keepers and documents without
        members.
    """
    keeper_of = list(range(len(sets)))
    similarity_of: list[float | None] = [None] * len(sets)
    keepers: list[int] = []
    for number in order if order is not None else range(len(sets)):
        best, best_similarity = None, -1.0
        for keeper in keepers:
            if candidates(keeper, number):
                similarity = jaccard(sets[keeper], sets[number])
                if similarity >= threshold and similarity > best_similarity:
                    best, best_similarity = keeper, similarity
        if best is None:
            keepers.append(number)
        else:
            keeper_of[number], similarity_of[number] = best, best_similarity
    return keeper_of, similarity_of


def deduplicate(
    texts: Sequence[str], *, threshold: float = 0.8, width: int = 5, order: Sequence[int] | None = None
) -> tuple[list[int], list[float | None]]:
    """Apply the complete rule of ``dedup_near`` with every pair as a candidate."""
    split = [words(text) for text in texts]
    sets = [shingles(text, width=width) for text in texts]
    order = list(order if order is not None else range(len(texts)))
    keeper_of, similarity_of = cluster(
        sets, threshold=threshold, order=[number for number in order if sets[number]]
    )
    first: dict[object, int] = {}
    for number in order:
        if not sets[number]:
            same = tuple(split[number]) or texts[number]
            keeper_of[number] = first.setdefault(same, number)
            similarity_of[number] = None if keeper_of[number] == number else 1.0
    return keeper_of, similarity_of


# -- hashes ----------------------------------------------------------------------------------------


def mix(x: int) -> int:
    """Apply the finaliser of SplitMix64."""
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & MASK
    return x ^ (x >> 31)


def lanes(data: bytes) -> list[int]:
    """Split bytes into little-endian integers of 8 bytes; the last one is padded with zeros."""
    return [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]


def word_hash(word: str, seed: int = SEED) -> int:
    """Hash a folded word."""
    h = seed
    for lane in lanes(word.encode()):
        h = mix(h ^ lane)
    return h


def shingle_hashes(text: str, *, width: int = 5) -> list[int]:
    """Hash the shingles of a text, each once, in the order of first occurrence."""
    hashes = [word_hash(word) for word in words(text)]
    found = {}
    for i in range(len(hashes) - width + 1):
        rolled = sum(h * pow(BASE, width - 1 - j, 1 << 64) for j, h in enumerate(hashes[i : i + width]))
        found[mix(rolled & MASK) or 1] = None
    return list(found)


def short_hash(text: str) -> tuple[int, int]:
    """Hash the folded words of a text, or its bytes if it has none, with two seeds."""
    halves = []
    for seed in (SEED, mix(SEED)):
        folded = words(text)
        h = seed
        for word in folded:
            h = mix(h ^ word_hash(word, seed))
        if not folded:
            data = text.encode()
            # as in the kernel, the rest of fewer than 8 bytes is always a lane, even if it is empty
            whole = len(data) // 8 * 8
            for lane in (*lanes(data[:whole]), int.from_bytes(data[whole:], "little")):
                h = mix(h ^ lane)
            h = mix(h ^ len(data))
        halves.append(h)
    return halves[0], halves[1]


def sketch(hashes: Sequence[int], *, bins: int) -> list[int]:
    """Return the bins that Fast Similarity Sketching fills."""
    filled: dict[int, int] = {}
    for turn in range(2 * bins):
        for x in hashes:
            v = x if turn == 0 else mix((x + turn * SEED) & MASK)
            place = (v >> 32) * bins >> 32 if turn < bins else turn - bins
            value = (turn << 32) + (v & 0xFFFFFFFF)
            filled[place] = min(value, filled.get(place, value))
        if len(filled) == bins:
            break
    return [filled[place] for place in range(bins)]


def band_keys(filled: Sequence[int], *, bands: int, rows: int) -> list[int]:
    """Hash the bins of each band to a key."""
    keys = []
    for band in range(bands):
        k = band * SEED & MASK
        for value in filled[band * rows : (band + 1) * rows]:
            k = mix(k ^ value)
        keys.append(k)
    return keys
