"""Make a small corpus without a build: random rows from a seed, other files as in a build."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from shard_plans import cut_split

from builder.corpus import Corpus, Staging
from builder.domain.digests import ContentDigest, OrderDigest
from builder.domain.ledger import CLUSTERS_SCHEMA, LEDGER_SCHEMA, REJECTED_SCHEMA
from builder.domain.manifest import CutSizes, Manifest, ShardEntry, SplitEntry
from builder.io.parquet_sink.rows import encode_rows, row_digests, row_sizes
from builder.io.parquet_sink.shards import write_shard

if TYPE_CHECKING:
    from pathlib import Path

NAME = "synthetic"
SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("tags", pa.list_(pa.string()))])
CUT = CutSizes(shard_min=3_000, shard_max=6_000, group_min=1_000, group_max=2_000)
SHARES = {"train": 0.8, "test": 0.2}
README = "---\nconfigs:\n- config_name: default\n---\n# synthetic\n"


def make_rows(n_rows: int, *, seed: int, first: int = 0) -> pa.Table:
    """Return the rows ``first`` to ``first + n_rows``; the same seed gives the same rows."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(map(str, rng.integers(0, 1_000, rng.integers(1, 60)))) for _ in range(n_rows)]
    columns = {
        "id": [f"{seed:04d}{i:08d}" for i in range(first, first + n_rows)],
        "text": texts,
        "tags": [None if i % 4 == 0 else [str(i % 7)] * (i % 3) for i in range(n_rows)],
    }
    return pa.table(columns, schema=SCHEMA)


def write_version(corpus: Corpus, version: str, parts: list[pa.Table]) -> Manifest:
    """Write a version with the rows of all parts. Each part begins new shards, as additions do."""
    with corpus.lock():
        staging = corpus.begin(version)
        manifest = stage_version(corpus, staging, parts)
        corpus.commit(staging, manifest, README + version)
    return manifest


def stage_version(corpus: Corpus, staging: Staging, parts: list[pa.Table]) -> Manifest:
    splits, kept = {}, []
    for name, share in (("train", slice(0, 8)), ("test", slice(8, 10))):
        mine = range(10)[share]
        pieces = [part.take([i for i in range(len(part)) if i % 10 in mine]) for part in parts]
        splits[name] = _write_split(corpus, staging, name, pieces)
        kept += [(name, row) for piece in pieces for row in piece["id"].to_pylist()]
    counts = _write_audit(staging.audit, kept)
    (staging.index / "near.arrow").write_bytes(bytes(range(256)) * 8)
    (staging.folder / "README.md").write_text(f"# {NAME} {staging.version}\n", encoding="utf-8")
    (staging.folder / "croissant.json").write_text("{}\n", encoding="utf-8")
    pq.write_table(pa.table({"source": ["jsonl"], "path": ["a.jsonl"]}), staging.folder / "inputs.parquet")
    newest = corpus.find_newest()
    return Manifest(
        name=NAME,
        version=staging.version,
        parent={"version": newest, "digest": corpus.digest(newest)} if newest else None,
        reason="first version" if newest is None else "MINOR: rows were added",
        contract={"name": "page-1", "digest": "0" * 64},
        recipe={"digest": "1" * 64, "document": {"name": NAME, "splits": SHARES}},
        inputs={"count": 1, "bytes": 10, "digest": "2" * 64, "files": []},
        tombstones={"count": 0, "digest": "3" * 64},
        columns=SCHEMA,
        counts=counts,
        tools={"builder": "0"},
        files=staging.file_entries(),
        splits=splits,
    )


def _write_split(corpus: Corpus, staging: Staging, name: str, pieces: list[pa.Table]) -> SplitEntry:
    table = pa.concat_tables(pieces).combine_chunks()
    batch = table.to_batches()[0]
    data, offsets = encode_rows(batch)
    order = OrderDigest()
    order.update(row_digests(data, offsets))
    hashes = np.array([hash_id(row) for row in table["id"].to_pylist()], np.uint64)
    sizes = row_sizes(batch)
    bounds = np.cumsum([0, *(len(piece) for piece in pieces)])
    planned = [
        [(first + start, first + stop) for start, stop in groups]
        for first, end in itertools.pairwise(bounds.tolist())
        for groups in cut_split(hashes[first:end], sizes[first:end], by=CUT)
    ]
    shards = []
    for number, groups in enumerate(planned):
        path = f"data/{name}-{number:05d}-of-{len(planned):05d}.parquet"
        tables = [table.slice(start, stop - start) for start, stop in groups]
        written = write_shard(corpus.spool("build") / "shard.parquet", SCHEMA, tables)
        staging.add_shard(written.path, name=path, sha256=written.sha256)
        shards.append(ShardEntry(path=path, sha256=written.sha256, bytes=written.bytes, rows=written.rows))
    return SplitEntry(
        rows=len(table),
        bytes=sum(shard.bytes for shard in shards),
        raw_bytes=len(data),
        content_digest=ContentDigest().add(data, offsets).hexdigest(),
        order_digest=order.hexdigest(),
        cut=CUT,
        shards=tuple(shards),
    )


def hash_id(text: str) -> int:
    from blake3 import blake3

    return int.from_bytes(blake3(text.encode()).digest(length=8), "little")


def _write_audit(audit: Path, kept: list[tuple[str, str]]) -> dict[str, Any]:
    rows = [_ledger_row(i, outcome="kept", split=s, document_id=d) for i, (s, d) in enumerate(kept)]
    rows.append(_ledger_row(len(rows), outcome="merged", stage="dedup_exact", reason="duplicate"))
    rows.append(_ledger_row(len(rows), outcome="failed", stage="jsonl", reason="broken_json"))
    pq.write_table(pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA), audit / "ledger.parquet")
    pq.write_table(REJECTED_SCHEMA.empty_table(), audit / "rejected.parquet")
    pq.write_table(CLUSTERS_SCHEMA.empty_table(), audit / "clusters.parquet")
    (audit / "run.json").write_text(json.dumps({"seconds": 1.5}), encoding="utf-8")
    outcomes = Counter(row["outcome"] for row in rows)
    return {
        "records": len(rows),
        **{name: outcomes[name] for name in ("kept", "rejected", "merged", "failed")},
        "reasons": {"merged": {"dedup_exact": {"duplicate": 1}}, "failed": {"jsonl": {"broken_json": 1}}},
    }


def _ledger_row(ordinal: int, **facts: Any) -> dict[str, Any]:
    record_id = f"jsonl/a.jsonl@{ordinal * 10}"
    place = {"source": "jsonl", "path": "a.jsonl", "ordinal": ordinal, "offset": ordinal * 10}
    return {**dict.fromkeys(LEDGER_SCHEMA.names), "record_id": record_id, **place, **facts}


def make_corpus(path: Path) -> Corpus:
    """Make a corpus of two versions; the second adds rows, so it shares the first one's shards."""
    corpus = Corpus.open_or_create(path, name=NAME)
    first, second = make_rows(150, seed=1), make_rows(40, seed=2)
    write_version(corpus, "1.0.0", [first])
    write_version(corpus, "1.1.0", [first, second])
    return corpus
