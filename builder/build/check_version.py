"""``check`` of a version: would ``load_dataset`` open it, and give the rows that the manifest tells?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pat

from builder.corpus import Corpus, split_address
from builder.errors import ContractError, Fault
from builder.io.features import huggingface_metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from builder.domain.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionCheck:
    """What a version offers to those who load it, and every fault that was found.

    ``rows`` are those of the shards that the card names for each split, by their footers: the number that
    ``load_dataset`` would give.
    """

    corpus: Path
    version: str
    faults: Sequence[Fault]
    n_shards: int
    rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def fit(self) -> bool:
        """Whether it can be published as it is."""
        return not self.faults


def check_version(address: str | Path) -> VersionCheck:
    """Open every shard of a version (the newest if none is named) and compare it with manifest and card.

    Rows are not read: ``verify`` does that, and compares every byte.

    Raises:
        CorpusError: if there is no corpus or not this version, its manifest was changed, or its rows went.
    """
    folder, version = split_address(address)
    corpus = Corpus(folder)
    version = version or corpus.newest()
    manifest = corpus.manifest(version)
    corpus.shards(version)
    place = corpus.version_folder(version)
    rows: dict[str, int] = {}
    faults = list(_column_faults(manifest.columns))
    if (why := corpus.yanked(version)) is not None:
        faults.append(Fault(where=version, what=f"was yanked: {why}", advice="publish another version"))
    footers = _Footers(place)
    faults += _shard_faults(manifest, footers)
    faults += _card_faults(manifest, place, footers, rows)
    return VersionCheck(
        corpus=corpus.path, version=version, faults=faults, n_shards=len(list(manifest.shards())), rows=rows
    )


class _Footers:
    """The footers of a version's shards, each read once; None where there is none to read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[int, pa.Schema] | None] = {}

    def read(self, name: str) -> tuple[int, pa.Schema] | None:
        """Return rows and columns of a file."""
        if name not in self._known:
            try:
                with pq.ParquetFile(self._folder / name) as file:
                    self._known[name] = (file.metadata.num_rows, file.schema_arrow)
            except (OSError, pa.ArrowException):
                self._known[name] = None
        return self._known[name]


def _column_faults(columns: pa.Schema) -> Iterator[Fault]:
    """Find what ``load_dataset`` cannot open, and columns of nulls, which it would guess a type for."""
    try:
        huggingface_metadata(columns)
    except ContractError as error:
        yield from error.faults
    for column in columns:
        if _holds_null(column.type):
            what = "a column of type null has no type that a reader could rely on"
            yield Fault(where=f"/{column.name}", what=what, advice="give it a type in the contract")


def _holds_null(kind: pa.DataType) -> bool:
    if pat.is_null(kind):
        return True
    return any(_holds_null(kind.field(i).type) for i in range(kind.num_fields))


def _shard_faults(manifest: Manifest, footers: _Footers) -> Iterator[Fault]:
    if not manifest.rows:
        yield Fault(where=manifest.version, what="has no rows")
    for split, shard in manifest.shards():
        footer = footers.read(shard.path)
        where = f"{manifest.version}/{shard.path}"
        if footer is None:
            yield Fault(where=where, what=f"of split {split} cannot be opened", advice="run verify")
            continue
        n_rows, columns = footer
        if n_rows == 0:
            yield Fault(where=where, what="is empty", advice="a split without rows must have no file")
        if n_rows != shard.rows:
            yield Fault(where=where, what=f"has {n_rows:,} rows, the manifest says {shard.rows:,}")
        if not columns.equals(manifest.columns):
            yield Fault(where=where, what="has other columns than the manifest says")


def _card_faults(
    manifest: Manifest, folder: Path, footers: _Footers, rows: dict[str, int]
) -> Iterator[Fault]:
    """Follow the card as ``load_dataset`` does; what it would give goes into ``rows``."""
    where = f"{manifest.version}/README.md"
    files = _files_of_card(folder)
    if files is None:
        yield Fault(where=where, what="names no files to load", advice="run verify")
        return
    for split, names in files.items():
        found = [footers.read(name) for name in names]
        rows[split] = sum(footer[0] for footer in found if footer is not None)
        for name, footer in zip(names, found, strict=True):
            if footer is None:
                yield Fault(where=where, what=f"names {name}, which cannot be opened")
    told = {name: split.rows for name, split in manifest.splits.items()}
    if rows != told:
        yield Fault(where=where, what=f"gives the splits {rows}, the manifest says {told}")


def _files_of_card(folder: Path) -> dict[str, list[str]] | None:
    """Return the files of each split, as the first config of the card lists them."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = (folder / "README.md").read_text(encoding="utf-8")
        config: Any = YAML(typ="safe", pure=True).load(text.split("---\n")[1])["configs"][0]
        return {one["split"]: list(one["path"]) for one in config["data_files"]}
    except (OSError, UnicodeDecodeError, IndexError, KeyError, TypeError, YAMLError):
        return None
