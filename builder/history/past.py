"""Read past rows: the records of earlier versions, as corpus stages compare with them.

The rows that reached the first barrier of each build are numbered across the whole lineage. A row of this
numbering is a *past row*. A later version may change which document represents a past row; the segments
record this.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.document_ids import DocumentIds, parse_id
from builder.domain.row_numbers import PastRows
from builder.history.index import ROWS_SCHEMA, open_arrow
from builder.history.lineage import Lineage, Uncached, check_retired

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Past(Uncached):
    """All past rows of a lineage.

    Attributes:
        text_column: the published column whose texts corpus stages compare; None if it is not published.
        gone: past rows that the current build retires, ascending.
    """

    lineage: Lineage
    text_column: str | None
    gone: PastRows = field(default_factory=lambda: PastRows(np.empty(0, np.int64)))

    @classmethod
    def without(cls, lineage: Lineage, text_column: str | None, documents: Iterable[bytes]) -> Past:
        """Return the past without the rows that these published documents represent."""
        past = cls(lineage, text_column)
        wanted = set(documents)
        return replace(past, gone=past.represented_by(wanted)) if wanted else past

    def excluding(self, rows: PastRows) -> Past:
        """Return the past without some past rows."""
        return replace(self, gone=PastRows(np.union1d(self.gone, rows))) if len(rows) else self

    @cached_property
    def _tables(self) -> Sequence[pa.Table]:
        return [open_arrow(folder / "rows.arrow") for folder in self.lineage.folders]

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """int64[n_versions + 1], the first past row of each version; the last value counts all past rows."""
        return np.concatenate([[0], np.cumsum([len(table) for table in self._tables])]).astype(np.int64)

    @cached_property
    def _rows(self) -> pa.Table:
        return pa.concat_tables([ROWS_SCHEMA.empty_table(), *self._tables])

    @cached_property
    def retired(self) -> PastRows:
        """Past rows that represent nothing any more, ascending."""
        versions = [segment.version for segment in self.lineage.segments]
        first = dict(zip(versions, self.firsts.tolist(), strict=False))
        n_rows = dict(zip(versions, map(len, self._tables), strict=True))
        gone = []
        for segment in self.lineage.segments:
            check_retired(segment, n_rows)
            gone += [first[version] + row for version, rows in segment.retired.items() for row in rows]
        return PastRows(np.unique(np.concatenate([np.asarray(gone, np.int64), self.gone])))

    @cached_property
    def _moved(self) -> Mapping[bytes, bytes | None]:
        moved: dict[bytes, bytes | None] = {}
        for segment in self.lineage.segments:
            fresh = {parse_id(k): parse_id(v) if v else None for k, v in segment.moved.items()}
            moved = {old: fresh.get(new, new) if new else None for old, new in moved.items()} | fresh
        return moved

    def ids(self, rows: PastRows) -> DocumentIds:
        """Return the id of each past row."""
        return DocumentIds.from_arrow(self._rows["id"].take(pa.array(rows)))

    def published(self, rows: PastRows) -> NDArray[np.bool_]:
        """Return bool[n], whether a past row was published under its own id at the end of its build."""
        taken = self._rows["published"].take(pa.array(rows))
        return np.asarray(taken.to_numpy())

    def kept_ids(self, rows: PastRows) -> list[bytes | None]:
        """Return the published document that represents each past row now; None if no document does."""
        ids = self._rows["kept_id"].take(pa.array(rows)).to_pylist()
        return [self._moved.get(one, one) if one else None for one in ids]

    def represented_by(self, kept: set[bytes]) -> PastRows:
        """Return the past rows that these published documents represent, ascending."""
        older = {old for old, new in self._moved.items() if new in kept}
        wanted = pa.array(sorted((kept | older) - (self._moved.keys() - older)), self._rows["kept_id"].type)
        return PastRows(np.flatnonzero(pc.is_in(self._rows["kept_id"], value_set=wanted).to_numpy()))

    def split_rows(self, rows: PastRows) -> dict[str, list[int]]:
        """Return past rows by version and row number in that version, as segments name them."""
        owner = np.searchsorted(self.firsts, rows, side="right") - 1
        named: dict[str, list[int]] = {}
        for number, row in zip(owner.tolist(), rows.tolist(), strict=True):
            named.setdefault(self.lineage.segments[number].version, []).append(row - int(self.firsts[number]))
        return named

    def stage(self, name: str) -> StageMemory:
        """Return the keepers of one corpus stage."""
        return StageMemory(self, name)


@dataclass(frozen=True)
class StageMemory(Uncached):
    """The keepers of one stage, without retired ones; see ``protocols.Remembered``."""

    past: Past
    name: str

    @cached_property
    def _table(self) -> pa.Table:
        tables = []
        for folder, first in zip(self.past.lineage.folders, self.past.firsts, strict=False):
            if (path := folder / f"{self.name}.arrow").exists():
                table = open_arrow(path)
                rows = pc.add(table["row"], pa.scalar(int(first), pa.int64()))
                tables.append(table.set_column(table.schema.get_field_index("row"), "row", rows))
        # a build that read no record left a segment without rows, whose columns may have the type null
        whole = pa.concat_tables([table for table in tables if table.num_rows] or tables[:1])
        if not len(self.past.retired):
            return whole
        gone = pc.is_in(whole["row"], value_set=pa.array(self.past.retired))
        return whole.filter(pc.invert(gone))

    @property
    def is_there(self) -> bool:
        """Whether the lineage has keepers of the stage, that is, whether its recipe has the stage."""
        return any((folder / f"{self.name}.arrow").exists() for folder in self.past.lineage.folders)

    @property
    def n_rows(self) -> int:
        """The number of keepers."""
        return int(self._table.num_rows)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column over all keepers."""
        return self._table[name]

    @cached_property
    def rows(self) -> PastRows:
        """int64[n_keepers], the past row of each keeper."""
        return PastRows(np.asarray(self._table["row"].to_numpy()))

    def represented_by(self, kept: set[bytes]) -> NDArray[np.int64]:
        """Return int64[n], the keepers that these published documents represent, ascending."""
        return np.flatnonzero(np.isin(self.rows, self.past.represented_by(kept)))

    def past_rows(self, keepers: NDArray[np.int64]) -> PastRows:
        """Return int64[n], the past rows of some keepers."""
        return PastRows(self.rows[keepers])

    @property
    def texts(self) -> _PastTexts:
        """The texts of the keepers."""
        return _PastTexts(self)


