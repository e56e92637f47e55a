"""The index: what later versions need to deduplicate against this one, to place rows, and to know inputs.

A version's folder in ``.index`` is a segment: it holds what its own build added. Segments of one lineage are
read together.

    .index/1.1.0/index.json         base (the version that this one builds on), facts of the shards it wrote,
                                    and which remembered rows no longer stand
    .index/1.1.0/rows.arrow         a row for each record that came to the first barrier
    .index/1.1.0/STAGE.arrow        a row for each keeper of a corpus stage
    .index/1.1.0/texts.arrow        texts of keepers that stand in no shard
    .index/1.1.0/shards.arrow       id and digest of each row of the shards that this build wrote; of one
                                    that was written again only of the rows that are new
    .index/1.1.0/records.arrow      what each record that was read is known by

All are Arrow IPC, uncompressed: they are hashes, and are read by memory map.
"""

from __future__ import annotations

import base64
import dataclasses
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from builder.corpus.opening import INDEX_JSON_BYTES, check_path, read_file
from builder.domain.digests import ContentDigest
from builder.domain.document_ids import ID_TYPE
from builder.domain.json.canonical import canonical_json
from builder.domain.json.strict import read_json
from builder.domain.plain_names import is_version
from builder.errors import Fault, TamperedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from builder.domain.document_ids import DocumentIds

_FORMAT = "index-1"
INDEX_JSON = "index.json"
ROW_DIGEST_TYPE, RECORD_KEY_TYPE = pa.binary(32), pa.binary(16)

ROWS_SCHEMA = pa.schema(
    [
        pa.field("id", ID_TYPE, nullable=False),
        pa.field("published", pa.bool_(), nullable=False),
        pa.field("kept_id", ID_TYPE),
    ]
)
"""``rows.arrow``: the id of each record that came to the first barrier (its published one, or the candidate),
whether it was published under it, and the published document that stood for it at the end of its build."""

SHARDS_SCHEMA = pa.schema(
    [
        pa.field("shard", pa.int32(), nullable=False),
        pa.field("id", ID_TYPE, nullable=False),
        pa.field("digest", ROW_DIGEST_TYPE, nullable=False),
    ]
)
"""``shards.arrow``: rows of the shards in ``index.json``, in their order; ``shard`` is a position there. Of a
shard that was made from another one only those that are new."""

