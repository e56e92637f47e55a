"""Blocks of lines: a small block for a sample reads the same lines."""

from __future__ import annotations

from builder.io.reading.lines import Lines, split_lines


def test_the_size_of_a_block_changes_no_line() -> None:
    """A sample of few rows reads small blocks, and a build reads large ones."""
    data = b"".join(b"%d\n" % number for number in range(1_000))
    chunks = [data[at : at + 100] for at in range(0, len(data), 100)]
    blocks = [one for one in split_lines(chunks, max_bytes=50, size_bytes=200) if isinstance(one, Lines)]
    (whole,) = split_lines(chunks, max_bytes=50)
    assert len(blocks) > 10
    assert b"".join(block.data for block in blocks) == data
    assert isinstance(whole, Lines)
    assert whole.data == data
