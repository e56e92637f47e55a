"""Represent columns as trees of plain arrays that know the encoded length of each value and can write it.

Arrow leaves the bytes under a null undefined. Here a null has no length and no contents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


class Node(Protocol):
    """A column or a part of one.

    ``positions`` is int64[n_values]: where in ``out`` to write each value, negative to skip it (as in
    ``kernels.rows.encoding``).
    """

    @property
    def sizes(self) -> NDArray[np.int64]:
        """int64[n_values], the encoded length of each value."""

    def write(self, positions: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
        """Write the values to their positions."""


@dataclass(frozen=True, slots=True)
class Nulls:
    """A column without a type: every value is null."""

    n_values: int
    sizes: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", np.ones(self.n_values, np.int64))

    def write(self, positions: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
        """Write the values to their positions."""
        out[positions[positions >= 0]] = 0


@dataclass(frozen=True, slots=True)
class Words:
    """Values of eight bytes; ``words`` is uint64[n_values]."""

    words: NDArray[np.uint64]
    valid: NDArray[np.bool_]
    sizes: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", 1 + 8 * self.valid.astype(np.int64))

    def write(self, positions: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
        """Write the values to their positions."""
        from builder.kernels.rows.encoding import write_words

        write_words(self.words, self.valid, positions, out)


@dataclass(frozen=True, slots=True)
class Blocks:
    """Values of ``width`` bytes; ``data`` is uint8[n_values * width]."""

    data: NDArray[np.uint8]
    width: int
    valid: NDArray[np.bool_]
    sizes: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", 1 + self.width * self.valid.astype(np.int64))

    def write(self, positions: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
        """Write the values to their positions."""
        _write_markers(self.valid, positions, out)
        present = self.valid & (positions >= 0)
        places = positions[present, np.newaxis] + 1 + np.arange(self.width)
        out[places] = self.data.reshape(-1, self.width)[present]


@dataclass(frozen=True, slots=True)
class Strings:
    """Values of any number of bytes; ``starts`` and ``lengths`` are int64[n_values], in ``data``."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    valid: NDArray[np.bool_]
    sizes: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", 1 + 8 * self.valid + self.lengths)

    def write(self, positions: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
        """Write the values to their positions."""
        from builder.kernels.rows.encoding import write_contents, write_words

        write_words(self.lengths.view(np.uint64), self.valid, positions, out)
        write_contents(_read_only(self.data), self.starts, self.lengths, positions, out)


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists; ``starts`` and ``lengths`` are int64[n_values], in ``elements``."""

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    valid: NDArray[np.bool_]
    elements: Node
    ends: NDArray[np.int64] = field(init=False)
    sizes: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        ends = running_sum(self.elements.sizes)
        contents = ends[self.starts + self.lengths] - ends[self.starts]
        object.__setattr__(self, "ends", ends)
        object.__setattr__(self, "sizes", 1 + 8 * self.valid + contents)

    def write(self, positions: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
        """Write the values to their positions."""
        from builder.kernels.rows.encoding import HEADER_BYTES, write_words

        write_words(self.lengths.view(np.uint64), self.valid, positions, out)
        lengths = np.where(positions >= 0, self.lengths, 0)
        elements = spread(self.starts, lengths)
        shifts = positions + HEADER_BYTES - self.ends[self.starts]
        inside = np.full(len(self.ends) - 1, -1, np.int64)
        inside[elements] = np.repeat(shifts, lengths) + self.ends[elements]
        self.elements.write(inside, out)


@dataclass(frozen=True, slots=True)
class Structs:
    """Structs: a marker, then the fields."""

    valid: NDArray[np.bool_]
    fields: Sequence[Node]
    sizes: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        contents = total_sizes(self.fields, len(self.valid))
        object.__setattr__(self, "sizes", np.where(self.valid, 1 + contents, 1))

    def write(self, positions: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
        """Write the values to their positions."""
        _write_markers(self.valid, positions, out)
        present = self.valid & (positions >= 0)
        inside = np.where(present, positions + 1, -1)
        for part in self.fields:
            part.write(inside, out)
            inside = np.where(present, inside + part.sizes, -1)


def total_sizes(nodes: Sequence[Node], n_values: int) -> NDArray[np.int64]:
    """Return int64[n_values], the encoded length of each row: the sum over the nodes."""
    total = np.zeros(n_values, np.int64)
    for node in nodes:
        total += node.sizes
    return total


def running_sum(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64[n_values + 1], the cumulative sums, starting with 0."""
    sums = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=sums[1:])
    return sums


def spread(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return int64[sum of lengths], the indices of the elements of all spans, one span after the other."""
    ends = running_sum(lengths)
    return np.arange(ends[-1]) + np.repeat(starts - ends[:-1], lengths)


def _write_markers(valid: NDArray[np.bool_], positions: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
    present = positions >= 0
    out[positions[present]] = valid[present]


def _read_only(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a read-only view, as most buffers are, so that kernels are compiled for one type only."""
    view = data.view()
    view.flags.writeable = False
    return view
