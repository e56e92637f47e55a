"""Ctrl-C and SIGTERM end a command within seconds, with status 130 and how to resume. No process is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import INTERRUPTIBLE, MAIN, builder, ledger_rows, write_recipe
from planted import sentence, write_lines

LIMIT_S = 5.0
RESUME = "finished work is kept. Run the same command again to resume."
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Command:
    """A command in its own process, with a mark in the environment of all processes below it."""

    def __init__(self, code: str, *arguments: str | Path, mark: Path, **environment: str) -> None:
        self.mark = mark
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "MARK": str(mark), **environment},
        )

    def wait_until(self, is_there: Callable[[], object], limit_s: float = 120) -> None:
        end = time.monotonic() + limit_s
        while not is_there():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end
            time.sleep(0.01)

    def end(self, number: signal.Signals) -> tuple[int, str, float]:
        """Send the signal; return the status, stderr and the seconds until the process ended."""
        began = time.monotonic()
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said, time.monotonic() - began

    def left(self) -> list[str]:
        """Return what still runs with the mark in its environment, after a moment."""
        end = time.monotonic() + LIMIT_S
        while (found := list(self._running())) and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def _running(self) -> list[str]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            if os.fsencode(str(self.mark)) in environment:
                found.append(f"{folder.name} {(folder / 'cmdline').read_bytes()[:200]!r}")
        return found


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    for i in range(60):
        write_lines(tmp_path / "feed" / f"{i:03}.jsonl", [{"text": sentence(i * 9 + j)} for j in range(9)])
    return write_recipe(tmp_path, [{"jsonl": {"path": "feed/*.jsonl"}}])


@pytest.mark.unmeasured
@pytest.mark.parametrize("number", SIGNALS)
def test_a_cold_compile_is_interrupted(recipe: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Without cached machine code, a build compiles for many seconds, in this process and in workers."""
    cache = tmp_path / "cold"
    command = Command(
        INTERRUPTIBLE, "build", recipe, "--workers", "2", mark=cache, NUMBA_CACHE_DIR=str(cache)
    )
    command.wait_until(lambda: len(list(cache.glob("*/*/*.nbi"))) > 3)
    status, said, seconds = command.end(number)
    assert (status, RESUME in said, "Traceback" in said) == (130, True, False), said
    assert seconds < LIMIT_S
    assert command.left() == []


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("moment", "number"), [("start", signal.SIGTERM), ("read", signal.SIGINT), ("settle", signal.SIGTERM)]
)
def test_a_build_is_interrupted_and_resumes(
    recipe: Path, tmp_path: Path, moment: str, number: signal.Signals
) -> None:
    """At whatever moment, and the same command finishes the build."""
    corpus = tmp_path / "corpus"
    moments = {
        "start": lambda: (corpus / ".spool/lock").exists(),
        "read": lambda: list(corpus.glob(".spool/*/0/*")),
        "settle": lambda: list(corpus.glob(".spool/*/1")),
    }
    command = Command(INTERRUPTIBLE, "build", recipe, "--workers", "2", mark=tmp_path / "mark")
    command.wait_until(moments[moment])
    status, said, seconds = command.end(number)
    assert (status, RESUME in said, "Traceback" in said) == (130, True, False), said
    assert seconds < LIMIT_S
    assert command.left() == []
    assert builder("build", recipe, "--workers", "2").returncode == 0
    assert len(ledger_rows(corpus)) == 540


BUSY = f"""
import hashlib, threading, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from builder.corpus import Corpus

def native(*_):
    Path(WHERE).touch()
    hashlib.pbkdf2_hmac("sha256", b"", b"", (1 << 31) - 1)

def threads(*_):
    with ThreadPoolExecutor() as pool:
        Path(WHERE).touch()
        pool.submit(hashlib.pbkdf2_hmac, "sha256", b"", b"", (1 << 31) - 1).result()

Corpus.__init__ = BUSY
{MAIN}
"""


@pytest.mark.sampled(2)
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("what", ["native", "threads"])
def test_a_process_that_does_not_listen_ends_too(tmp_path: Path, what: str, number: signal.Signals) -> None:
    """Compiled code in the main thread, or a thread that it waits for, runs for minutes and hears nothing."""
    busy = tmp_path / "busy"
    code = BUSY.replace("= BUSY", f"= {what}").replace("WHERE", repr(str(busy)))
    code = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n{code}"
    command = Command(code, "versions", tmp_path, mark=tmp_path / "mark")
    command.wait_until(busy.exists)
    status, said, seconds = command.end(number)
    assert (status, RESUME in said, "Traceback" in said) == (130, True, False), said
    assert seconds < LIMIT_S


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    """Who presses Ctrl-C twice does not wait."""
    busy = tmp_path / "busy"
    code = BUSY.replace("= BUSY", "= native").replace("WHERE", repr(str(busy)))
    command = Command(code, "versions", tmp_path, mark=tmp_path / "mark")
    command.wait_until(busy.exists)
    command.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    status, said, seconds = command.end(signal.SIGTERM)
    assert (status, RESUME in said) == (130, True), said
    assert seconds < 2


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    """A shell starts background commands with SIGINT ignored, so that Ctrl-C is only for the foreground."""
    busy = tmp_path / "busy"
    code = BUSY.replace("= BUSY", "= native").replace("WHERE", repr(str(busy)))
    code = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{code}"
    command = Command(code, "versions", tmp_path, mark=tmp_path / "mark")
    command.wait_until(busy.exists)
    command.process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert command.process.poll() is None
    assert command.end(signal.SIGTERM)[0] == 130
