"""Golden values of the digests: if one changes, the digest of every version changes."""

from __future__ import annotations

import pytest

from builder.domain.digests import ContentDigest, OrderDigest, encoded
from builder.errors import BuilderError


def test_the_content_digest_never_changes() -> None:
    """LtHash16 over BLAKE3 of the empty set, one row and two rows."""
    assert ContentDigest().hexdigest() == "e5a00aa9991ac8a5ee3109844d84a55583bd20572ad3ffcd42792f3c36b183ad"
    assert (
        ContentDigest().add(*encoded(b"a")).hexdigest()
        == "e5e52e8ea82d86102fb6ef0b90d5659e7a6bbc836ef73193c03ef8f72446496e"
    )
    assert (
        ContentDigest().add(*encoded(b"b", b"a")).hexdigest()
        == "1b21001f2d24958b3ab024a0a0a6cf311b8bd4cd061f3106459719febeec6234"
    )


def test_the_order_digest_never_changes() -> None:
    """SHA-256 over the digests of the rows."""
    import numpy as np

    order = OrderDigest()
    assert order.hexdigest() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    order.update(np.zeros((2, 32), np.uint8))
    assert order.hexdigest() == "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"


def test_a_digest_continues_from_its_state() -> None:
    """The bytes of the state are enough to restore a digest."""
    half = ContentDigest().add(*encoded(b"a"))
    assert ContentDigest(half.state).add(*encoded(b"b")) == ContentDigest().add(*encoded(b"a", b"b"))


def test_many_rows_are_added_in_pieces() -> None:
    """More rows than one piece holds give the sum of the digests of the pieces."""
    rows = [str(i).encode() for i in range(1_100)]
    pieces = ContentDigest().add(*encoded(*rows[:5])).add(*encoded(*rows[5:]))
    assert ContentDigest().add(*encoded(*rows)) == pieces


def test_state_of_another_size_is_refused() -> None:
    """A truncated state would give a wrong digest."""
    with pytest.raises(BuilderError, match="2,048 bytes"):
        ContentDigest(b"short")
