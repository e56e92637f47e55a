"""Fixtures: empty stand-in Hubs of each kind, and a corpus with three versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hub.process import StandIn
from hub.xet import is_there
from planted import sentence, write_lines

from builder import Corpus, Recipe, build, takedown

needs_xet = pytest.mark.skipif(
    not is_there(), reason="the installed hf_xet does not support the local scheme"
)
VERSIONS = ["1.0.0", "1.1.0", "2.0.0"]


@pytest.fixture(scope="session")
def shared_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A Hub that receives large files by LFS; all tests share it."""
    with StandIn(tmp_path_factory.mktemp("hub")) as started:
        yield started


@pytest.fixture
def hub(shared_hub: StandIn) -> StandIn:
    """The shared LFS Hub, emptied before the test."""
    shared_hub.clear()
    return shared_hub


@pytest.fixture
def own_hub(tmp_path: Path) -> Iterator[StandIn]:
    """A Hub of its own, which the test can stop."""
    with StandIn(tmp_path / "hub") as started:
        yield started


@pytest.fixture(params=["lfs", pytest.param("xet", marks=needs_xet)])
def any_hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StandIn]:
    """An empty Hub; the test runs once with LFS and once with Xet."""
    with StandIn(tmp_path / "hub", xet=request.param == "xet") as started:
        yield started


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder for the caches of the clients."""
    return tmp_path / "home"


def pages(first: int, last: int) -> list[dict[str, str]]:
    """Return pages with different texts."""
    return [
        {"url": f"https://example.org/{i}", "text": sentence(i), "fetched_at": "2024-01-02T03:04:05Z"}
        for i in range(first, last)
    ]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Version 1.1.0 adds pages, 2.0.0 removes pages; some records are rejected, failed or merged."""
    folder = tmp_path_factory.mktemp("corpus")
    document = {
        "name": "tides",
        "title": "Tides",
        "license": "cc-by-4.0",
        "language": ["en"],
        "sources": [{"jsonl": {"path": "feed/*.jsonl"}}],
        "stages": [{"dedup_url": {}}, {"dedup_exact": {}}],
        "splits": {"train": 0.8, "test": 0.2},
        "corpus": "corpus",
        "card": "about.md",
    }
    (folder / "about.md").write_text("## About\n\nWritten by a person.\n")
    feed = folder / "feed"
    rejected = {"url": "https://example.org/rejected", "text": 7}
    copy = {"url": "https://mirror.example.net/0", "text": sentence(0)}
    write_lines(feed / "a.jsonl", [*pages(0, 60), rejected, copy, "broken"])
    build(Recipe.from_dict(document, folder=folder), workers=1)
    write_lines(feed / "b.jsonl", pages(60, 80))
    build(Recipe.from_dict(document, folder=folder), workers=1)
    gone = [f"https://example.org/{i}" for i in range(5)]
    made = Corpus(takedown(folder / "corpus", urls=gone, because="a test", workers=1).corpus)
    assert made.versions() == VERSIONS
    return made
