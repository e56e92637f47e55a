"""A small corpus folder on disk, and the facts that belong to it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder.card.card import render_card, render_root_card
from builder.card.facts import (
    CardFacts,
    ChangeFacts,
    Count,
    InputFacts,
    RecordFacts,
    ShardFile,
    SourceFacts,
    SplitFacts,
    StageFacts,
    VersionFacts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

COLUMNS = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("text", pa.string()),
        pa.field("fetched_at", pa.timestamp("us", tz="UTC")),
    ]
)


@pytest.fixture(name="make_facts")
def fixture_make_facts() -> Callable[..., CardFacts]:
    """Make facts of a version with two filled splits, without files on disk; any field can be given."""
    return make_facts


@pytest.fixture(name="write_version")
def fixture_write_version() -> Callable[..., CardFacts]:
    """Write a version folder with its card, one shard for each table of each split; return its facts."""
    return write_version


def make_facts(**changes: object) -> CardFacts:
    shard = ShardFile(path="data/train-00000-of-00001.parquet", size_bytes=1000, rows=9, sha256="ab" * 32)
    test = ShardFile(path="data/test-00000-of-00001.parquet", size_bytes=200, rows=1, sha256="cd" * 32)
    values: dict[str, object] = {
        "name": "gazette",
        "version": "1.0.0",
        "columns": COLUMNS,
        "splits": {
            "train": SplitFacts(rows=9, raw_bytes=5000, shards=(shard,)),
            "test": SplitFacts(rows=1, raw_bytes=600, shards=(test,)),
        },
    }
    return CardFacts(**(values | changes))


@pytest.fixture
def full_facts() -> CardFacts:
    """Facts with a value in every field."""
    return make_facts(
        title="The Gazette, whole",
        description="News of a harbour.\n\nWith a second paragraph.",
        license="cc-by-4.0",
        language=("en", "no"),
        tags=("news",),
        version="1.1.0",
        parent="1.0.0",
        reason="4 documents added",
        date="2026-03-01",
        column_notes={"text": "the main text"},
        stages=tuple(
            StageFacts(name=name, options=options)
            for name, options in [
                ("warc", {"path": "crawl/*.warc.gz"}),
                ("validate", {}),
                ("extract_text", {"method": "trafilatura"}),
                ("dedup_near", {"threshold": 0.8}),
            ]
        ),
        source_kinds=("warc",),
        read=RecordFacts(
            records=26,
            counts=(
                Count(stage="warc", reason="http_status", outcome="rejected", records=5),
                Count(stage="warc", reason="gzip_truncated", outcome="failed", records=1),
                Count(stage="validate", reason="required", outcome="rejected", records=2),
                Count(stage="dedup_near", reason="near_duplicate", outcome="merged", records=8),
            ),
            sources=(
                SourceFacts(name="crawl", records=20, kept=8, rejected=7, merged=4, failed=1),
                SourceFacts(name="old-crawl", records=6, kept=2, rejected=0, merged=4, failed=0),
            ),
        ),
        added=RecordFacts(
            records=6,
            counts=(Count(stage="dedup_near", reason="near_duplicate", outcome="merged", records=3),),
            sources=(SourceFacts(name="crawl", records=6, kept=4, rejected=0, merged=2, failed=0),),
            restated=1,
        ),
        new_inputs=1,
        inputs=InputFacts(count=3, size_bytes=123_456, digest="ef" * 32),
        languages={"en": 7, "no": 2, "": 1},
        domains={"b.example": 3, "a.example": 6, "": 1},
        clusters=2,
        largest_cluster=6,
        crossing_pairs=1,
        limits=("The pages of March are missing.",),
        changes=(
            ChangeFacts(
                version="1.1.0",
                text="4 documents added",
                date="2026-03-01",
                lines=("train: 3 added", "test: 1 added"),
            ),
            ChangeFacts(version="1.0.0", text="first version"),
        ),
        notes="## From the people\n\nWritten by hand.",
        contact="desk@gazette.example",
        repo="harbour/gazette",
    )


def write_version(folder: Path, tables: Mapping[str, list[pa.Table]], **changes: object) -> CardFacts:
    (folder / "data").mkdir(parents=True)
    splits = {
        split: SplitFacts(
            rows=sum(table.num_rows for table in shards),
            raw_bytes=sum(table.nbytes for table in shards),
            shards=tuple(
                _write_shard(folder, f"data/{split}-{i:05d}-of-{len(shards):05d}.parquet", table)
                for i, table in enumerate(shards)
            ),
        )
        for split, shards in tables.items()
    }
    facts = make_facts(splits=splits, version=folder.name, **changes)
    (folder / "README.md").write_text(render_card(facts), encoding="utf-8")
    return facts


def _write_shard(folder: Path, name: str, table: pa.Table) -> ShardFile:
    path = folder / name
    pq.write_table(table, path)
    data = path.read_bytes()
    return ShardFile(
        path=name, size_bytes=len(data), rows=table.num_rows, sha256=hashlib.sha256(data).hexdigest()
    )


def documents(first: int, last: int) -> pa.Table:
    """Return rows whose ids are the numbers from ``first`` to ``last``, not included."""
    rows = [{"id": str(i), "url": f"https://a.example/{i}", "text": f"text {i}"} for i in range(first, last)]
    return pa.Table.from_pylist(rows, schema=COLUMNS)


@pytest.fixture
def write_corpus(tmp_path: Path) -> Callable[..., Path]:
    """Write a corpus of 1.0.0 (4 + 1 rows), 1.9.0 (7 + 1) and 1.10.0 (9); return its folder."""

    def write(*, yanked: Mapping[str, str] | None = None) -> Path:
        root = tmp_path / "gazette"
        test = [documents(4, 5)]
        old = write_version(root / "1.0.0", {"train": [documents(0, 2), documents(2, 4)], "test": test})
        new = write_version(root / "1.9.0", {"train": [documents(0, 4), documents(5, 8)], "test": test})
        newest = write_version(root / "1.10.0", {"train": [documents(0, 9)]})
        versions = [
            VersionFacts(
                version=facts.version,
                columns=facts.columns,
                splits=facts.splits,
                yanked=(yanked or {}).get(facts.version),
            )
            for facts in (old, newest, new)
        ]
        (root / "README.md").write_text(render_root_card("gazette", versions), encoding="utf-8")
        return root

    return write
