"""Digests of rows: one that knows the order, and one that can be added to and subtracted from."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from blake3 import blake3

from builder.errors import BuilderError

if TYPE_CHECKING:
    from numpy.typing import NDArray

STATE_BYTES = 2_048
_WORDS = np.dtype("<u2")
_ROWS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class ContentDigest:
    """A digest of a multiset of rows: LtHash16 over BLAKE3 (Lewi, Kim, Maykov, Weis 2019, section 3.2).

    Each encoded row is stretched to 1,024 words of 16 bits by BLAKE3's extendable output, and the words of
    all rows are added. So rows may come in any order and in any batches, a version can be digested from its
    parent by adding what came and subtracting what went, and no two different multisets with the same
    digest can be found in practice, which a sum of short hashes would not give (generalised birthday
    attack). A row that is held 65,536 times counts as not at all: published rows are unique by their id.

    >>> both = ContentDigest().add(*encoded(b"a", b"b"))
    >>> both.subtract(*encoded(b"b")) == ContentDigest().add(*encoded(b"a"))
    True
    """

    state: bytes = bytes(STATE_BYTES)

    def __post_init__(self) -> None:
        if len(self.state) != STATE_BYTES:
            raise BuilderError(
                f"the state of a content digest has {STATE_BYTES:,} bytes, not {len(self.state):,}"
            )

    def add(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> ContentDigest:
        """Return the digest with these rows as well; they come as ``encode_rows`` gives them."""
        return self._moved(_sum_of_rows(data, offsets))

    def subtract(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> ContentDigest:
        """Return the digest without these rows."""
        return self._moved(-_sum_of_rows(data, offsets))

    def merge(self, other: ContentDigest) -> ContentDigest:
        """Return the digest of the rows of both."""
        return self._moved(np.frombuffer(other.state, _WORDS))

    def without(self, other: ContentDigest) -> ContentDigest:
        """Return the digest of the rows of this one that are not rows of the other."""
        return self._moved(-np.frombuffer(other.state, _WORDS))

    def hexdigest(self) -> str:
        """Return the SHA-256 of the state: what a manifest holds."""
        return hashlib.sha256(self.state).hexdigest()

    def _moved(self, words: NDArray[np.uint16]) -> ContentDigest:
        return ContentDigest((np.frombuffer(self.state, _WORDS) + words).astype(_WORDS).tobytes())


class OrderDigest:
    """A digest of rows in their order: SHA-256 over the SHA-256 of each row."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def update(self, digests: NDArray[np.uint8]) -> None:
        """Go on with the next rows.

        Args:
            digests: uint8[n_rows, 32], as ``row_digests`` gives them.
        """
        self._digest.update(np.ascontiguousarray(digests).tobytes())

    def hexdigest(self) -> str:
        """Return what a manifest holds; more rows may follow."""
        return self._digest.hexdigest()


def encoded(*rows: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Put encoded rows end to end, as ``encode_rows`` gives them."""
    offsets = np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64)
    return np.frombuffer(b"".join(rows), np.uint8), offsets


def _sum_of_rows(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> NDArray[np.uint16]:
    view = memoryview(cast("Any", data))
    rows = itertools.pairwise(offsets.tolist())
    total = np.zeros(STATE_BYTES // 2, np.uint16)
    while some := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        stretched = b"".join(blake3(view[start:stop]).digest(length=STATE_BYTES) for start, stop in some)
        total += np.frombuffer(stretched, _WORDS).reshape(len(some), -1).sum(axis=0, dtype=np.uint16)
    return total
