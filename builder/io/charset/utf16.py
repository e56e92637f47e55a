"""Detect UTF-16 and UTF-32 without a byte order mark.

UTF-32 is recognised by the positions of its zero bytes. UTF-16 is decoded in both byte orders. The right
order gives characters that occur together in texts (ASCII, one alphabet, frequent East Asian characters) and
very few that do not occur in texts. The wrong order, or bytes that are not UTF-16, give characters of many
scripts.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from builder.io.charset.east_asian import FREQUENT

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SAMPLE_BYTES = 1 << 14
_MIN_FAMILIAR = 0.25
_TIMES_AS_FAMILIAR = 3
_MIN_HIGH = 0.1
_MAX_ZEROS = 0.9


def unmarked_utf(data: bytes) -> str | None:
    """Detect UTF-16 and UTF-32 with zero bytes, which every such text with an ASCII character has.

    >>> unmarked_utf("text".encode("utf-16-be"))
    'utf-16-be'
    """
    sample = data[:_SAMPLE_BYTES]
    if len(sample) < 4 or b"\0" not in sample:
        return None
    if len(data) % 4 == 0 and (codec := _utf32(sample)) is not None:
        return codec
    return _utf16(sample) if sample.count(0) < _MAX_ZEROS * len(sample) else None


def utf16_by_characters(data: bytes) -> str | None:
    """Detect UTF-16 without zero bytes; bytes that are nearly all ASCII are not considered.

    Any two ASCII bytes are a valid UTF-16 character.

    >>> utf16_by_characters("这是我们的国家，他们都不在".encode("utf-16-le"))
    'utf-16-le'
    """
    sample = data[:_SAMPLE_BYTES]
    high = np.frombuffer(sample, np.uint8) >= 0x80
    return _utf16(sample) if len(sample) >= 8 and high.mean() >= _MIN_HIGH else None


def _utf32(sample: bytes) -> str | None:
    quarter = len(sample) // 4
    zeros = [sample[place : quarter * 4 : 4].count(0) for place in range(4)]
    if zeros[0] == quarter and zeros[1] >= 0.9 * quarter and zeros[3] < 0.1 * quarter:
        return "utf-32-be"
    if zeros[3] == quarter and zeros[2] >= 0.9 * quarter and zeros[0] < 0.1 * quarter:
        return "utf-32-le"
    return None


def _utf16(sample: bytes) -> str | None:
    sample = sample[: len(sample) // 2 * 2]
    shares = {codec: _familiar(np.frombuffer(sample, kind)) for codec, kind in _ORDERS.items()}
    best, other = sorted(shares, key=lambda codec: -shares[codec])
    if shares[best] >= _MIN_FAMILIAR and shares[best] >= _TIMES_AS_FAMILIAR * shares[other]:
        return best
    return None


_ORDERS = {"utf-16-le": np.dtype("<u2"), "utf-16-be": np.dtype(">u2")}


def _familiar(units: NDArray[np.uint16]) -> float:
    """Return the share of characters that occur together in texts; 0 if too many do not occur in texts."""
    page = units >> 8
    control = (units < 0x20) & (units != 9) & (units != 10) & (units != 13)
    strange = (
        control | ((units >= 0x7F) & (units < 0xA0)) | ((page >= 0xE0) & (page < 0xF9)) | (units >= 0xFFFD)
    )
    n_pairs = np.count_nonzero(
        (page[:-1] >= 0xD8) & (page[:-1] < 0xDC) & (page[1:] >= 0xDC) & (page[1:] < 0xE0)
    )
    n_halves = np.count_nonzero((page >= 0xD8) & (page < 0xE0))
    n_strange = np.count_nonzero(strange) + n_halves - 2 * n_pairs
    if n_strange > len(units) // 50 + 1:
        return 0.0
    in_page = np.bincount(page, minlength=256)
    alphabet = 1 + int(np.argmax(in_page[1:0x20]))
    known = ((units < 0x100) & (units > 0)) | (page == alphabet) | np.isin(units, _frequent_units())
    return float(known.mean())


@cache
def _frequent_units() -> NDArray[np.uint16]:
    return np.array([ord(char) for char in sorted({*"".join(FREQUENT.values()), *"，。、！？："})], np.uint16)
