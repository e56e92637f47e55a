"""Sort the rules of all lists by hash, in memory that does not grow with the lists.

Rules are collected in pieces. A full piece is divided by the first bits of the hash, and added to one file
for each of these ranges. In the end each range is sorted alone, and the ranges follow each other.
"""

from __future__ import annotations

import tempfile
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from xxhash import xxh3_64_intdigest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

LISTED_SCHEMA: Final = pa.schema(
    [("hash", pa.uint64()), ("list", pa.uint16()), ("line", pa.uint32()), ("rule", pa.binary())]
)
PIECE_ROWS: Final = 1 << 17
"""Rules in memory before they are written."""

_RANGE_BITS: Final = 5


class SortedRules:
    """Collects rules, and yields them ascending by hash; rules with one hash stay in the order of the lists.

    Args:
        folder: where the files of the ranges are, in a folder that is removed.
        piece_rows: rules in memory before they are written.
    """

    def __init__(self, folder: Path, *, piece_rows: int = PIECE_ROWS) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=folder, prefix="sorting.")
        self._piece_rows = piece_rows
        self._hashes, self._lists, self._lines = array("Q"), array("H"), array("I")
        self._keys: list[bytes] = []
        self._ranges: dict[int, pa.RecordBatchStreamWriter] = {}
        self.n_rules = 0

    def __enter__(self) -> SortedRules:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def add(self, key: bytes, *, number: int, line: int) -> None:
        """Add one rule: what is hashed, the number of its list, and its line."""
        self._hashes.append(xxh3_64_intdigest(key))
        self._lists.append(number)
        self._lines.append(line)
        self._keys.append(key)
        self.n_rules += 1
        if len(self._keys) >= self._piece_rows:
            self._write_piece()

    def tables(self) -> Iterator[pa.Table]:
        """Yield the rules in ascending order; nothing can be added afterwards."""
        if not self._ranges:
            yield _in_order(self._take_piece())
            return
        self._write_piece()
        for writer in self._ranges.values():
            writer.close()
        for number in sorted(self._ranges):
            with pa.OSFile(str(self._path(number))) as file:
                yield _in_order(pa.ipc.open_stream(file).read_all())
            self._path(number).unlink()

    def _write_piece(self) -> None:
        piece = self._take_piece()
        ranges = piece["hash"].to_numpy() >> np.uint64(64 - _RANGE_BITS)
        for number in np.unique(ranges).tolist():
            if number not in self._ranges:
                self._ranges[number] = pa.ipc.new_stream(str(self._path(number)), LISTED_SCHEMA)
            self._ranges[number].write_table(piece.filter(pa.array(ranges == number)))

    def _take_piece(self) -> pa.Table:
        numbers = (self._hashes, self._lists, self._lines)
        columns = [np.frombuffer(one, one.typecode) if one else np.empty(0, one.typecode) for one in numbers]
        piece = pa.table([*map(pa.array, columns), pa.array(self._keys, pa.binary())], schema=LISTED_SCHEMA)
        self._hashes, self._lists, self._lines = array("Q"), array("H"), array("I")
        self._keys = []
        return piece

    def _path(self, number: int) -> Path:
        return Path(self._folder.name) / f"{number:02d}.arrows"


def _in_order(table: pa.Table) -> pa.Table:
    order = np.argsort(table["hash"].to_numpy(), kind="stable")
    return table.take(pa.array(order)).combine_chunks()
