"""The index: what later versions need to deduplicate against this one, to locate rows, and to know records.

A version's folder in ``.index`` is a segment: it contains what the build of that version added. The segments
of a lineage are read together.

    .index/1.1.0/index.json         base (the version that this one builds on), facts on the shards that this
                                    build wrote, and which past rows are retired
    .index/1.1.0/rows.arrow         one row for each record that reached the first barrier
    .index/1.1.0/STAGE.arrow        one row for each keeper of a corpus stage
    .index/1.1.0/texts.arrow        texts of keepers that are in no shard
    .index/1.1.0/shards.arrow       id and digest of each row of the shards that this build wrote; of a
                                    rewritten shard only the new rows
    .index/1.1.0/records.arrow      the key of each record that this build read

All ``.arrow`` files are uncompressed Arrow IPC: they mostly contain hashes, and are read by memory map.
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
from builder.errors import BuilderError, Fault, TamperedError
from builder.history.index_grammar import wrong_segment
from builder.io.streams.replacing import replacing

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
"""``rows.arrow``: one row for each record that reached the first barrier.

``id`` is its published id, else its candidate id. ``published`` is true if it was published under this id.
``kept_id`` is the published document that represented it at the end of its build.
"""

SHARDS_SCHEMA = pa.schema(
    [
        pa.field("shard", pa.int32(), nullable=False),
        pa.field("id", ID_TYPE, nullable=False),
        pa.field("digest", ROW_DIGEST_TYPE, nullable=False),
    ]
)
"""``shards.arrow``: the rows of the shards in ``index.json``, in their order; ``shard`` is a position there.

Of a shard that was derived from another one, only the new rows are listed.
"""

TEXTS_SCHEMA = pa.schema(
    [
        pa.field("stage", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("text", pa.large_binary(), nullable=False),
    ]
)
RECORDS_SCHEMA = pa.schema([pa.field("key", RECORD_KEY_TYPE, nullable=False)])
"""``records.arrow``: one row for each record that this build read, in the order of its ledger.

``key`` is a hash of the record's bytes as the source returned them, and of the names of source and file.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """How a shard was derived from another one; all rows that are not named here are unchanged.

    Attributes:
        source: SHA-256 of the other shard, which is in the lineage.
        removed: rows of the source that were removed, ascending.
        replaced: rows of the source that were replaced by a new row with the same id, ascending.
    """

    source: str
    removed: tuple[int, ...] = ()
    replaced: tuple[int, ...] = ()

    def fresh(self) -> NDArray[np.int64]:
        """Return int64[n_replaced], the positions of the replacing rows in the derived shard."""
        replaced = np.asarray(self.replaced, np.int64)
        return replaced - np.searchsorted(np.asarray(self.removed, np.int64), replaced)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardFacts:
    """Facts on the rows of one shard; all versions that contain the shard share them.

    Attributes:
        content: the state of its content digest.
        newest: the day of its newest fetch; empty if no row has one.
        derived: how it was derived from another shard, if ``shards.arrow`` lists only its new rows.
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
    def listed_rows(self) -> int:
        """The number of its rows in ``shards.arrow``."""
        return len(self.derived.replaced) if self.derived else self.rows

    def document(self) -> dict[str, Any]:
        """Return the facts as plain JSON values."""
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
        """Read what ``document`` returned."""
        facts = {**document, "content": ContentDigest(base64.b85decode(document["content"])).state}
        if derived := facts.pop("derived", None):
            removed, replaced = (tuple(derived[name]) for name in ("removed", "replaced"))
            facts["derived"] = Derived(source=derived["source"], removed=removed, replaced=replaced)
        return cls(**facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The content of ``index.json``.

    Attributes:
        base: the version whose segment this one builds on; None after a full rebuild.
        retired: by version of the lineage, the rows of ``rows.arrow`` that represent nothing any more,
            because their page was fetched again or taken down.
        moved: published id -> the id that represents it, and everything that was merged into it, from this
            version on; None if no document does.
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
            TamperedError: if the file cannot be read, or has another format.
        """
        where = f"{folder.name}/{INDEX_JSON}"
        try:
            document = read_json(read_file(folder, INDEX_JSON, limit=INDEX_JSON_BYTES))
        except (OSError, ValueError) as error:
            fault = Fault(where=where, what=f"cannot be read: {error}", advice="run builder verify")
            raise TamperedError(fault) from None
        if not isinstance(document, dict) or document.pop("format", None) != _FORMAT:
            what = f"does not have the format {_FORMAT}"
            raise TamperedError(Fault(where=where, what=what, advice="run builder verify"))
        try:
            return cls._parse(document)
        except (ValueError, BuilderError) as error:
            what = f"is not a valid {_FORMAT}: {str(error)[:200]}"
            raise TamperedError(Fault(where=where, what=what, advice="run builder verify")) from None

    @classmethod
    def _parse(cls, document: dict[str, Any]) -> Segment:
        if wrong := wrong_segment(document):
            raise ValueError(wrong)
        document["shards"] = tuple(map(ShardFacts.parse, document["shards"]))
        document["retired"] = {version: tuple(rows) for version, rows in document["retired"].items()}
        return cls(**document)


def write_arrow(path: Path, schema: pa.Schema, tables: Iterable[pa.Table | pa.RecordBatch]) -> None:
    """Write one file of a segment."""
    with (
        replacing(path) as beside,
        pa.OSFile(str(beside), "wb") as file,
        pa.ipc.new_file(file, schema) as writer,
    ):
        for table in tables:
            writer.write(table)


def open_arrow(path: Path) -> pa.Table:
    """Open one file of a segment by memory map; nothing is read yet.

    Raises:
        TamperedError: if it is not a whole Arrow file.
    """
    check_path(path.parent, path.name)
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except pa.ArrowInvalid as error:
        what = f"is not a whole Arrow file: {str(error).splitlines()[0][:200]}"
        where = f"{path.parent.name}/{path.name}"
        raise TamperedError(Fault(where=where, what=what, advice="run `builder verify`")) from None


def write_empty(folder: Path) -> None:
    """Write the files of a segment without records."""
    for name, schema in (("rows", ROWS_SCHEMA), ("records", RECORDS_SCHEMA), ("texts", TEXTS_SCHEMA)):
        write_arrow(folder / f"{name}.arrow", schema, [])


def shard_rows(number: int, ids: DocumentIds, digests: NDArray[np.uint8]) -> pa.Table:
    """Return the rows of one shard for ``shards.arrow``; ``number`` is the shard's position."""
    columns = [
        pa.array(np.full(len(ids), number, np.int32)),
        ids.to_arrow(),
        digest_column(digests),
    ]
    return pa.Table.from_arrays(columns, schema=SHARDS_SCHEMA)


def digest_column(digests: NDArray[np.uint8]) -> pa.FixedSizeBinaryArray:
    """Return a column of row digests from uint8[n_rows, 32]."""
    return pa.Array.from_buffers(ROW_DIGEST_TYPE, len(digests), [None, pa.py_buffer(digests.tobytes())])


def add_counts(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Add counters up; the highest count comes first, equal counts in the order of their names."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def sum_content(shards: Iterable[ShardFacts]) -> ContentDigest:
    """Return the content digest of the rows of several shards."""
    total = ContentDigest()
    for shard in shards:
        total = total.merge(ContentDigest(shard.content))
    return total
