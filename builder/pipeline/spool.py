"""The spool: the rows of all parts of one barrier, read by memory map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from builder.domain.row_numbers import FirstRows, PartRows
from builder.io.parquet_sink.mapped import MappedFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from builder.pipeline.parts import Extent, Part

ROW = "_row"
"""The number of a row in the first spool; all later verdicts refer to it."""

SIZE = "_size"
"""Bytes of the row's canonical encoding, without the values that are known only at the end of the build."""

AT = "_at"
"""The place of a row in the part from which it comes."""

MAX_MAPS = 8_192
"""Maximum number of files that a spool maps. A process of Linux has up to 65,530 maps (``vm.max_map_count``),
and a build has some spools."""


@dataclass(frozen=True)
class Spool:
    """All parts of one barrier, in the order of the build; rows are numbered across the parts.

    A file is mapped on first use. Up to ``MAX_MAPS`` files stay mapped as long as the spool object exists.
    """

    parts: Sequence[Part]
    text_column: str | None = None

    def __reduce__(self) -> tuple[type[Spool], tuple[Sequence[Part], str | None]]:
        """Pickle the arguments only, because memory maps belong to this process."""
        return Spool, (self.parts, self.text_column)

    @cached_property
    def first_rows(self) -> NDArray[np.int64]:
        """int64[n_parts + 1], the number of each part's first row; the last value counts all rows."""
        return np.concatenate([[0], np.cumsum([part.n_rows for part in self.parts])]).astype(np.int64)

    @cached_property
    def _mapped(self) -> dict[str, MappedFile]:
        return {}

    def _map(self, path: str) -> MappedFile:
        """Map a file, and close the map that is open for the longest time if there are too many."""
        found = self._mapped.get(path)
        if found is None:
            while len(self._mapped) >= MAX_MAPS:
                self._mapped.pop(next(iter(self._mapped)), None)
            found = self._mapped.setdefault(path, MappedFile.open(path))
        return found

    def _batch(self, at: Extent) -> pa.RecordBatch:
        return self._map(at.path).batch(at.offset, at.size)

    def _rows(self, part: Part) -> pa.RecordBatch:
        return self._batch(part.files["rows"])

    @property
    def n_rows(self) -> int:
        """The number of rows in all parts."""
        return int(self.first_rows[-1])

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over all rows; its memory pages are read on access.

        The columns of more than ``MAX_MAPS`` files are copied, because a column keeps its maps open.
        """
        n_files = len({part.files["rows"].path for part in self.parts})
        columns = (self._rows(part).column(name) for part in self.parts)
        chunks = []
        while some := list(islice(columns, MAX_MAPS)):
            chunks += some if n_files <= MAX_MAPS else [pa.concat_arrays(some)]
        return pa.chunked_array(chunks, type=None if chunks else pa.null())

    def values(self, name: str) -> NDArray[np.int64]:
        """Return one column of numbers over all rows, as an array."""
        return np.asarray(self.column(name).to_numpy(), dtype=np.int64)

    def take(self, rows: NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Return the texts of some rows, in the order of ``rows``; see ``protocols.Texts``.

        The memory pages of a part are released after its texts are copied.
        """
        order = np.argsort(rows, kind="stable")
        ascending = np.asarray(rows)[order]
        pieces = []
        for part, local in self._locate(ascending):
            pieces.append(self._text(part).take(pa.array(local)))
            at = part.files["rows"]
            self._map(at.path).release(at.offset, at.size)
        if not pieces:
            return pa.array([], pa.large_binary())
        back = np.empty(len(order), np.int64)
        back[order] = np.arange(len(order))
        return pa.concat_arrays(pieces).take(pa.array(back))

    def release(self) -> None:
        """Release the memory pages of the spool's files; they are read again on access."""
        for mapped in list(self._mapped.values()):
            mapped.release()

    def in_pieces(self, n_rows: int) -> Iterator[tuple[Spool, int]]:
        """Yield pieces of at least ``n_rows`` rows, with the number of the first row of each.

        The last piece may be smaller. A spool without parts yields one empty piece.
        """
        start = 0
        while start < len(self.parts) or start == 0:
            wanted = self.first_rows[start] + n_rows
            stop = max(start + 1, int(np.searchsorted(self.first_rows, wanted)))
            yield Spool(self.parts[start:stop], self.text_column), int(self.first_rows[start])
            start = stop

    @property
    def column_names(self) -> list[str]:
        """The columns of the parts; public columns may be in the parts of another spool."""
        return self._rows(self.parts[0]).schema.names if self.parts else []

    def take_rows(self, ascending: NDArray[np.int64], names: Sequence[str]) -> pa.Table:
        """Return some columns of at least one row, from each part or its base part."""
        pieces = []
        for part, local in self._locate(ascending):
            here = self._rows(part)
            there = here
            at = far = pa.array(local)
            if part.base is not None:
                there, far = self._batch(part.base), here.column(AT).take(at)
            columns = [
                here.column(name).take(at) if name.startswith("_") else there.column(name).take(far)
                for name in names
            ]
            pieces.append(pa.RecordBatch.from_arrays(columns, names=list(names)))
        return pa.Table.from_batches(pieces)

    def _locate(self, ascending: NDArray[np.int64]) -> list[tuple[Part, PartRows]]:
        """Split ascending row numbers by part, as numbers within the part."""
        owner = np.searchsorted(self.first_rows, ascending, side="right") - 1
        bounds = np.searchsorted(owner, np.arange(len(self.parts) + 1))
        return [
            (part, PartRows(ascending[lo:hi] - self.first_rows[i]))
            for i, part in enumerate(self.parts)
            if (lo := bounds[i]) < (hi := bounds[i + 1])
        ]

    def _text(self, part: Part) -> pa.LargeBinaryArray:
        column = self._rows(part).column(self.text_column)
        return column.fill_null("").cast(pa.large_binary())


@dataclass(frozen=True)
class StageSketches:
    """The sketch columns of one corpus stage; see ``protocols.Sketches``."""

    spool: Spool
    stage: str

    @property
    def n_rows(self) -> int:
        """The number of rows of the spool."""
        return self.spool.n_rows

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over all rows."""
        return self.spool.column(sketch_name(self.stage, name))

    def release(self) -> None:
        """Release the memory pages of the columns; they are read again on access."""
        self.spool.release()


def sketch_name(stage: str, column: str) -> str:
    """Return the name of a sketch column in the spool.

    >>> sketch_name("dedup_near", "bands")
    '_dedup_near.bands'
    """
    return f"_{stage}.{column}"


def row_numbers(spool: Spool) -> FirstRows:
    """Return the rows' numbers in the first spool; the first spool itself has no column of numbers."""
    return FirstRows(spool.values(ROW) if ROW in spool.column_names else np.arange(spool.n_rows))
