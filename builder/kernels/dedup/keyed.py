"""Compute keyed hashes of 64-bit words: SipHash-2-4 of the eight bytes of each word.

Aumasson, Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012, section 2. Without the key, nobody can
find the word of a hash, although there are few enough words to try them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from builder.kernels.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
_V0, _V1, _V2, _V3 = (np.uint64(word) for word in _START)
_LENGTH = np.uint64(8 << 56)
"""The last block of a message of eight bytes: its length, without remaining bytes."""
_FINISH = np.uint64(0xFF)


@kernel
def rotated(x: Any, bits: Any) -> Any:
    """Return a word rotated to the left."""
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))


@kernel
def sip_round(v0: Any, v1: Any, v2: Any, v3: Any) -> Any:
    """Mix the four words of the state once."""
    v0 += v1
    v1 = rotated(v1, 13) ^ v0
    v0 = rotated(v0, 32)
    v2 += v3
    v3 = rotated(v3, 16) ^ v2
    v0 += v3
    v3 = rotated(v3, 21) ^ v0
    v2 += v1
    v1 = rotated(v1, 17) ^ v2
    v2 = rotated(v2, 32)
    return v0, v1, v2, v3


@kernel
def keyed_word(word: Any, k0: Any, k1: Any) -> Any:
    """Hash one word under the key ``k0``, ``k1``."""
    v0, v1, v2, v3 = k0 ^ _V0, k1 ^ _V1, k0 ^ _V2, k1 ^ _V3
    for block in (word, _LENGTH):
        v3 ^= block
        for _ in range(2):
            v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
        v0 ^= block
    v2 ^= _FINISH
    for _ in range(4):
        v0, v1, v2, v3 = sip_round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@kernel
def fill_keyed(words: Any, k0: Any, k1: Any, out: Any) -> Any:
    """Write the hash of each word to the same index of ``out``; both are uint64[n]."""
    for i in range(len(words)):
        out[i] = keyed_word(words[i], k0, k1)


def keyed_words(words: NDArray[np.uint64], key: bytes) -> NDArray[np.uint64]:
    """Return the hash of each word under a key of 16 bytes, in the shape of ``words``.

    >>> message = np.frombuffer(bytes(range(8)), np.uint64)
    >>> hex(keyed_words(message, bytes(range(16)))[0])
    '0x93f5f5799a932462'
    """
    flat = np.ascontiguousarray(words).ravel()
    k0, k1 = np.frombuffer(key, np.uint64)
    out = np.empty_like(flat)
    fill_keyed(flat, k0, k1, out)
    return out.reshape(words.shape)
