"""Mistakes of users and faults of machines end in a clear error, and nothing is lost."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import builder, ledger_rows, start, write_recipe
from planted import pages, sentence, write_lines

from builder import BuildResult, Corpus, verify
from builder.engines.local import LocalEngine
from builder.errors import (
    BuilderError,
    CorpusError,
    LockedError,
    NothingKeptError,
    RecipeError,
    WorkerDiedError,
)
from builder.pipeline import barriers
from builder.release import finish
from builder.release import write as build_output

Make = Callable[..., BuildResult]


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """Write a file of planted pages."""
    return write_lines(tmp_path / "feed" / "a.jsonl", pages(30))


# -- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere/a.jsonl", "no such file or folder"),
        ("feed/*.ndjson", "no file matches"),
        ("empty", "no file below this folder ends in .jsonl"),
        ("pipe.jsonl", "is not a regular file"),
        ("/dev/zero", "is not a regular file"),
        ("*.jsonl", "is not a regular file"),
        ("turns/*", "turns/loop.jsonl: cannot be read"),
        ("gone/*", "gone/gone.jsonl: cannot be read"),
    ],
)
def test_an_input_that_cannot_be_read_is_an_error(
    make: Make, feed: Path, tmp_path: Path, path: str, message: str
) -> None:
    """The error names the path before anything is read, and no corpus is created."""
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe.jsonl")
    for folder, name, target in (("turns", "loop.jsonl", "loop.jsonl"), ("gone", "gone.jsonl", "nothing")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).symlink_to(target)
    with pytest.raises(RecipeError, match=message):
        make(path=path)
    assert not (tmp_path / "corpus").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_an_error(make: Make, feed: Path) -> None:
    """A folder that this user may not list is a mistake, not an empty folder."""
    feed.parent.chmod(0)
    try:
        with pytest.raises(RecipeError, match="the folder cannot be read"):
            make(path="feed/*")
    finally:
        feed.parent.chmod(0o755)


@pytest.mark.parametrize("data", ["", "\n\n  \n"], ids=["empty", "blank"])
def test_a_file_without_records_keeps_nothing(make: Make, tmp_path: Path, data: str) -> None:
    """Without a record nothing is kept; next to a file with pages an empty file does not matter."""
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed" / "a.jsonl").write_text(data)
    with pytest.raises(NothingKeptError, match="0 of 0 records were kept"):
        make()
    write_lines(tmp_path / "feed" / "b.jsonl", [{"text": sentence(1)}])
    assert make(splits={"train": 1.0}).version == "1.0.0"


def test_a_missing_recipe_is_a_one_line_error(tmp_path: Path) -> None:
    """One line, exit status 1."""
    run = builder("build", tmp_path / "nowhere.yaml")
    assert run.returncode == 1
    assert run.stderr.startswith(f"error: {tmp_path / 'nowhere.yaml'}: no such file")
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize(("corpus", "message"), [("file", "is a file"), ("file/below", "Not a directory")])
def test_a_corpus_path_that_is_not_a_folder_is_an_error(
    make: Make, feed: Path, tmp_path: Path, corpus: str, message: str
) -> None:
    """A file cannot be a corpus folder or contain one; the file stays unchanged."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(CorpusError, match=message):
        make(corpus=corpus)
    assert (tmp_path / "file").read_text() == "mine"


def test_the_second_of_two_builds_stops(feed: Path, tmp_path: Path) -> None:
    """The second build names the process of the first and ends with status 1; the first continues."""
    recipe = write_recipe(tmp_path, [{"jsonl": {"path": "feed/*.jsonl"}}])
    with Corpus.open_or_create(tmp_path / "corpus", name="acceptance").lock():
        run = builder("build", recipe)
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert str(os.getpid()) in run.stderr
    assert builder("build", recipe).returncode == 0


def test_the_lock_works_within_one_process(make: Make, feed: Path) -> None:
    """A lock by process id alone would not stop the second build."""
    result = make()
    with Corpus(result.corpus).lock(), pytest.raises(LockedError):
        make()


# -- interruptions ---------------------------------------------------------------------------------


