"""How many bytes go over the wire for a change, by LFS and by Xet."""

from __future__ import annotations

import dataclasses
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hub.looks import REPO, digest_at
from hub.process import StandIn
from planted import write_lines

from builder import Corpus, Recipe, build, takedown
from builder.corpus import Staging
from builder.domain.manifest import Manifest, ShardEntry

N_PAGES, APPENDED, TAKEN = 16_000, 800, 160
AIMS_XET = {"append": 1.5 * APPENDED / N_PAGES, "takedown": 0.03, "rename": 0.0, "encode": 1.1}

pytestmark = pytest.mark.long


def pages(n_pages: int) -> list[dict[str, str]]:
    """Pages of 4 kB that hardly compress and have nothing in common."""
    letters = random.Random(11)
    return [
        {
            "url": f"https://example.org/{i}",
            "text": " ".join(f"{letters.getrandbits(64):x}" for _ in range(240)),
        }
        for i in range(n_pages)
    ]


def restate(corpus: Corpus, number: str, shard: Callable[[Staging, ShardEntry, Path], str]) -> None:
    """Write a version whose rows are those of the newest, in files that ``shard`` makes."""
    old = corpus.manifest(corpus.newest())
    folder = corpus.version_folder(old.version)
    with corpus.lock():
        staging = corpus.begin(number)
        made = {one.path: shard(staging, one, folder / one.path) for _, one in old.shards()}
        splits = {
            name: dataclasses.replace(
                split,
                shards=tuple(_entry(staging, one, made[one.path]) for one in split.shards),
                bytes=sum(_entry(staging, one, made[one.path]).bytes for one in split.shards),
            )
            for name, split in old.splits.items()
        }
        for name in ("README.md", "croissant.json", "inputs.parquet"):
            data = (folder / name).read_bytes()
            for before, after in {**made, old.version: number}.items():
                data = data.replace(before.encode(), after.encode())
            (staging.folder / name).write_bytes(data)
        parent = {"version": old.version, "digest": old.digest}
        manifest = dataclasses.replace(
            old, version=number, parent=parent, reason="PATCH: the same rows", splits=splits
        )
        manifest = dataclasses.replace(manifest, files=staging.file_entries())
        corpus.commit(staging, Manifest.parse(manifest.to_bytes()), (corpus.path / "README.md").read_text())


def _entry(staging: Staging, old: ShardEntry, name: str) -> ShardEntry:
    size = (staging.folder / name).stat().st_size
    return dataclasses.replace(old, path=name, sha256=staging.shards[name], bytes=size)


def renamed(staging: Staging, shard: ShardEntry, path: Path) -> str:
    """The same file under another name."""
    name = shard.path.replace("train-", "train-again-")
    staging.reuse_shard(shard.sha256, name=name)
    return name


def encoded(staging: Staging, shard: ShardEntry, path: Path) -> str:
    """The same rows, packed by another codec."""
    fresh = staging.place / "fresh.parquet"
    table = pq.read_table(path)
    pq.write_table(table, fresh, compression="snappy", row_group_size=1_000, write_page_index=True)
    staging.add_shard(fresh, name=shard.path)
    return shard.path


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Corpus, dict[str, str]]:
    """A corpus, and the version of each change."""
    folder = tmp_path_factory.mktemp("wire")
    document: dict[str, Any] = {
        "name": "tides",
        "sources": [{"jsonl": {"path": "feed/*.jsonl"}}],
        "stages": [{"dedup_url": {}}],
        "splits": {"train": 1.0},
        "corpus": "corpus",
    }
    every = pages(N_PAGES + APPENDED)
    write_lines(folder / "feed" / "a.jsonl", every[:N_PAGES])
    build(Recipe.from_dict(document, folder=folder), workers=2)
    write_lines(folder / "feed" / "b.jsonl", every[N_PAGES:])
    build(Recipe.from_dict(document, folder=folder), workers=2)
    middle = N_PAGES // 2
    gone = [page["url"] for page in every[middle : middle + TAKEN]]
    corpus = Corpus(takedown(folder / "corpus", urls=gone, because="a test", workers=2).corpus)
    restate(corpus, "2.0.1", renamed)
    restate(corpus, "2.0.2", encoded)
    return corpus, {
        "first": "1.0.0",
        "append": "1.1.0",
        "takedown": "2.0.0",
        "rename": "2.0.1",
        "encode": "2.0.2",
    }


def test_bytes_sent(
    any_hub: StandIn, changes: tuple[Corpus, dict[str, str]], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each change costs what it should: by Xet its own share, by LFS the shards that it touches."""
    corpus, versions = changes
    table = []
    for change, version in versions.items():
        before = any_hub.bytes_of_pieces()
        any_hub.plan()
        done = any_hub.builder("publish", f"{corpus.path}@{version}", "--repo", REPO, home=home)
        assert done.returncode == 0, done.stderr
        puts = sum(entry["bytes_in"] for entry in any_hub.log() if entry["method"] == "PUT")
        sent = any_hub.bytes_of_pieces() - before if any_hub.xet else puts
        manifest = corpus.manifest(version)
        size = sum(split.bytes for split in manifest.splits.values())
        largest = max(shard.bytes for _, shard in manifest.shards())
        table.append(
            f"{change:10} {size:>12,} {sent:>12,} {sent / size:>8.2%} {len(list(manifest.shards()))} shards"
        )
        assert digest_at(any_hub, "main") == version
        if change == "first":
            continue
        if any_hub.xet:
            assert sent <= AIMS_XET[change] * size + 40_000, table
        elif change != "encode":
            shards = {"append": 0, "takedown": 2, "rename": 0}[change]
            share = AIMS_XET["append"] if change == "append" else 0.0
            assert sent <= share * size + shards * largest + 40_000, table
    with capsys.disabled():
        sys.stdout.write("\n".join(["", "xet" if any_hub.xet else "lfs", *table, ""]))
