"""Describe the published rows of a version; bounded in time and memory whatever its size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from builder.operations.overview.facts import PublishedRow, ValueTally
from builder.operations.sampling import take_evenly
from builder.protocols import Columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest

MAX_TEXT_BYTES = 256 << 20
"""Bytes of texts that are read to count characters; of more, row groups at even distances are read."""
LISTED_VALUES, LISTED_YEARS = 12, 40
_SHOWN_CHARS = 120
_SHORT_COLUMNS = ("title", "author", "date", "language", "fetched_at", "license")
_COUNTED = ("language", "license")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardGroup:
    """One row group of one shard."""

    split: str
    path: Path
    number: int
    rows: int


@dataclass(frozen=True, slots=True)
class PublishedRows:
    """The shards of a version."""

    corpus: Corpus
    manifest: Manifest

    @property
    def columns(self) -> Columns:
        """The columns with a role."""
        return Columns.of_manifest(self.manifest)

    def groups(self) -> list[ShardGroup]:
        """List the row groups of all shards."""
        found = []
        for split, shard in self.corpus.shards(self.manifest.version):
            path = self.corpus.version_file(self.manifest.version, shard.path)
            file = pq.ParquetFile(path)
            for number in range(file.metadata.num_row_groups):
                rows = file.metadata.row_group(number).num_rows
                found.append(ShardGroup(split=split, path=path, number=number, rows=rows))
        return found

    def read(
        self, groups: Sequence[ShardGroup], columns: Sequence[str]
    ) -> Iterator[tuple[ShardGroup, pa.Table]]:
        """Yield some columns of row groups."""
        for group in groups:
            yield group, pq.ParquetFile(group.path).read_row_group(group.number, columns=list(columns))

    def lengths(self) -> tuple[NDArray[np.float64], int | None]:
        """Return the characters of texts, and the number of all documents if only some were read."""
        column = self.columns.text
        groups = self.groups()
        if column is None:
            return np.empty(0), None
        total = sum(split.raw_bytes for split in self.manifest.splits.values())
        chosen = groups
        if total > MAX_TEXT_BYTES:
            chosen = take_evenly(groups, max(1, int(len(groups) * MAX_TEXT_BYTES / total)))
        found = [np.empty(0)]
        for _, table in self.read(chosen, [column]):
            chars = pc.utf8_length(pc.drop_null(table[column]))
            found.append(chars.to_numpy().astype(np.float64))
        is_all = len(chosen) == len(groups)
        return np.concatenate(found), None if is_all else sum(one.rows for one in groups)

    def tallies(self) -> tuple[ValueTally, ...]:
        """Count the languages, licences and years of the published rows."""
        names = self.manifest.columns.names
        counted = [self._tally(name, name) for name in _COUNTED if name in names]
        dates = [name for name in ("date", self.columns.fetched_at) if name in names]
        counted += [self._tally(str(name), f"year of {name}", years=True) for name in dates]
        return tuple(one for one in counted if one.n_values)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Return the values of a numeric column; an empty array if it is not published or not numeric."""
        names = self.manifest.columns.names
        if column not in names or not _is_number(self.manifest.columns.field(column).type):
            return np.empty(0)
        found = [np.empty(0)]
        for _, table in self.read(self.groups(), [column]):
            values = pc.drop_null(table[column]).cast(pa.float64(), safe=False)
            found.append(values.to_numpy())
        return np.concatenate(found)

    def number_columns(self) -> list[str]:
        """Return the published columns with numbers, such as signals, in order."""
        return [one.name for one in self.manifest.columns if _is_number(one.type)]

    def sample(self, n: int) -> list[PublishedRow]:
        """Return the rows with the lowest ids. Ids are hashes, so this is a sample that stays the same."""
        first: pa.Table | None = None
        for at, (group, table) in enumerate(self.read(self.groups(), [self._id])):
            rows = np.arange(table.num_rows)
            one = pa.table(
                {
                    "id": table[self._id].cast(pa.string()),
                    "group": pa.repeat(at, table.num_rows),
                    "row": rows,
                    "split": pa.repeat(group.split, table.num_rows),
                }
            )
            both = one if first is None else pa.concat_tables([first, one])
            first = both.take(
                pc.select_k_unstable(both, k=min(n, both.num_rows), sort_keys=[("id", "ascending")])
            )
        return [] if first is None else self._rows(first.to_pylist())

    def with_ids(self, ids: Sequence[str]) -> dict[str, PublishedRow]:
        """Find rows by their ids."""
        wanted = pa.array(sorted(set(ids)), pa.string())
        places: list[dict[str, Any]] = []
        for at, (group, table) in enumerate(self.read(self.groups(), [self._id]) if len(wanted) else ()):
            column = table[self._id].cast(pa.string())
            rows = np.flatnonzero(pc.is_in(column, value_set=wanted).to_numpy()).tolist()
            place = {"group": at, "split": group.split}
            places += [{"id": column[row].as_py(), "row": row, **place} for row in rows]
        return {row.id: row for row in self._rows(places)}

    @property
    def _id(self) -> str:
        return str(self.manifest.columns.names[0])

    def _rows(self, places: Sequence[dict[str, Any]]) -> list[PublishedRow]:
        groups = self.groups()
        found: dict[str, PublishedRow] = {}
        for at in sorted({one["group"] for one in places}):
            here = [one for one in places if one["group"] == at]
            group = groups[at]
            table = pq.ParquetFile(group.path).read_row_group(group.number)
            some = table.take(pa.array([one["row"] for one in here]))
            for place, row in zip(here, some.to_pylist(), strict=True):
                found[place["id"]] = self._row(place["id"], place["split"], row)
        return [found[one["id"]] for one in places]

    def _row(self, id_: str, split: str, row: dict[str, Any]) -> PublishedRow:
        columns = self.columns
        text = str(row.get(columns.text) or "") if columns.text else ""
        url = row.get(columns.url) if columns.url else None
        values = [
            (name, str(row[name])[:_SHOWN_CHARS]) for name in _SHORT_COLUMNS if row.get(name) is not None
        ]
        return PublishedRow(
            id=id_,
            url=None if url is None else str(url),
            split=split,
            text=text,
            text_chars=len(text),
            values=tuple(values),
        )

    def _tally(self, column: str, name: str, *, years: bool = False) -> ValueTally:
        counts: dict[str, int] = {}
        without = 0
        for _, table in self.read(self.groups(), [column]):
            values = _years(table[column]) if years else table[column].cast(pa.string())
            without += values.null_count
            for one in pc.value_counts(pc.drop_null(values)).to_pylist():
                key = one["values"][:_SHOWN_CHARS]
                counts[key] = counts.get(key, 0) + one["counts"]
        n = LISTED_YEARS if years else LISTED_VALUES
        return top_values(name, counts, without=without, by_name=years, n=n)


def top_values(
    column: str, counts: dict[str, int], *, without: int = 0, by_name: bool = False, n: int = LISTED_VALUES
) -> ValueTally:
    """Return the most frequent values, most rows first, or in the order of their names."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    top = sorted(ordered[:n]) if by_name else ordered[:n]
    others = sum(number for _, number in ordered[n:])
    return ValueTally(column=column, values=tuple(top), others=others, n_values=len(counts), without=without)


def _years(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the year of a time, or the first four digits of a text that begins like a date."""
    if pa.types.is_temporal(column.type):
        return pc.year(column).cast(pa.string())
    text = column.cast(pa.string())
    years = pc.utf8_slice_codeunits(text, 0, 4)
    return pc.if_else(pc.match_substring_regex(text, r"^\d{4}($|-)"), years, pa.scalar(None, pa.string()))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
