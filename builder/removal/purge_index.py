"""Delete documents from the index: remove their rows from every segment, and renumber the other rows."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.corpus.opening import check_path
from builder.domain.document_ids import DocumentIds, is_id
from builder.history.index import INDEX_JSON, Segment, open_arrow, shard_rows, write_arrow
from builder.history.lineage import Lineage, check_retired, check_segment

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from builder.corpus import Corpus
    from builder.history.index import ShardFacts
    from builder.removal.purge_scope import Scope

_NUMBERED = "row"


def clean_index(
    corpus: Corpus,
    scope: Scope,
    facts: Mapping[str, ShardFacts],
    purged: Collection[str],
    records_gone: Mapping[str, NDArray[np.int64]],
    folder: Path,
) -> dict[str, dict[str, Path]]:
    """Write each segment again that has data of the purged documents.

    Args:
        facts: facts of the shards that were written again, by the SHA-256 of the old shard.
        purged: SHA-256 of all shards that had a purged row. A shard without facts has no row left.
        records_gone: numbers of the deleted ledger rows, by version.

    Returns:
        The changed files by version, each by its path below the corpus.
    """
    ids = DocumentIds.from_hex(sorted(one for one in scope.documents if is_id(one)))
    versions = [one for one in corpus.versions() if check_path(corpus.index_folder(one), INDEX_JSON).exists()]
    kept = {one: _kept_rows(corpus.index_folder(one) / "rows.arrow", ids) for one in versions}
    changed: dict[str, dict[str, Path]] = {}
    for version in versions:
        segment = _Segment(corpus, version, ids=ids, kept=kept, folder=folder / f"{version}.index")
        segment.write_tables(records_gone[version])
        segment.write_json(facts, purged)
        if segment.files:
            changed[version] = segment.files
    return changed


def _kept_rows(path: Path, ids: DocumentIds) -> NDArray[np.bool_]:
    """Return bool[n_rows]: the rows that are not a purged document and were not merged into one."""
    table = open_arrow(path)
    deleted = np.zeros(table.num_rows, np.bool_)
    for name in ("id", "kept_id"):
        deleted |= pc.is_in(table[name], value_set=ids.to_arrow()).to_numpy()
    return ~deleted


class _Segment:
    """The index segment of one version, written again without the purged rows."""

    def __init__(
        self,
        corpus: Corpus,
        version: str,
        *,
        ids: DocumentIds,
        kept: Mapping[str, NDArray[np.bool_]],
        folder: Path,
    ) -> None:
        self.files: dict[str, Path] = {}
        self._corpus = corpus
        self._source = corpus.index_folder(version)
        self._place = self._source.relative_to(corpus.path).as_posix()
        self._segment = Segment.read(self._source)
        check_segment(self._segment, self._source, version=version)
        check_retired(self._segment, {one: len(rows) for one, rows in kept.items()})
        self._ids = ids
        self._kept = kept
        self._folder = folder
        self._folder.mkdir()

    def write_tables(self, records_gone: NDArray[np.int64]) -> None:
        """Write the Arrow files without the purged rows."""
        mine = self._kept[self._segment.version]
        for path in sorted(self._source.glob("*.arrow")):
            table = open_arrow(path)
            if path.name == "rows.arrow":
                keep = mine
            elif path.name == "records.arrow":
                keep = np.ones(table.num_rows, np.bool_)
                keep[records_gone[records_gone < table.num_rows]] = False
            elif _NUMBERED in table.column_names:
                keep = mine[table[_NUMBERED].to_numpy()]
            else:
                continue
            if not keep.all() or (_NUMBERED in table.column_names and not mine.all()):
                self._write(path.name, table.schema, self._renumbered(table.filter(pa.array(keep))))

    def _renumbered(self, table: pa.Table) -> pa.Table:
        """Give the remaining rows their new numbers."""
        if _NUMBERED not in table.column_names:
            return table
        numbers = np.cumsum(self._kept[self._segment.version]) - 1
        rows = pa.array(numbers[table[_NUMBERED].to_numpy()], table[_NUMBERED].type)
        return table.set_column(table.column_names.index(_NUMBERED), table.schema.field(_NUMBERED), rows)

    def write_json(self, facts: Mapping[str, ShardFacts], purged: Collection[str]) -> None:
        """Write ``shards.arrow`` and ``index.json``: shard facts, and the rows that represent no document."""
        table, shards = self._whole_shards()
        deleted = pc.is_in(table["id"], value_set=pa.array(sorted(self._ids), table["id"].type)).to_numpy()
        fresh: list[ShardFacts] = []
        pieces, first = [], 0
        for shard in shards:
            keep = ~deleted[first : first + shard.rows]
            found = facts.get(shard.sha256) if shard.sha256 in purged or not keep.all() else shard
            if found is not None:
                piece = table.slice(first, shard.rows).filter(pa.array(keep))
                numbers = pa.array(np.full(piece.num_rows, len(fresh), np.int32))
                pieces.append(piece.set_column(0, table.schema.field(0), numbers))
                fresh.append(found)
            first += shard.rows
        if tuple(fresh) != self._segment.shards:
            self._write("shards.arrow", table.schema, pa.concat_tables([table.slice(0, 0), *pieces]))
        changed = dataclasses.replace(
            self._segment, shards=tuple(fresh), retired=self._retired(), moved=self._moved()
        )
        if changed != self._segment:
            path = self._folder / INDEX_JSON
            path.write_bytes(changed.to_bytes())
            self.files[f"{self._place}/{INDEX_JSON}"] = path

    def _whole_shards(self) -> tuple[pa.Table, Sequence[ShardFacts]]:
        """Return all rows of the shards, without references to older shards, which may change too."""
        shards = self._segment.shards
        if not any(shard.derived for shard in shards):
            return open_arrow(self._source / "shards.arrow"), shards
        lineage = Lineage.of(self._corpus, self._segment.version)
        tables = [
            shard_rows(number, lineage.ids(shard.sha256), lineage.digests(shard.sha256))
            for number, shard in enumerate(shards)
        ]
        return pa.concat_tables(tables), [dataclasses.replace(shard, derived=None) for shard in shards]

    def _retired(self) -> dict[str, tuple[int, ...]]:
        retired = {}
        for version, rows in self._segment.retired.items():
            kept = self._kept[version]
            numbers = np.cumsum(kept) - 1
            stay = [int(numbers[row]) for row in rows if kept[row]]
            if stay:
                retired[version] = tuple(stay)
        return retired

    def _moved(self) -> dict[str, str | None]:
        gone = set(self._ids.to_hex())
        return {
            old: None if new in gone else new for old, new in self._segment.moved.items() if old not in gone
        }

    def _write(self, name: str, schema: Any, table: pa.Table) -> None:
        path = self._folder / name
        write_arrow(path, schema, [table])
        self.files[f"{self._place}/{name}"] = path
