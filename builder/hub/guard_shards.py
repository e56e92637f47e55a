"""Check that the shards open and have the rows and columns of the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pat

from builder.corpus.opening import check_path
from builder.errors import ContractError, CorpusError, Fault
from builder.io.parquet_sink.features import huggingface_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from builder.domain.manifest import Manifest


class Footers:
    """The footers of a version's shards, each read once; None for a file that cannot be opened."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[pq.FileMetaData, pa.Schema] | None] = {}

    def read(self, name: str) -> tuple[pq.FileMetaData, pa.Schema] | None:
        """Return the metadata and the columns of a file."""
        if name not in self._known:
            try:
                with pq.ParquetFile(check_path(self._folder, name)) as file:
                    self._known[name] = (file.metadata, file.schema_arrow)
            except (OSError, pa.ArrowException, CorpusError):
                self._known[name] = None
        return self._known[name]


def column_faults(columns: pa.Schema) -> Iterator[Fault]:
    """Find columns that ``load_dataset`` cannot open, and columns of type null, whose type it would guess."""
    try:
        huggingface_metadata(columns)
    except ContractError as error:
        yield from error.faults
    for column in columns:
        if _holds_null(column.type):
            what = "a column of type null has no type for readers to rely on"
            yield Fault(where=f"/{column.name}", what=what, advice="give it a type in the contract")


def _holds_null(kind: pa.DataType) -> bool:
    if pat.is_null(kind):
        return True
    return any(_holds_null(kind.field(i).type) for i in range(kind.num_fields))


def shard_faults(manifest: Manifest, footers: Footers) -> Iterator[Fault]:
    """Open each shard and compare its rows and columns with the manifest."""
    if not manifest.rows:
        yield Fault(where=manifest.version, what="has no rows")
    for split, shard in manifest.shards():
        footer = footers.read(shard.path)
        where = f"{manifest.version}/{shard.path}"
        if footer is None:
            yield Fault(where=where, what=f"cannot be opened (split {split})", advice="run `builder verify`")
            continue
        n_rows, columns = footer[0].num_rows, footer[1]
        if n_rows == 0:
            yield Fault(where=where, what="has no rows", advice="a split without rows must not have a file")
        if n_rows != shard.rows:
            yield Fault(where=where, what=f"has {n_rows:,} rows, but the manifest says {shard.rows:,}")
        if not columns.equals(manifest.columns):
            yield Fault(where=where, what="has other columns than the manifest says")
