"""Dictionary pages of Parquet: the length of the longest value."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.io.reading.parquet_pages import _largest_in


def page(values: list[bytes]) -> bytes:
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def slow(data: bytes) -> int:
    at = largest = 0
    while at + 4 <= len(data):
        n_bytes = int.from_bytes(data[at : at + 4], "little")
        largest = max(largest, n_bytes)
        at += 4 + n_bytes
    return largest


@pytest.mark.parametrize("n_bytes", [0, 1, 255, 256, 257, 512, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("filler", [b"a", b"\0"])
@pytest.mark.parametrize("n_others", [0, 40, 1000])
def test_a_long_value_among_short_ones_is_found(n_bytes: int, filler: bytes, n_others: int) -> None:
    """Its length decides how many rows may be decoded at once; values may have null bytes."""
    others = [b"%d" % number for number in range(n_others)]
    data = page([*others, filler * n_bytes, *others])
    assert _largest_in(data) == slow(data)


@given(st.lists(st.binary(max_size=300), max_size=80), st.binary(max_size=9))
def test_any_page_gives_what_steps_give(values: list[bytes], rest: bytes) -> None:
    """The twin goes from length to length; the page may be damaged at its end."""
    data = page(values) + rest
    assert _largest_in(data) == slow(data)
