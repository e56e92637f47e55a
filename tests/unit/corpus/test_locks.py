"""Only one builder writes at a time, and a dead builder blocks nobody."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from builder.corpus import Corpus, locks
from builder.corpus.locks import locked
from builder.errors import CorpusError, LockedError

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import sys, time
from pathlib import Path
from builder.corpus.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """Start another process that holds the lock, and wait until it has it."""
    command = [sys.executable, "-c", HOLD, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_the_error_names_the_process_with_the_lock(corpus: Corpus) -> None:
    """The user can find the process by its number and start time. A dead process is not named."""
    other = hold(corpus.path / ".spool/lock")
    try:
        with pytest.raises(LockedError) as caught, corpus.lock():
            pass
        assert f"process {other.pid}, since 20" in str(caught.value)
        assert str(corpus.path) in str(caught.value)
    finally:
        end(other)
    with corpus.lock():
        holder = json.loads((corpus.path / ".spool/lock").read_bytes())
        assert set(holder) == {"host", "pid", "since"}


def test_waiting_ends_when_the_lock_is_free(tmp_path: Path) -> None:
    """The system releases the lock of a killed process."""
    other = hold(tmp_path / "lock")
    other.send_signal(signal.SIGKILL)
    with locked(tmp_path / "lock", wait_s=30.0):
        end(other)


def test_waiting_has_an_end(tmp_path: Path) -> None:
    """A builder that waits too long ends with an error."""
    with locked(tmp_path / "lock"), pytest.raises(LockedError), locked(tmp_path / "lock", wait_s=0.1):
        pass


def test_file_left_behind_does_not_block(tmp_path: Path) -> None:
    """Only the lock of the system counts, not the contents of the file."""
    (tmp_path / "lock").write_text('{"pid": 1, "since')
    with locked(tmp_path / "lock"):
        pass


def test_holder_that_wrote_nothing_still_has_the_lock(tmp_path: Path) -> None:
    """A builder takes the lock first and writes its process number after that."""
    with locked(tmp_path / "lock"):
        (tmp_path / "lock").write_text("")
        with (
            pytest.raises(LockedError, match="another builder works on this corpus"),
            locked(tmp_path / "lock"),
        ):
            pass


def test_lock_file_that_was_deleted_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process may delete the file during the wait; a lock on the deleted file protects nothing."""
    attempts = []

    def succeed_late(number: int) -> bool:
        attempts.append(number)
        if len(attempts) == 1:
            (tmp_path / "lock").unlink()
        return True

    monkeypatch.setattr(locks, "_try", succeed_late)
    with locked(tmp_path / "lock"):
        assert json.loads((tmp_path / "lock").read_bytes())
    assert len(attempts) == 2


def test_lock_through_a_link_is_refused(tmp_path: Path) -> None:
    """The link could make builder write to a file outside the corpus."""
    (tmp_path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(CorpusError, match="cannot be locked"), locked(tmp_path / "lock"):
        pass
    assert not (tmp_path / "victim").exists()


def test_the_lock_is_released_after_an_error(corpus: Corpus) -> None:
    """A nested use of the lock does not release it early."""
    with pytest.raises(ZeroDivisionError), corpus.lock():
        with corpus.lock():
            pass
        corpus.begin("2.0.0")
        raise ZeroDivisionError
    with Corpus(corpus.path).lock():
        pass


def lose(path: Path, host: str) -> subprocess.Popen[str]:
    """Hold the lock in another process, which says that it is on another host."""
    other = hold(path)
    facts = {"host": host, "pid": other.pid, "since": "2026-01-01T00:00:00+00:00"}
    path.write_text(json.dumps(facts))
    return other


def test_the_error_names_another_host_and_the_way_out(corpus: Corpus) -> None:
    """A file server can keep the lock of a lost host for a long time."""
    other = lose(corpus.path / ".spool/lock", "node-7")
    try:
        with pytest.raises(LockedError, match=r"on node-7.*--break-lock"), corpus.lock():
            pass
    finally:
        end(other)


def test_a_broken_lock_is_taken_and_its_holder_must_not_write(corpus: Corpus) -> None:
    """If the lost host comes back, its next change of the corpus is an error."""
    other = lose(corpus.path / ".spool/lock", "node-7")
    try:
        with corpus.lock(break_it=True):
            corpus.need_lock()
            with pytest.raises(LockedError), Corpus(corpus.path).lock():
                pass
            (corpus.path / ".spool/lock").unlink()
            with pytest.raises(LockedError, match="has been taken over"):
                corpus.need_lock()
    finally:
        end(other)


def test_the_lock_of_a_process_on_this_host_is_not_broken(corpus: Corpus) -> None:
    """The system releases the lock of a dead process, so there is nothing to break."""
    other = hold(corpus.path / ".spool/lock")
    try:
        with pytest.raises(LockedError, match="it is on this machine"), corpus.lock(break_it=True):
            pass
    finally:
        end(other)
