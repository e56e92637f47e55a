"""A corpus whose versions differ by one change each, to see how many bytes each change sends to a Hub."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from hub.process import StandIn
from planted import write_lines

from builder import Corpus, Recipe, build, takedown
from builder.corpus import Staging
from builder.domain.manifest import Manifest, ShardEntry

VERSIONS = {
    "first": "1.0.0",
    "append": "1.1.0",
    "takedown": "2.0.0",
    "rename": "2.0.1",
    "encode": "2.0.2",
}


@dataclass(frozen=True)
class Sent:
    """What the publication of one version sent.

    ``large`` are bytes of Parquet, ``small`` those of cards, manifests and the requests themselves.
    """

    change: str
    version: str
    size: int
    n_shards: int
    largest: int
    large: int
    small: int


def n_appended(n_pages: int) -> int:
    """Pages of the second version: 5 % more."""
    return n_pages // 20


def pages(n_pages: int) -> Iterator[dict[str, str]]:
    """Pages of 4 kB that hardly compress and have nothing in common."""
    letters = random.Random(11)
    for i in range(n_pages):
        text = " ".join(f"{letters.getrandbits(64):x}" for _ in range(240))
        yield {"url": f"https://example.org/{i}", "text": text}


def make_changes(folder: Path, n_pages: int) -> Corpus:
    """Build it: 5 % more pages, 1 % that lie together taken down, other names, another codec."""
    document: dict[str, Any] = {
        "name": "tides",
        "sources": [{"jsonl": {"path": "feed/*.jsonl"}}],
        "stages": [{"dedup_url": {}}],
        "splits": {"train": 1.0},
        "corpus": "corpus",
    }
    every = list(pages(n_pages + n_appended(n_pages)))
    for name, rows in (("a", every[:n_pages]), ("b", every[n_pages:])):
        write_lines(folder / "feed" / f"{name}.jsonl", rows)
        build(Recipe.from_dict(document, folder=folder), workers=2)
    middle = n_pages // 2
    gone = [page["url"] for page in every[middle : middle + n_pages // 100]]
    corpus = Corpus(takedown(folder / "corpus", urls=gone, because="a test", workers=2).corpus)
    restate(corpus, VERSIONS["rename"], renamed)
    restate(corpus, VERSIONS["encode"], encoded)
    return corpus


def publish_changes(hub: StandIn, corpus: Corpus, repo: str, home: Path) -> Iterator[Sent]:
    """Publish each version in turn, and count what came."""
    for change, version in VERSIONS.items():
        before = hub.bytes_of_pieces()
        hub.plan()
        done = hub.builder("publish", f"{corpus.path}@{version}", "--repo", repo, home=home, timeout_s=1800)
        assert done.returncode == 0, done.stderr
        log = hub.log()
        puts = sum(entry["bytes_in"] for entry in log if entry["method"] == "PUT")
        manifest = corpus.manifest(version)
        shards = [shard.bytes for _, shard in manifest.shards()]
        yield Sent(
            change=change,
            version=version,
            size=sum(shards),
            n_shards=len(shards),
            largest=max(shards),
            large=puts + hub.bytes_of_pieces() - before,
            small=sum(entry["bytes_in"] for entry in log) - puts,
        )


# -- versions whose rows are those of the one before ----------------------------------------------


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
