"""Compute digests of rows: one depends on their order, the other supports addition and subtraction."""

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

    BLAKE3's extendable output stretches each encoded row to 1,024 words of 16 bits. The state is the sum of
    these words over all rows, modulo 2 ** 16. So rows may come in any order and in any batches, and the
    digest of a version follows from that of its parent: add the new rows, subtract the removed ones.
    In practice nobody can find two different multisets with the same digest. A sum of short hashes would
    not give that (generalised birthday attack). A row that is present 65,536 times counts as absent;
    published rows are unique by their id.

    >>> both = ContentDigest().add(*encoded(b"a", b"b"))
    >>> both.subtract(*encoded(b"b")) == ContentDigest().add(*encoded(b"a"))
    True
    """

    state: bytes = bytes(STATE_BYTES)

    def __post_init__(self) -> None:
        if len(self.state) != STATE_BYTES:
            raise BuilderError(
                f"the state of a content digest must have {STATE_BYTES:,} bytes, not {len(self.state):,}"
            )

    def add(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> ContentDigest:
        """Return the digest with these rows added; the arguments are what ``encode_rows`` returns."""
        return self._plus(_sum_of_rows(data, offsets))

    def subtract(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> ContentDigest:
        """Return the digest with these rows subtracted."""
        return self._plus(-_sum_of_rows(data, offsets))

    def merge(self, other: ContentDigest) -> ContentDigest:
        """Return the digest of the rows of both digests."""
        return self._plus(np.frombuffer(other.state, _WORDS))

    def without(self, other: ContentDigest) -> ContentDigest:
        """Return the digest of this digest's rows without the rows of the other."""
        return self._plus(-np.frombuffer(other.state, _WORDS))

    def hexdigest(self) -> str:
        """Return the SHA-256 of the state, as a manifest stores it."""
        return hashlib.sha256(self.state).hexdigest()

    def _plus(self, words: NDArray[np.uint16]) -> ContentDigest:
        return ContentDigest((np.frombuffer(self.state, _WORDS) + words).astype(_WORDS).tobytes())


class OrderDigest:
    """A digest of rows in their order: SHA-256 over the SHA-256 of each row."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def update(self, digests: NDArray[np.uint8]) -> None:
        """Add the next rows.

        Args:
            digests: uint8[n_rows, 32], as ``row_digests`` returns them.
        """
        self._digest.update(np.ascontiguousarray(digests).tobytes())

    def hexdigest(self) -> str:
        """Return the digest as a manifest stores it; more rows may follow."""
        return self._digest.hexdigest()


def encoded(*rows: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Concatenate encoded rows into the two arrays that ``encode_rows`` returns."""
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
