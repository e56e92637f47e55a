"""The signals of published rows are published only on request, and a fetch brings them along."""

from __future__ import annotations

from pathlib import Path

import pytest
from hub.looks import REPO, commit_at
from hub.process import StandIn
from planted import pages, write_lines

from builder import Corpus, Recipe, build, verify


@pytest.fixture
def measured(tmp_path: Path) -> Corpus:
    """A corpus whose recipe has the stage `signals`."""
    write_lines(tmp_path / "feed/a.jsonl", pages(40))
    document = {
        "name": "harbour",
        "sources": [{"jsonl": {"path": "feed/*.jsonl"}}],
        "stages": [{"validate": {}}, {"signals": {"columns": []}}],
        "splits": {"train": 0.8, "test": 0.2},
        "corpus": "corpus",
    }
    return Corpus(build(Recipe.from_dict(document, folder=tmp_path), workers=1).corpus)


def test_signals_are_published_on_request_and_fetched(hub: StandIn, measured: Corpus, tmp_path: Path) -> None:
    """They have the same bytes, and `verify` compares them with the shards."""
    done = hub.builder("publish", f"{measured.path}@1.0.0", "--repo", REPO, "--with-signals")
    assert done.returncode == 0, done.stderr
    there = {path for path in commit_at(hub, "v1.0.0").files if path.startswith("audit/")}
    folder = measured.audit_folder("1.0.0") / "signals"
    assert there == {f"audit/signals/{path.name}" for path in folder.iterdir()}
    hub.builder("fetch", f"{REPO}@1.0.0", tmp_path / "got")
    got = Corpus(tmp_path / "got")
    for path in folder.iterdir():
        assert got.audit_file("1.0.0", f"signals/{path.name}").read_bytes() == path.read_bytes()
    assert verify(got.path).clean


def test_without_the_option_no_signal_leaves_the_machine(
    hub: StandIn, measured: Corpus, tmp_path: Path
) -> None:
    """A fetched version without them verifies too."""
    hub.builder("publish", f"{measured.path}@1.0.0", "--repo", REPO)
    assert not [path for path in commit_at(hub, "v1.0.0").files if path.startswith("audit/")]
    hub.builder("fetch", f"{REPO}@1.0.0", tmp_path / "got")
    assert verify(tmp_path / "got").clean


def test_a_version_without_signals_is_refused(hub: StandIn, corpus: Corpus) -> None:
    """The message names the option to leave out."""
    done = hub.builder("publish", f"{corpus.path}@1.0.0", "--repo", REPO, "--with-signals")
    assert done.returncode == 1
    assert "publish it without --with-signals" in done.stderr