def test_ctrl_c_ends_with_130(tmp_path: Path) -> None:
    """The command prints one line instead of a traceback; the same command resumes and finishes."""
    for i in range(200):
        write_lines(tmp_path / "feed" / f"{i:03}.jsonl", [{"text": sentence(i)}])
    recipe = write_recipe(tmp_path, [{"jsonl": {"path": "feed/*.jsonl"}}])
    process = start("build", recipe, "--workers", "2")
    while process.poll() is None and not list((tmp_path / "corpus").glob(".spool/*/0")):
        pass
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Run the same command again to resume" in said
    assert "Traceback" not in said
    assert builder("build", recipe, "--workers", "2").returncode == 0
    assert len(ledger_rows(tmp_path / "corpus")) == 200


def test_a_half_removed_spool_is_not_resumed(make: Make, feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next build does not resume from a half-removed spool, but removes it."""
    expected = make(corpus="calm").digest

    remove = shutil.rmtree

    def die(folder: Path, **options: Any) -> None:
        rows = list(Path(folder).rglob("*.rows.arrows"))
        if options or not rows:  # not the spool
            remove(folder, **options)
            return
        for file in rows:
            file.unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            make()
    assert Corpus(feed.parent.parent / "corpus").versions() == ["1.0.0"]
    result = make()
    assert result.digest == expected
    assert [path.name for path in (result.corpus / ".spool").iterdir() if path.is_dir()] == []
    assert verify(result.corpus).clean


@pytest.mark.sampled(3)
@pytest.mark.parametrize("moment", ["read", "resolve", "settle", "write", "ledger"])
def test_a_build_resumes_from_each_phase(make: Make, feed: Path, moment: str) -> None:
    """A build that stops in any phase resumes and has the digest of an uninterrupted build."""
    expected = make(corpus="calm").digest

    def stop(phase: str, *, done: int, total: int, unit: str) -> None:
        if phase == moment:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(advance=stop)
    assert Corpus(feed.parent.parent / "corpus").versions() == []
    assert make().digest == expected


# -- memory ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("feed")
def test_a_barrier_of_many_rows_runs_alone(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The barrier runs alone, with the same result."""
    expected = make(corpus="calm").digest
    asked: list[str] = []
    alone = LocalEngine.alone

    def noted(engine: LocalEngine, function: Any, stage: Any) -> Any:
        asked.append(stage.name)
        return alone(engine, function, stage)

    monkeypatch.setattr(barriers, "MANY_ROWS", 0)
    monkeypatch.setattr(LocalEngine, "alone", noted)
    assert make(workers=2).digest == expected
    assert "dedup_near" in asked


@pytest.mark.usefixtures("feed")
def test_a_barrier_without_memory_is_an_error(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the next step; with more memory the same command succeeds."""
    expected = make(corpus="calm").digest

    def die(*_: Any) -> None:
        raise WorkerDiedError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(barriers, "MANY_ROWS", 0)
        patch.setattr(LocalEngine, "alone", die)
        with pytest.raises(BuilderError, match=r"has died.*--max-memory; finished parts are kept"):
            make(workers=2)
    assert make().digest == expected


# -- the disk --------------------------------------------------------------------------------------


def test_a_full_disk_is_an_error(make: Make, feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error has the path and the next step; with free space the same command succeeds."""
    expected = make(corpus="calm").digest

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for module, name in ((LocalEngine, "map"), (finish, "write_ledger"), (build_output, "write_shard")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, full)
            with pytest.raises(CorpusError, match=r"cannot be written: No space left.*free some space"):
                make(workers=1)
    assert make().digest == expected


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="the system knows no such limit")
@pytest.mark.unmeasured
@pytest.mark.parametrize("limit_bytes", [2_000, pytest.param(60_000, marks=pytest.mark.long)])
def test_a_file_size_limit_is_an_error(tmp_path: Path, limit_bytes: int) -> None:
    """Native writers of spool, shards and ledger do not crash at a size limit, and nothing is lost."""
    import random
    import subprocess

    from commands import COMMAND

    letters = random.Random(5)
    rows = [{"text": " ".join(f"{letters.getrandbits(64):x}" for _ in range(40))} for _ in range(120)]
    write_lines(tmp_path / "feed" / "a.jsonl", rows)
    recipe = write_recipe(tmp_path, [{"jsonl": {"path": "feed/*.jsonl"}}])

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    command = [*COMMAND, "build", str(recipe), "--workers", "1"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, preexec_fn=limit)
    assert (run.returncode, "cannot be written: File too large" in run.stderr) == (1, True), run.stderr
    assert "Traceback" not in run.stderr
    run = builder("build", recipe, "--workers", "1")
    assert run.returncode == 0, run.stderr
    assert len(ledger_rows(tmp_path / "corpus")) == 120
