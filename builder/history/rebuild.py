"""Build the index of a version from its rows, for a corpus without one, such as a fetched corpus.

The rows do not show which records were merged or rejected, nor what was taken down. This stays unknown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from builder.card.source import CardSource
from builder.corpus.opening import check_path
from builder.domain.document_ids import DocumentIds
from builder.domain.row_numbers import BarrierOrMemory
from builder.domain.url import URL_RULES
from builder.history.index import (
    INDEX_JSON,
    ROWS_SCHEMA,
    SHARDS_SCHEMA,
    Segment,
    ShardFacts,
    digest_column,
    write_arrow,
    write_empty,
)
from builder.history.lineage import Lineage
from builder.history.shard_notes import NotedColumns, ShardNotes
from builder.protocols import Columns, CorpusStage, Verdicts
from builder.recipe.built import built_stages
from builder.stages.binding.placed import joins_notes, stage_kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest

UNKNOWN_HISTORY = (
    "this corpus has no index; builder builds one from the rows. "
    "Merged URLs and former takedowns are not known"
)
_ROWS_AT_ONCE = 2_048


def open_lineage(corpus: Corpus, version: str, *, folder: Path) -> Lineage:
    """Return the lineage of a version; if the version has no index, build one in ``folder``.

    Such a lineage is ``borrowed``: the index of the next version absorbs it.
    """
    if check_path(corpus.index_folder(version), INDEX_JSON).exists():
        return Lineage.of(corpus, version)
    made = folder / "index"
    made.mkdir(parents=True, exist_ok=True)
    if not (made / INDEX_JSON).exists():
        _make(corpus, version, made)
    return replace(Lineage(corpus, corpus.as_is(version), [made]), borrowed=True)


def _make(corpus: Corpus, version: str, folder: Path) -> None:
    manifest = corpus.as_is(version)
    shards: list[ShardFacts] = []
    write_empty(folder)
    with _Writers(folder, manifest) as writers:
        for path, sha256 in _files(corpus, manifest):
            notes = ShardNotes(NotedColumns.of(manifest.columns, Columns.of_manifest(manifest)))
            for batch in pq.ParquetFile(path).iter_batches(batch_size=_ROWS_AT_ONCE):
                notes.take(pa.Table.from_batches([batch]))
                writers.take(batch, shard=len(shards), digests=notes.digests[-1])
            shards.append(notes.facts(sha256, sum(map(len, notes.ids))))
    CardSource.of_document(manifest.recipe["document"]).write(folder)
    (folder / INDEX_JSON).write_bytes(Segment(version=version, base=None, shards=tuple(shards)).to_bytes())


def _files(corpus: Corpus, manifest: Manifest) -> Iterator[tuple[Path, str]]:
    for _, shard in manifest.shards():
        yield corpus.version_file(manifest.version, shard.path), shard.sha256


@dataclass(frozen=True, slots=True)
class SketchResources:
    """The part of a stage's resources that a sketch needs."""

    columns: Columns
    url_rules: int = URL_RULES


@dataclass(frozen=True)
class _BatchSketches:
    """The sketches of one batch."""

    batch: pa.RecordBatch

    @property
    def n_rows(self) -> int:
        return int(self.batch.num_rows)

    def column(self, name: str) -> pa.ChunkedArray:
        return pa.chunked_array([self.batch.column(name)])

    def release(self) -> None:
        """Do nothing: the sketches are not in a file."""


class _Writers:
    """Writes the files of the segment, from one batch after the other."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self._folder, self._roles = folder, Columns.of_manifest(manifest)
        self._stages = list(_stages(manifest, self._roles))
        self._url_rules = manifest.url_rules
        self._tables: dict[str, list[pa.Table]] = {}
        self._n_rows = 0

    def __enter__(self) -> _Writers:
        return self

    def __exit__(self, *error: object) -> None:
        for name, tables in self._tables.items():
            write_arrow(self._folder / f"{name}.arrow", tables[0].schema, tables)

    def take(self, batch: pa.RecordBatch, *, shard: int, digests: Any) -> None:
        """Add some published rows, each as a keeper of every stage."""
        n = batch.num_rows
        ids = DocumentIds.of_texts(batch.column(0)).to_arrow()
        self._add("rows", [ids, pa.array([True] * n), ids], ROWS_SCHEMA)
        numbers = pa.array(np.full(n, shard, np.int32))
        self._add("shards", [numbers, ids, digest_column(digests)], SHARDS_SCHEMA)
        resources: Any = SketchResources(self._roles, self._url_rules)
        keepers = Verdicts(keeper=BarrierOrMemory(np.arange(n)), similarity=np.full(n, np.nan), reason="")
        for stage in self._stages:
            sketches = _BatchSketches(stage.sketch(batch, resources=resources))
            table = stage.remember(sketches, keepers)
            rows = pa.array(table["row"].to_numpy() + self._n_rows)
            table = table.set_column(table.schema.get_field_index("row"), "row", rows)
            self._tables.setdefault(stage.name, []).append(table)
        self._n_rows += n

    def _add(self, name: str, columns: list[pa.Array], schema: pa.Schema) -> None:
        self._tables.setdefault(name, []).append(pa.Table.from_arrays(columns, schema=schema))


def _stages(manifest: Manifest, roles: Columns) -> Iterator[CorpusStage]:
    for entry in built_stages(manifest.recipe):
        stage = entry.make()
        needed = roles.url if stage_kind(stage) == "dedup_url" else roles.text
        if isinstance(stage, CorpusStage) and needed is not None and not joins_notes(stage):
            yield stage
