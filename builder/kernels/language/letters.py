"""Count the letters of texts by script.

``scripts.txt`` lists the code points of the letters of each script (ISO 15924), of marks, and of characters
that are not counted: white space, controls and format characters. All other characters are digits and signs.
Letters of no script, such as modifier letters, are those of the script ``Zyyy``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from builder.kernels.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCRIPTS_PATH = Path(__file__).with_name("scripts.txt")
"""The properties ``Script`` and ``General_Category`` of Unicode, as the package regex 2026.11 knows them."""

_SIGN, _IGNORED, _MARK, _COMMON, _FIRST_SCRIPT = 0, 1, 2, 3, 4
"""Classes of characters; letters of scripts have the following classes."""

_N_CODE_POINTS = 0x40000
_NAMES = {"ignored": _IGNORED, "mark": _MARK, "Zyyy": _COMMON}


class Classes(NamedTuple):
    """The class of each character.

    Attributes:
        table: uint8[_N_CODE_POINTS], the class of each code point; later code points are not counted.
        scripts: the script of each class; None for classes that are not letters of a script.
    """

    table: NDArray[np.uint8]
    scripts: tuple[str | None, ...]


@cache
def character_classes() -> Classes:
    """Read the classes of characters."""
    table = np.zeros(_N_CODE_POINTS, np.uint8)
    scripts: list[str | None] = [None] * _FIRST_SCRIPT
    number = _SIGN
    for word in SCRIPTS_PATH.read_text(encoding="ascii").split():
        if word.endswith(":"):
            name = word[:-1]
            number = _NAMES.get(name, len(scripts))
            scripts += [name] if name not in _NAMES else []
            continue
        first, _, last = word.partition("-")
        table[int(first, 16) : int(last or first, 16) + 1] = number
    table.flags.writeable = False
    return Classes(table, tuple(scripts))


@kernel
def count_letters(data: Any, starts: Any, ends: Any, table: Any, counts: Any, letters: Any) -> None:
    """Count letters, marks and signs of texts, and find the script with the most letters.

    Args:
        data: uint8[n_bytes], UTF-8.
        starts: int64[n_texts].
        ends: int64[n_texts]; text ``i`` is ``data[starts[i]:ends[i]]``.
        table: uint8[_N_CODE_POINTS], the class of each code point.
        counts: int64[256], a work buffer.
        letters: int64[n_texts, 4], overwritten: letters, marks, signs, and the class of the script with the
            most letters; of equal scripts the one with the smallest class; 0 without letters of a script.
    """
    for text in range(len(starts)):
        counts[:] = 0
        at, end = starts[text], ends[text]
        while at < end:
            byte = data[at]
            if byte < 0x80:
                counts[table[byte]] += 1
                at += 1
                continue
            n = 2 if byte < 0xE0 else (3 if byte < 0xF0 else 4)
            code = np.int64(byte) & (0xFF >> (n + 1))
            for i in range(1, min(n, end - at)):
                code = (code << 6) | np.int64(data[at + i] & 0x3F)
            counts[table[code] if code < len(table) else _IGNORED] += 1
            at += n
        n_letters, best = counts[_COMMON], 0
        for number in range(_FIRST_SCRIPT, len(counts)):
            n_letters += counts[number]
            if counts[number] > (counts[best] if best > 0 else 0):
                best = number
        letters[text, 0], letters[text, 1], letters[text, 2] = n_letters, counts[_MARK], counts[_SIGN]
        letters[text, 3] = best
