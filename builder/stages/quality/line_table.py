"""Split texts into lines, judge lines as one column, and join the lines that stay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

AT_LINE_FEED = r"\n"
AT_ANY_LINE_END = r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x{85}\x{2028}\x{2029}]"
"""Where ``str.splitlines`` splits, as a pattern of RE2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOut:
    """What an edit took out of texts: parallel arrays, one value for each span, in the order of the texts.

    Attributes:
        docs: int64[n_spans], the number of the text.
        starts: int64[n_spans], the first byte in the text.
        kinds: why the span left.
        texts: the spans.
    """

    docs: NDArray[np.int64]
    starts: NDArray[np.int64]
    kinds: list[str]
    texts: pa.Array


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEdits:
    """Texts after an edit, what the edit took out, and signals.

    Attributes:
        changed: bool[n_docs], whether the text is another one.
        values: the signals that the edit measures, by name.
    """

    texts: pa.Array
    changed: NDArray[np.bool_]
    taken_out: TakenOut
    values: Mapping[str, pa.Array]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTable:
    """The lines of all texts of a column, end to end.

    Attributes:
        lines: large_string[n_lines], as they are in the texts.
        docs: int64[n_lines], the number of the text.
        starts: int64[n_lines], the first byte in the text.
        n_docs: number of texts.
    """

    lines: pa.Array
    docs: NDArray[np.int64]
    starts: NDArray[np.int64]
    n_docs: int

    @classmethod
    def of(cls, texts: pa.Array, *, line_ends: str = AT_LINE_FEED) -> LineTable:
        """Split texts without nulls; a text that ends with a line end has no empty line behind it."""
        texts = texts.cast(pa.large_string())
        parts = (
            pc.split_pattern(texts, "\n")
            if line_ends == AT_LINE_FEED
            else pc.split_pattern_regex(texts, line_ends)
        )
        lines = parts.flatten()
        counts = pc.list_value_length(parts).to_numpy(zero_copy_only=False).astype(np.int64)
        docs = np.repeat(np.arange(len(texts), dtype=np.int64), counts)
        sizes = pc.binary_length(lines).to_numpy(zero_copy_only=False).astype(np.int64)
        starts = _starts(texts, lines, sizes, counts, is_plain=line_ends == AT_LINE_FEED)
        last = np.cumsum(counts) - 1
        is_there = np.ones(len(docs), np.bool_)
        last = last[counts > 0]
        is_there[last] = sizes[last] > 0
        return cls(lines=lines, docs=docs, starts=starts, n_docs=len(texts)).where(is_there)

    def where(self, chosen: NDArray[np.bool_]) -> LineTable:
        """Return the lines that are chosen."""
        return replace(
            self,
            lines=self.lines.filter(pa.array(chosen)),
            docs=self.docs[chosen],
            starts=self.starts[chosen],
        )

    def stripped(self) -> LineTable:
        """Return the lines without white space at their ends."""
        lines = pc.utf8_trim_whitespace(self.lines)
        sizes = pc.binary_length(self.lines), pc.binary_length(pc.utf8_ltrim_whitespace(self.lines))
        leading = pc.subtract(*sizes).to_numpy(zero_copy_only=False)
        return replace(self, lines=lines, starts=self.starts + leading)

    def with_lines(self, lines: pa.Array) -> LineTable:
        """Return the table with other texts of the same lines."""
        return replace(self, lines=lines)

    def joined(self) -> pa.Array:
        """Return large_string[n_docs], the lines of each text, joined by line feeds."""
        offsets = np.zeros(self.n_docs + 1, np.int32)
        np.cumsum(self.count(), out=offsets[1:])
        lists = pa.ListArray.from_arrays(pa.array(offsets), self.lines)
        return pc.binary_join(lists, pa.scalar("\n", pa.large_string()))

    def count(self, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.int64]:
        """Return int64[n_docs], the number of lines, or of the chosen lines, of each text."""
        docs = self.docs if chosen is None else self.docs[chosen]
        return np.bincount(docs, minlength=self.n_docs).astype(np.int64)

    def sum(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return int64[n_docs], the sum of int64[n_lines] over the lines of each text."""
        found = np.zeros(self.n_docs, np.int64)
        np.add.at(found, self.docs, values)
        return found

    def taken_out(self, kinds: NDArray[np.object_]) -> TakenOut:
        """Return the lines that have a kind; white space alone is not worth a span."""
        gone = np.array([one is not None for one in kinds.tolist()], np.bool_)
        gone &= pc.match_substring_regex(self.lines, r"\S").to_numpy(zero_copy_only=False).astype(np.bool_)
        return TakenOut(
            docs=self.docs[gone],
            starts=self.starts[gone],
            kinds=kinds[gone].tolist(),
            texts=self.lines.filter(pa.array(gone)),
        )


def no_line_kinds(n_lines: int) -> NDArray[np.object_]:
    """Return object[n_lines], all None: no line leaves."""
    return np.full(n_lines, None, dtype=object)


def _starts(
    texts: pa.Array,
    lines: pa.Array,
    sizes: NDArray[np.int64],
    counts: NDArray[np.int64],
    *,
    is_plain: bool,
) -> NDArray[np.int64]:
    """Return int64[n_lines], the first byte of each line in its text."""
    if is_plain:
        steps = sizes + 1
        before = np.cumsum(steps) - steps
        firsts = (np.cumsum(counts) - counts)[counts > 0]
        found: NDArray[np.int64] = before - np.repeat(before[firsts], counts[counts > 0])
        return found
    starts: list[int] = []
    pieces = iter(zip(lines.to_pylist(), sizes.tolist(), strict=True))
    for text, count in zip(texts.to_pylist(), counts.tolist(), strict=True):
        at, at_byte = 0, 0
        for _ in range(count):
            line, size = next(pieces)
            place = text.find(line, at)
            at_byte += len(text[at:place].encode())
            starts.append(at_byte)
            at, at_byte = place + len(line), at_byte + size
    return np.array(starts, np.int64)
