"""Define the manifest: what one version consists of. Its SHA-256 is the version's digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from builder.assets import schemas_folder
from builder.domain.contract.schema_document import describe_schema, restore_schema
from builder.domain.json.canonical import canonical_json
from builder.domain.json.strict import read_json
from builder.domain.ledger import OUTCOMES
from builder.domain.plain_names import is_plain_path, is_sha256
from builder.domain.version import Version
from builder.errors import CorpusError, Fault
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

_FORMAT = "manifest-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """A file of a version; ``path`` is relative to the version's folder, with forward slashes."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardEntry:
    """One Parquet file of a split."""

    path: str
    sha256: str
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CutSizes:
    """The least and greatest size of shards and of row groups, in raw bytes.

    ``io.parquet_sink.shards`` has the rule.
    """

    shard_min: int
    shard_max: int
    group_min: int
    group_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitEntry:
    """One split. ``bytes`` is the size of its files, ``raw_bytes`` that of its rows in canonical encoding."""

    rows: int
    bytes: int
    raw_bytes: int
    content_digest: str
    order_digest: str
    cut: CutSizes
    shards: tuple[ShardEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Manifest(Summarised):
    """What one version consists of, and what it was built from. No time, no host, no absolute path.

    ``document()`` returns the content of the file; ``schemas/manifest-1.schema.json`` describes each field.
    ``columns`` is the field ``schema`` of the file; ``parent`` is ``{"version": ..., "digest": ...}``.
    """

    name: str
    version: str
    parent: Mapping[str, str] | None
    reason: str
    contract: Mapping[str, Any]
    recipe: Mapping[str, Any]
    inputs: Mapping[str, Any]
    tombstones: Mapping[str, Any]
    columns: pa.Schema
    counts: Mapping[str, Any]
    tools: Mapping[str, str]
    files: tuple[FileEntry, ...]
    splits: Mapping[str, SplitEntry]
    format: str = field(default=_FORMAT, init=False)

    def _summary(self) -> dict[str, object]:
        return {
            "name": self.name,
            "version": self.version,
            "digest": self.digest,
            "reason": self.reason,
            "splits": {name: split.rows for name, split in self.splits.items()},
        }

    @property
    def data_digest(self) -> str:
        """SHA-256 over the contract, the schema, and the row count and two digests of each split."""
        splits = {
            name: [split.rows, split.content_digest, split.order_digest]
            for name, split in self.splits.items()
        }
        facts = {"contract": self.contract, "schema": describe_schema(self.columns), "splits": splits}
        return hashlib.sha256(canonical_json(facts)).hexdigest()

    @property
    def digest(self) -> str:
        """SHA-256 of the file, which is the version's digest."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @property
    def url_rules(self) -> int:
        """The number of the rules of canonical URLs that this version was built with."""
        return int(self.recipe.get("url_rules", 1))

    @property
    def rows(self) -> int:
        """Number of rows of all splits."""
        return sum(split.rows for split in self.splits.values())

    def shards(self) -> Iterator[tuple[str, ShardEntry]]:
        """Yield the shards of all splits, in order, each with the name of its split."""
        for name, split in self.splits.items():
            for shard in split.shards:
                yield name, shard

    def document(self) -> dict[str, Any]:
        """Return the manifest as plain JSON values."""
        facts = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        del facts["columns"]
        return facts | {
            "schema": describe_schema(self.columns),
            "data_digest": self.data_digest,
            "files": [dataclasses.asdict(file) for file in self.files],
            "splits": {name: dataclasses.asdict(split) for name, split in self.splits.items()},
        }

    def to_bytes(self) -> bytes:
        """Return the bytes of ``manifest.json``."""
        return canonical_json(self.document())

    @classmethod
    def parse(cls, data: bytes, *, where: str = "manifest.json") -> Manifest:
        """Read ``manifest.json``.

        Raises:
            CorpusError: with every fault, if the bytes are not a manifest of a known format, are not
                canonical JSON, or contradict themselves.
        """
        try:
            return cls._parse(_read_document(data, where=where), where=where)
        except (RecursionError, ValueError, TypeError, KeyError, OverflowError, NotImplementedError) as error:
            what = f"is not a manifest: {type(error).__name__}: {str(error)[:200]}"
            raise CorpusError(Fault(where=where, what=what)) from None

    @classmethod
    def _parse(cls, document: dict[str, Any], *, where: str) -> Manifest:
        facts = {one.name: document[one.name] for one in dataclasses.fields(cls) if one.name in document}
        del facts["format"]
        facts |= {
            "columns": restore_schema(document["schema"]),
            "files": tuple(FileEntry(**file) for file in document["files"]),
            "splits": {name: _read_split(split) for name, split in document["splits"].items()},
        }
        manifest = cls(**facts)
        if wrong := [Fault(where=where, what=what) for what in _contradictions(manifest, document)]:
            raise CorpusError(*wrong)
        return manifest


def _read_document(data: bytes, *, where: str) -> dict[str, Any]:
    try:
        document: Any = read_json(data)
    except ValueError as error:
        raise CorpusError(Fault(where=where, what=f"is not JSON: {error}")) from None
    if isinstance(document, dict) and document.get("format") != _FORMAT:
        what = f"has the format {document.get('format')!r}, not {_FORMAT!r}"
        raise CorpusError(Fault(where=where, what=what, advice="try a newer release of builder"))
    faults = sorted(_validator().iter_errors(document), key=lambda error: error.json_path)
    if faults:
        raise CorpusError(*(Fault(where=f"{where} {e.json_path}", what=e.message[:300]) for e in faults))
    if canonical_json(document) != data:
        raise CorpusError(Fault(where=where, what="is not canonical JSON, so builder did not write it"))
    return dict(document)


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    schema = json.loads((schemas_folder() / f"{_FORMAT}.schema.json").read_bytes())
    return Draft202012Validator(schema)


def _read_split(split: dict[str, Any]) -> SplitEntry:
    shards = tuple(ShardEntry(**shard) for shard in split["shards"])
    return SplitEntry(**{**split, "cut": CutSizes(**split["cut"]), "shards": shards})


def _contradictions(manifest: Manifest, document: Mapping[str, Any]) -> Iterator[str]:
    version = Version.parse(manifest.version)
    if manifest.parent and Version.parse(manifest.parent["version"]) >= version:
        yield f"version {version} names {manifest.parent['version'][:100]} as its parent, which is not lower"
    if manifest.data_digest != document["data_digest"]:
        yield "data_digest does not match contract, schema and splits"
    for name, split in manifest.splits.items():
        if split.rows != (n_rows := sum(shard.rows for shard in split.shards)):
            yield f"split {name} has {split.rows} rows, but its shards have {n_rows}"
        if split.bytes != (n_bytes := sum(shard.bytes for shard in split.shards)):
            yield f"split {name} has {split.bytes} bytes, but its shards have {n_bytes}"
    paths = [file.path for file in manifest.files] + [shard.path for _, shard in manifest.shards()]
    if len(set(paths)) < len(paths):
        yield "two files or shards have the same path"
    for path in paths:
        if not is_plain_path(path):
            yield f"the path {path[:200]!r} is not one of a version's files"
    hashes = [file.sha256 for file in manifest.files] + [shard.sha256 for _, shard in manifest.shards()]
    if not all(map(is_sha256, hashes)):
        yield "a file has no SHA-256"
    counts = manifest.counts
    read = counts["records"] + counts.get("restated", 0)
    if read != (total := sum(counts[outcome] for outcome in OUTCOMES)):
        yield f"counts: {read} records were read or restated, but the outcomes add up to {total}"
