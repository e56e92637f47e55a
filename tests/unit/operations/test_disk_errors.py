"""Whatever the disk refuses, an operation on a corpus ends with a sentence, never with a traceback."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile_corpora import NEWEST, Scene, commands, make_scene, run

from builder import Corpus, diff, drop, gc, takedown, verify, yank
from builder.errors import BuilderError
from builder.operations.why import why

CODES = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EMFILE)
WRITERS = ("takedown", "yank", "drop", "gc")
READERS = ("verify", "versions", "why", "diff", "rejected", "check")


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A corpus of a few rows that has all that a corpus can have."""
    return make_scene(tmp_path)


def failing(code: int | None, text: str = "") -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError(code, os.strerror(code)) if code else OSError(text)

    return fail


WRITING = {
    "the lock": "builder.corpus.locks.fcntl.flock",
    "the spool": "pathlib.Path.mkdir",
    "a scratch folder": "tempfile.mkdtemp",
    "a file": "builder.corpus.durable.os.fdopen",
    "a sync": "os.fsync",
    "a rename": "pathlib.Path.replace",
    "the journal": "builder.corpus.commit.write_file",
}
"""Which calls of the system fail; a command that makes no such call is done."""

ALWAYS_MADE = ("the lock", "a sync", "the journal")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
@pytest.mark.parametrize("place", WRITING)
@pytest.mark.parametrize("name", WRITERS)
def test_a_disk_that_cannot_be_written(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str, place: str, code: int
) -> None:
    """The message says what the system refused; the corpus is whole, and the same command does it then."""
    if name == "gc":
        (scene.corpus / ".objects/sha256/00").mkdir(exist_ok=True)
        (scene.corpus / ".objects/sha256/00/left").write_bytes(b"x")
    with monkeypatch.context() as patch:
        patch.setattr(WRITING[place], failing(code))
        status, said = run(commands(scene)[name])
    assert status == 1 or place not in ALWAYS_MADE, said
    assert status in (0, 1), said
    assert status == 0 or os.strerror(code) in said, said
    if status and code == errno.ENOSPC:
        assert run(commands(scene)[name])[0] == 0
        assert run(commands(scene)["versions"])[0] == 0


@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
@pytest.mark.parametrize("name", [*READERS, *WRITERS])
def test_a_disk_that_cannot_be_read(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    """Seals and manifests that cannot be opened are a fault of `verify`, and end every other command."""
    monkeypatch.setattr("builder.corpus.opening.os.fdopen", failing(code))
    status, said = run(commands(scene)[name])
    assert status in (1, 4)
    assert os.strerror(code) in said


@pytest.mark.parametrize("name", ["verify", "why", "diff", "rejected", "takedown"])
@pytest.mark.parametrize("place", ["pyarrow.parquet.ParquetFile", "pyarrow.parquet.read_table"])
def test_tables_that_cannot_be_read(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str, place: str
) -> None:
    """A disk that fails under a shard or a ledger is a sentence."""
    monkeypatch.setattr(place, failing(errno.EIO))
    status, said = run(commands(scene)[name])
    assert status in (0, 1)
    assert status == 0 or os.strerror(errno.EIO) in said


def test_a_map_without_a_number_is_said(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Arrow raises an OSError without a number where a file cannot be mapped."""
    text = "Memory mapping file failed: Cannot allocate memory"
    monkeypatch.setattr("pyarrow.memory_map", failing(None, text))
    status, said = run(commands(scene)["takedown"])
    assert (status, text in said) == (1, True), said


@pytest.mark.parametrize(
    "operation",
    [
        lambda corpus: takedown(corpus, urls=["https://a.example/2"], because="test"),
        lambda corpus: yank(f"{corpus}@3.0.0", because="test"),
        lambda corpus: drop(f"{corpus}@3.0.0"),
        lambda corpus: gc(corpus),
        lambda corpus: verify(corpus),
        lambda corpus: why(str(corpus), "https://a.example/1"),
        lambda corpus: diff(corpus, "1.0.0", NEWEST),
        lambda corpus: Corpus(corpus).versions(),
    ],
    ids=["takedown", "yank", "drop", "gc", "verify", "why", "diff", "versions"],
)
def test_functions_raise_errors_of_builder(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, operation: Callable[[Path], Any]
) -> None:
    """Who calls from Python catches one tree of errors, of which a full disk is a part."""
    monkeypatch.setattr("builder.corpus.locks.fcntl.flock", failing(errno.ENOSPC))
    monkeypatch.setattr("pyarrow.parquet.ParquetFile", failing(errno.EIO))
    monkeypatch.setattr("pyarrow.dataset.dataset", failing(errno.EIO))
    monkeypatch.setattr("builder.history.lineage.Segment.read", failing(errno.EIO))
    if "versions" not in str(operation.__code__.co_names):
        with pytest.raises(BuilderError):
            operation(scene.corpus)
    monkeypatch.setattr("builder.corpus.opening.os.fdopen", failing(errno.EIO))
    if "verify" not in operation.__code__.co_names:
        with pytest.raises(BuilderError):
            operation(scene.corpus)


def test_an_error_that_nobody_caught_is_a_line(monkeypatch: pytest.MonkeyPatch, scene: Scene) -> None:
    """The command line reports any error of the system by its text."""
    monkeypatch.setattr("builder.report.versions.print_versions", failing(errno.EIO))
    assert run(commands(scene)["versions"]) == (1, f"error: {os.strerror(errno.EIO)}\n")
