"""Golden values of the digests: they may never change, or every version's digest would."""

from __future__ import annotations

import pytest

from builder.domain.digests import ContentDigest, OrderDigest, encoded
from builder.errors import BuilderError


def test_content_digest_is_what_it_always_was() -> None:
    """LtHash16 over BLAKE3: the empty set, one row and two rows."""
    assert ContentDigest().hexdigest() == "e5a00aa9991ac8a5ee3109844d84a55583bd20572ad3ffcd42792f3c36b183ad"
    assert (
        ContentDigest().add(*encoded(b"a")).hexdigest()
        == "e5e52e8ea82d86102fb6ef0b90d5659e7a6bbc836ef73193c03ef8f72446496e"
    )
    assert (
        ContentDigest().add(*encoded(b"b", b"a")).hexdigest()
        == "1b21001f2d24958b3ab024a0a0a6cf311b8bd4cd061f3106459719febeec6234"
    )


def test_order_digest_is_what_it_always_was() -> None:
    """SHA-256 over row digests."""
    import numpy as np

    order = OrderDigest()
    assert order.hexdigest() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    order.update(np.zeros((2, 32), np.uint8))
    assert order.hexdigest() == "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"


def test_state_goes_on_where_it_was() -> None:
    """A digest is made again from the bytes of its state."""
    half = ContentDigest().add(*encoded(b"a"))
    assert ContentDigest(half.state).add(*encoded(b"b")) == ContentDigest().add(*encoded(b"a", b"b"))


def test_many_rows_are_added_in_pieces() -> None:
    """More rows than are stretched at once give what their pieces give."""
    rows = [str(i).encode() for i in range(1_100)]
    pieces = ContentDigest().add(*encoded(*rows[:5])).add(*encoded(*rows[5:]))
    assert ContentDigest().add(*encoded(*rows)) == pieces


def test_state_of_another_size_is_refused() -> None:
    """A state that was cut is no state."""
    with pytest.raises(BuilderError, match="2,048 bytes"):
        ContentDigest(b"short")
