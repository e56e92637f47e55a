"""Read the repositories of a stand-in Hub from its folder, without the clients that wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from builder import Corpus
from hub.process import StandIn
from hub.store import Commit, Repo, Store

REPO = "harbour/tides"
PROGRAMS = Path(__file__).resolve().parents[1] / "publish" / "programs"


def program(name: str) -> str:
    """Read the source of a program that runs in its own process."""
    return (PROGRAMS / f"{name}.py").read_text()


def repo(hub: StandIn, name: str = REPO) -> Repo:
    """Read branches and tags."""
    found = Store(hub.folder).repo(name)
    assert found
    return found


def commit_at(hub: StandIn, revision: str, name: str = REPO) -> Commit:
    """Read the commit of a branch or tag."""
    store = Store(hub.folder)
    found = store.resolve(repo(hub, name), revision)
    assert found
    return found


def digest_at(hub: StandIn, revision: str, name: str = REPO) -> str | None:
    """Return the digest of the complete version at a branch or tag, or None.

    A complete version has all files of its manifest with their hashes, and no other shard.
    """
    commit = commit_at(hub, revision, name)
    if "manifest.json" not in commit.files:
        assert not [path for path in commit.files if path.startswith("data/")]
        return None
    store = Store(hub.folder)
    manifest: dict[str, Any] = json.loads(store.path_of(commit.files["manifest.json"]).read_bytes())
    shards = {s["path"]: s["sha256"] for split in manifest["splits"].values() for s in split["shards"]}
    there = {path: file.sha256 for path, file in commit.files.items() if path.startswith("data/")}
    assert there == shards
    assert f"version: {json.dumps(manifest['version'])}" in text_at(hub, revision, "README.md", name)
    return str(manifest["version"])


def text_at(hub: StandIn, revision: str, path: str, name: str = REPO) -> str:
    """Read a small file."""
    store = Store(hub.folder)
    return store.path_of(commit_at(hub, revision, name).files[path]).read_text(encoding="utf-8")


def ids_of(corpus: Corpus, version: str) -> dict[str, list[str]]:
    """Read the row ids of a version from its shards."""
    return {
        name: [one for path in paths for one in pq.read_table(path, columns=["id"])["id"].to_pylist()]
        for name, paths in corpus.data_files(version).items()
    }
