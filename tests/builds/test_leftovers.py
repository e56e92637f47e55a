"""What a build leaves that is killed between its commit and its clean-up, and who removes it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted import sentence, write_lines

from builder import BuildResult, Corpus, Recipe, build, gc, verify
from builder.corpus import commit
from builder.operations import build as building


def build_in(folder: Path, **options: Any) -> BuildResult:
    document = {"name": "harbour", "sources": [{"jsonl": {"path": "feed"}}], "corpus": "corpus"}
    return build(Recipe.from_dict(document, folder=folder), workers=1, **options)


def add_pages(folder: Path, name: str, first: int) -> None:
    rows = [{"url": f"https://{name}.example/{i}", "text": sentence(first + i)} for i in range(5)]
    write_lines(folder / f"feed/{name}.jsonl", rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    add_pages(tmp_path, "a", 0)
    return tmp_path


def die_in_a_child(work: Callable[[], object]) -> None:
    """Let a forked process do some work that kills it."""
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def spools(place: Path) -> list[str]:
    return sorted(one.name for one in place.iterdir() if one.is_dir()) if place.is_dir() else []


def test_a_build_killed_before_its_clean_up_leaves_no_spool(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spool goes with the commit, so that none stays for ever when the machine stops behind it."""
    monkeypatch.setattr(building, "_remove_spool", die)
    die_in_a_child(lambda: build_in(folder))
    with Corpus(folder / "corpus").lock():
        assert spools(folder / "corpus/.spool") == []
    assert verify(folder / "corpus").clean


def test_a_build_killed_while_its_spool_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit is pending then, and whoever takes the lock next ends it."""
    with monkeypatch.context() as patch:
        patch.setitem(commit._VERBS, "remove", die)
        die_in_a_child(lambda: build_in(folder))
    assert len(spools(folder / "corpus/.spool")) == 2
    (fault,) = verify(folder / "corpus").faults
    assert fault.what == "a commit is pending"
    gc(folder / "corpus")
    assert spools(folder / "corpus/.spool") == []
    assert verify(folder / "corpus").clean


def test_a_spool_elsewhere_is_swept_by_the_next_build(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It notes the version that it became; one that became none is kept, and its build resumes."""
    spool = folder / "spool"
    with monkeypatch.context() as patch:
        patch.setattr(building, "_remove_spool", die)
        die_in_a_child(lambda: build_in(folder, spool=spool))
    assert len(spools(spool)) == 1
    (spool / "unfinished").mkdir()
    (spool / "unfinished/became.json").write_text('{"digest":"' + "0" * 64 + '","version":"1.0.0"}')
    add_pages(folder, "b", 10)
    assert build_in(folder, spool=spool).version == "1.1.0"
    assert spools(spool) == ["unfinished"]


def test_a_build_killed_before_its_commit_resumes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A spool that notes a version which was never promised is unfinished work still."""
    spool = folder / "spool"
    with monkeypatch.context() as patch:
        patch.setattr("builder.corpus.folder.commit_steps", die)
        die_in_a_child(lambda: build_in(folder, spool=spool))
    (name,) = spools(spool)
    begun = (spool / name).stat().st_ino
    seen: list[int] = []
    monkeypatch.setattr(building, "_remove_spool", lambda one: seen.append(one.stat().st_ino))
    assert build_in(folder, spool=spool).version == "1.0.0"
    assert seen == [begun]


def test_scratch_folders_of_dead_owners_go(folder: Path) -> None:
    """Only the holder of the lock makes them, so those that are there when it is taken are nobody's."""
    corpus = build_in(folder).corpus
    for name in ("takedown-x1", "compact-y2", "abc.over", "unfinished"):
        (corpus / ".spool" / name / "deep").mkdir(parents=True)
    (folder / "canary").mkdir()
    (corpus / ".spool/takedown-link").symlink_to(folder / "canary")
    one = Corpus(corpus)
    with one.lock():
        assert spools(corpus / ".spool") == ["takedown-link", "unfinished"]
        (corpus / ".spool/takedown-mine").mkdir()
        with one.lock():
            assert "takedown-mine" in spools(corpus / ".spool")
    assert (folder / "canary").is_dir()