TEXTS_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("text", pa.large_binary(), nullable=False),
    ]
)
RECORDS_SCHEMA = pa.schema([pa.field("key", RECORD_KEY_TYPE, nullable=False)])
"""``records.arrow``: a row for each record that this build read, in the order of its ledger: a hash of the
record's bytes as the source gave them, and of the names of source and file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """Which shard another one was made from, and what was done: all other rows are as they were there.

    Attributes:
        source: SHA-256 of a shard that the lineage knows.
        removed: rows of the source that went, ascending.
        replaced: rows of the source in whose place others stand, ascending; their ids stayed.
    """

    source: str
    removed: tuple[int, ...] = ()
    replaced: tuple[int, ...] = ()

    def fresh(self) -> NDArray[np.int64]:
        """int64[n_replaced], where the rows that replace others stand in the shard that was made."""
        replaced = np.asarray(self.replaced, np.int64)
        return replaced - np.searchsorted(np.asarray(self.removed, np.int64), replaced)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFacts:
    """What is known of the rows of one shard; versions that hold the shard share it.

    Attributes:
        content: the state of its content digest.
        newest: the day of its newest fetch, empty if there is none.
        derived: what it was made from, if ``shards.arrow`` holds only the rows of it that are new.
    """

    sha256: str
    rows: int
    raw_bytes: int
    content: bytes
    languages: Mapping[str, int] = field(default_factory=dict)
    domains: Mapping[str, int] = field(default_factory=dict)
    newest: str = ""
    derived: Derived | None = None

    @property
    def told_rows(self) -> int:
        """Rows of it in ``shards.arrow``."""
        return len(self.derived.replaced) if self.derived else self.rows

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        document = {
            "sha256": self.sha256,
            "rows": self.rows,
            "raw_bytes": self.raw_bytes,
            "content": base64.b85encode(self.content).decode(),
            "languages": dict(self.languages),
            "domains": dict(self.domains),
            "newest": self.newest,
        }
        return document | ({"derived": dataclasses.asdict(self.derived)} if self.derived else {})

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> ShardFacts:
        """Read what ``document`` wrote."""
        facts = {**document, "content": base64.b85decode(document["content"])}
        if derived := facts.pop("derived", None):
            removed, replaced = (tuple(derived[name]) for name in ("removed", "replaced"))
            facts["derived"] = Derived(source=derived["source"], removed=removed, replaced=replaced)
        return cls(**facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """What ``index.json`` holds.

    Attributes:
        base: the version whose segment this one goes on from; None where everything was built anew.
        retired: by version of the lineage, rows of ``rows.arrow`` that stand for nothing any more, because
            their page was fetched again, or taken down.
        moved: published id -> the id that stands for it and for all that was merged into it from now on;
            None if nothing does.
    """

    version: str
    base: str | None
    shards: tuple[ShardFacts, ...] = ()
    retired: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    moved: Mapping[str, str | None] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the bytes of the file."""
        return canonical_json(
            {
                "format": _FORMAT,
                "version": self.version,
                "base": self.base,
                "shards": [shard.document() for shard in self.shards],
                "retired": {version: list(rows) for version, rows in self.retired.items()},
                "moved": dict(self.moved),
            }
        )

    @classmethod
    def read(cls, folder: Path) -> Segment:
        """Read a version's ``index.json``.

        Raises:
            TamperedError: if it is not there or has another format.
        """
        where = f"{folder.name}/{INDEX_JSON}"
        try:
            document = read_json(read_file(folder, INDEX_JSON, limit=INDEX_JSON_BYTES))
        except (OSError, ValueError) as error:
            fault = Fault(where=where, what=f"cannot be read: {error}", advice="run verify")
            raise TamperedError(fault) from None
        if not isinstance(document, dict) or document.pop("format", None) != _FORMAT:
            raise TamperedError(Fault(where=where, what=f"is no {_FORMAT}"))
        try:
            return cls._parse(document)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"is not an {_FORMAT}: {type(error).__name__}: {str(error)[:200]}"
            raise TamperedError(Fault(where=where, what=what, advice="run verify")) from None

    @classmethod
    def _parse(cls, document: dict[str, Any]) -> Segment:
        document["shards"] = tuple(map(ShardFacts.parse, document["shards"]))
        document["retired"] = {version: tuple(rows) for version, rows in document["retired"].items()}
        base = document["base"]
        if not (is_version(document["version"]) and (base is None or is_version(base))):
            raise ValueError("it names no version")
        return cls(**document)


def write_arrow(path: Path, schema: pa.Schema, tables: Iterable[pa.Table | pa.RecordBatch]) -> None:
    """Write one file of a segment."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        for table in tables:
            writer.write(table)


def open_arrow(path: Path) -> pa.Table:
    """Open one file of a segment by memory map; None of it is read yet."""
    check_path(path.parent, path.name)
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def write_empty(folder: Path) -> None:
    """Write the files of a segment to which no record came."""
    for name, schema in (("rows", ROWS_SCHEMA), ("records", RECORDS_SCHEMA), ("texts", TEXTS_SCHEMA)):
        write_arrow(folder / f"{name}.arrow", schema, [])


def shard_rows(number: int, ids: DocumentIds, digests: NDArray[np.uint8]) -> pa.Table:
    """Make the rows of ``shards.arrow`` of one shard."""
    columns = [
        pa.array(np.full(len(ids), number, np.int32)),
        ids.to_arrow(),
        digest_column(digests),
    ]
    return pa.Table.from_arrays(columns, schema=SHARDS_SCHEMA)


def digest_column(digests: NDArray[np.uint8]) -> pa.FixedSizeBinaryArray:
    """Make a column of row digests from uint8[n_rows, 32]."""
    return pa.Array.from_buffers(ROW_DIGEST_TYPE, len(digests), [None, pa.py_buffer(digests.tobytes())])


def add_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add counters up; most first, names in order where they are equal."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def sum_content(shards: Iterable[ShardFacts]) -> ContentDigest:
    """Return the content digest of the rows of some shards."""
    total = ContentDigest()
    for shard in shards:
        total = total.merge(ContentDigest(shard.content))
    return total
