"""Provide what the kernels of quality know about each code point.

The table is shipped, so it is the same everywhere.

The properties are those of the Unicode Character Database: the word break class (Unicode Standard Annex 29,
"Unicode Text Segmentation"), the general category, White_Space, Sentence_Terminal, Extended_Pictographic, and
the lower case. ``make_characters`` builds the table from the library ``regex``, which ships the database:

    python -m builder.kernels.quality.characters
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASSES = (
    "Other", "CR", "LF", "Newline", "Extend", "ZWJ", "Format", "Regional_Indicator", "Katakana",
    "Hebrew_Letter", "ALetter", "Single_Quote", "Double_Quote", "MidNumLet", "MidLetter", "MidNum",
    "Numeric", "ExtendNumLet", "WSegSpace",
)  # fmt: skip
"""The word break classes; a code point's class is its number in the lowest five bits of its entry."""

(OTHER_CLASS, CR, LF, NEWLINE, EXTEND, ZWJ, FORMAT, REGIONAL, KATAKANA, HEBREW, LETTER_CLASS, SINGLE_QUOTE,
 DOUBLE_QUOTE, MID_NUM_LET, MID_LETTER, MID_NUM, NUMERIC, EXTEND_NUM_LET, SPACE_CLASS,
 ) = range(19)  # fmt: skip

CLASS_BITS = 31
IS_PICTURE, IS_LETTER, IS_NUMBER, IS_UPPER, IS_LOWER, IS_SPACE, IS_TERMINAL, IS_ALONE, IS_BULLET = (
    1 << n for n in range(5, 14)
)
"""Flags of an entry; the bits from 16 on are the distance to the lower case, a signed number."""

SHIFT = 16
"""The bits below the distance to the lower case."""

ALONE_SCRIPTS = ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar")
"""Scripts written without spaces. A character of them is a word of its own."""

BULLETS = "•‣▶◀◦■□▪▫●–—*-"
"""Characters that begin an item of a list: those of DCLM, datatrove and RedPajama-v2 together."""

CLOSERS = "\"'”’»)]"
"""Quotation marks and brackets that can stand between a sentence's last mark and the end of the line."""

_BLOCK = 128
_FILE = Path(__file__).with_name("characters.npz")


class Characters(NamedTuple):
    """A two-stage table: the entry of ``c`` is ``leaves[blocks[c // 128] * 128 + c % 128]``.

    Attributes:
        blocks: uint16[0x110000 / 128].
        leaves: int64[n_blocks * 128]; the first block is that of ASCII.
    """

    blocks: NDArray[np.uint16]
    leaves: NDArray[np.int64]


@cache
def characters() -> Characters:
    """Return the shipped table."""
    with np.load(_FILE, allow_pickle=False) as file:
        return Characters(*(file[name] for name in Characters._fields))


def made_with() -> str:
    """Return the version of the library that the shipped table was made with."""
    with np.load(_FILE, allow_pickle=False) as file:
        return str(file["made_with"])


def make_characters() -> Characters:
    """Build the table from the installed ``regex``; this takes seconds."""
    import regex  # type: ignore[import-untyped]

    everything = "".join(map(chr, (code for code in range(0x110000) if not 0xD800 <= code < 0xE000)))
    entries = np.zeros(0x110000, np.int64)

    def codes(pattern: str) -> NDArray[np.int64]:
        found = "".join(regex.findall(pattern, everything))
        return np.frombuffer(found.encode("utf-32-le"), np.uint32).astype(np.int64)

    for number, name in enumerate(CLASSES[1:], start=1):
        entries[codes(rf"\p{{Word_Break={name}}}")] = number
    alone = "".join(rf"\p{{Script={name}}}" for name in ALONE_SCRIPTS)
    for flag, pattern in (
        (IS_PICTURE, r"\p{Extended_Pictographic}"),
        (IS_LETTER, r"\p{L}"),
        (IS_NUMBER, r"\p{N}"),
        (IS_UPPER, r"\p{Lu}"),
        (IS_LOWER, r"\p{Ll}"),
        (IS_SPACE, r"\p{White_Space}"),
        (IS_TERMINAL, r"\p{Sentence_Terminal}"),
        (IS_ALONE, rf"[{alone}]"),
        (IS_BULLET, f"[{regex.escape(BULLETS)}]"),
    ):
        entries[codes(pattern)] |= flag
    for code in codes(r"\p{Changes_When_Lowercased}").tolist():
        lower = chr(code).lower()
        if len(lower) == 1:
            entries[code] |= (ord(lower) - code) << SHIFT
    leaves, blocks = _blocks(entries)
    return Characters(blocks, leaves)


def _blocks(entries: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    numbers: dict[bytes, int] = {}
    rows = entries.reshape(-1, _BLOCK)
    blocks = np.array([numbers.setdefault(row.tobytes(), len(numbers)) for row in rows], np.uint16)
    return np.frombuffer(b"".join(numbers), np.int64), blocks


if __name__ == "__main__":
    from importlib.metadata import version

    np.savez_compressed(_FILE, **make_characters()._asdict(), made_with=np.array(version("regex")))
