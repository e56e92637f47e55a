"""SipHash, compared with a reference in plain Python that follows the paper."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from builder.kernels.dedup.keyed import keyed_words

MASK = (1 << 64) - 1
words = st.integers(0, MASK)


def rotate(x: int, bits: int) -> int:
    return (x << bits | x >> (64 - bits)) & MASK


def siphash(message: bytes, key: bytes) -> int:
    """Compute SipHash-2-4 of any bytes, step by step."""
    k0, k1 = (int.from_bytes(key[i : i + 8], "little") for i in (0, 8))
    v = [k0 ^ int.from_bytes(b"somepseu", "big"), k1 ^ int.from_bytes(b"dorandom", "big")]
    v += [k0 ^ int.from_bytes(b"lygenera", "big"), k1 ^ int.from_bytes(b"tedbytes", "big")]

    def turn() -> None:
        v[0] = (v[0] + v[1]) & MASK
        v[1] = rotate(v[1], 13) ^ v[0]
        v[0] = rotate(v[0], 32)
        v[2] = (v[2] + v[3]) & MASK
        v[3] = rotate(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & MASK
        v[3] = rotate(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & MASK
        v[1] = rotate(v[1], 17) ^ v[2]
        v[2] = rotate(v[2], 32)

    whole = len(message) // 8 * 8
    last = message[whole:].ljust(7, b"\0") + bytes([len(message) % 256])
    blocks = [message[i : i + 8] for i in range(0, whole, 8)] + [last]
    for block in blocks:
        number = int.from_bytes(block, "little")
        v[3] ^= number
        turn()
        turn()
        v[0] ^= number
    v[2] ^= 0xFF
    for _ in range(4):
        turn()
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def test_the_reference_gives_the_example_of_the_paper() -> None:
    """The example is in appendix A."""
    assert siphash(bytes(range(15)), bytes(range(16))) == 0xA129CA6149BE45E5


@given(st.lists(words, max_size=5), st.binary(min_size=16, max_size=16))
def test_keyed_words_equal_the_reference(values: list[int], key: bytes) -> None:
    """This holds for any words and any key."""
    found = keyed_words(np.asarray(values, np.uint64), key)
    assert found.tolist() == [siphash(value.to_bytes(8, "little"), key) for value in values]


def test_keyed_words_have_the_shape_of_the_words() -> None:
    """Callers pass rows of band keys."""
    rows = np.arange(6, dtype=np.uint64).reshape(2, 3)
    assert keyed_words(rows, bytes(16)).shape == (2, 3)