@dataclass(frozen=True)
class _PastTexts:
    """Texts of keepers: published ones are in the shards, the others in the index."""

    memory: StageMemory

    def take(self, rows: NDArray[np.int64]) -> pa.LargeBinaryArray:
        """Return the texts of some keepers, in the order of ``rows``."""
        past, rows = self.memory.past, self.memory.past_rows(rows)
        stored = _stored_texts(past.lineage.folders, past.firsts, self.memory.name, set(rows.tolist()))
        ids = past.ids(rows)
        elsewhere = np.asarray([row not in stored for row in rows.tolist()], np.bool_)
        found: dict[bytes, bytes] = {}
        if elsewhere.any() and past.text_column:
            found = past.lineage.texts(ids[elsewhere], past.text_column)
        texts = [
            stored[row] if row in stored else found.get(one, b"")
            for row, one in zip(rows.tolist(), ids, strict=True)
        ]
        return pa.array(texts, pa.large_binary())


def _stored_texts(
    folders: Sequence[Path], firsts: NDArray[np.int64], stage: str, wanted: set[int]
) -> dict[int, bytes]:
    """Read the texts that are in the index, by past row."""
    found: dict[int, bytes] = {}
    for folder, first in zip(folders, firsts.tolist(), strict=False):
        table = open_arrow(folder / "texts.arrow")
        if not table.num_rows:
            continue
        table = table.filter(pc.equal(table["stage"], stage))
        for at, row in enumerate(table["row"].to_pylist()):
            if first + row in wanted:
                found[first + row] = table["text"][at].as_py()
    return found
