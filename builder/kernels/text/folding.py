"""Provide the table that folds text and splits it into words; it is shipped, so it is the same everywhere.

The rule applies to one code point at a time, with Unicode 14.0.0:

1. ``fold(c) = NFKC(casefold(NFKC(c)))``: this removes differences of case, width and compatibility forms.
2. In the result, letters, marks and numbers (general categories L, M and N) are word characters; everything
   else separates words.
3. A word character of a script that is written without spaces (``ALONE``: Han, Hiragana, Katakana, Thai, Lao,
   Khmer, Myanmar, Tibetan, by code point) is a word of its own. This includes the vowel signs and tone marks
   of these scripts. All other adjacent word characters form one word.

The ``unicodedata`` of the running Python may have another version of Unicode, and a word that is split
differently gives different shingles. So ``make`` builds the table once, under a Python with
``UNICODE_VERSION``:

    python -m builder.kernels.text.folding
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNICODE_VERSION = "14.0.0"

ALONE = (
    (0x0E00, 0x0E7F),  # Thai
    (0x0E80, 0x0EFF),  # Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # Han radicals
    (0x3005, 0x3007),  # Han iteration mark and zero
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3038, 0x303B),  # Hangzhou numerals and Han iteration mark
    (0x3040, 0x309F),  # Hiragana
    (0x30A0, 0x30FF),  # Katakana
    (0x31F0, 0x31FF),  # Katakana, phonetic extensions
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xA9E0, 0xA9FF),  # Myanmar, extended B
    (0xAA60, 0xAA7F),  # Myanmar, extended A
    (0xF900, 0xFAFF),  # Han, compatibility
    (0x1AFF0, 0x1B16F),  # Kana: extended B, supplement, extended A, small extension
    (0x20000, 0x3FFFF),  # Han, all further extensions
)
"""First and last code point of each range whose word characters are words of their own."""

SEPARATOR, PART, WHOLE = 0, 1, 2
"""Entries of ``leaves`` for a code point that separates words, is part of a word, or is a whole word.

The last two fold to themselves. Any other entry is ``256 * start + length`` of bytes in ``pool``, in which a
zero byte ends a word.
"""

BLOCK = 128
_FILE = Path(__file__).with_name("folding.npz")


class Folding(NamedTuple):
    """A two-stage table: the entry of ``c`` is ``leaves[blocks[c // 128] * 128 + c % 128]``.

    Attributes:
        blocks: uint16[0x110000 / 128].
        leaves: uint32[n_blocks * 128].
        pool: uint8[n_bytes], as UTF-8, the folded form of code points that do not fold to themselves.
    """

    blocks: NDArray[np.uint16]
    leaves: NDArray[np.uint32]
    pool: NDArray[np.uint8]


@cache
def folding() -> Folding:
    """Return the shipped table."""
    with np.load(_FILE, allow_pickle=False) as file:
        return Folding(*(file[name] for name in Folding._fields))


def make() -> Folding:
    """Build the table from the running Python's ``unicodedata``; this takes seconds."""
    pool = bytearray(1)  # an entry that starts at 0 would look like one of the three entries above
    starts: dict[bytes, int] = {}
    entries = np.zeros(0x110000, np.uint32)
    for code in range(0x110000):
        entries[code] = _entry(chr(code), pool, starts)
    leaves, blocks = np.unique(entries.reshape(-1, BLOCK), axis=0, return_inverse=True)
    return Folding(blocks.reshape(-1).astype(np.uint16), leaves.reshape(-1), np.frombuffer(pool, np.uint8))


def _entry(char: str, pool: bytearray, starts: dict[bytes, int]) -> int:
    if 0xD800 <= ord(char) < 0xE000:
        return SEPARATOR
    own = char.encode()
    folded = _folded(char)
    plain = {b"": SEPARATOR, b"\0": SEPARATOR, own: PART, b"\0" + own + b"\0": WHOLE}
    if folded in plain:
        return plain[folded]
    if folded not in starts:
        starts[folded] = len(pool)
        pool.extend(folded)
    return 256 * starts[folded] + len(folded)


def _folded(char: str) -> bytes:
    """Return the folded form of a code point as UTF-8, with one zero byte at each end of a word."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())
    pieces = []
    for c in text:
        if unicodedata.category(c)[0] not in "LMN":
            pieces.append("\0")
        elif any(first <= ord(c) <= last for first, last in ALONE):
            pieces.append(f"\0{c}\0")
        else:
            pieces.append(c)
    joined = "".join(pieces)
    while "\0\0" in joined:
        joined = joined.replace("\0\0", "\0")
    return joined.encode()


if __name__ == "__main__":
    if unicodedata.unidata_version != UNICODE_VERSION:
        raise SystemExit(
            f"this Python has Unicode {unicodedata.unidata_version}: use one with Unicode {UNICODE_VERSION}"
        )
    np.savez_compressed(_FILE, **make()._asdict())
