"""Run many commands quickly: a server loads builder once, and forks a process for each command.

    python -m torture.runner

It reads one JSON document for each command from stdin, and writes one with the result to stdout.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torture.shim import Counted, Plan, library, new_page

TESTS = Path(__file__).resolve().parents[1]
LIMIT_S = 120.0
"""A command that takes longer hangs: undisturbed ones take about a second."""

_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
_PR_SET_CHILD_SUBREAPER = 36
_ORPHANS_S = 5.0


@dataclass(frozen=True, kw_only=True)
class Ran:
    """How a command ended.

    Attributes:
        status: exit status, or minus the number of the signal; None if it hung and was killed.
        said: what it printed, on both streams.
        left: processes that it left behind.
    """

    status: int | None
    said: str
    left: int
    counted: Counted

    @property
    def has_traceback(self) -> bool:
        return "Traceback (most recent call last)" in self.said


class Runner:
    """The server, as tests use it: ``with Runner() as run: run(["verify", "corpus"])``."""

    def __init__(self, **environment: str) -> None:
        self._environment = environment

    def __enter__(self) -> Runner:
        self._scratch = tempfile.TemporaryDirectory(prefix="torture-")
        self.folder = Path(self._scratch.name)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "torture.runner"],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **_ENVIRONMENT, "LD_PRELOAD": str(library()), "TORTURE_KINDS": "0"}
            | self._environment,
        )
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._scratch.cleanup()

    def start(
        self,
        arguments: Sequence[str | Path],
        *,
        plan: Plan | None = None,
        scope: Sequence[Path] = (),
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        kill_after_s: float | None = None,
        code: str = "",
    ) -> None:
        """Start a command. ``code`` runs instead of the command line, if given."""
        self._page = new_page(self.folder)
        self._said = self.folder / "said"
        planned = (plan or Plan()).environment(self._page, scope)
        request = {
            "arguments": list(map(str, arguments)),
            "environment": {**planned, **(environment or {})},
            "cwd": str(cwd or self.folder),
            "said": str(self._said),
            "kill_after_s": kill_after_s,
            "code": code,
        }
        assert self._process.stdin
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def wait(self) -> Ran:
        """Wait for the end of the command that was started."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the server ended"
        answer = json.loads(line)
        said = self._said.read_text(encoding="utf-8", errors="replace")
        return Ran(status=answer["status"], said=said, left=answer["left"], counted=Counted.read(self._page))

    def __call__(self, arguments: Sequence[str | Path], **options: Any) -> Ran:
        self.start(arguments, **options)
        return self.wait()


def _serve() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    _load()
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(request)
        status = _wait(pid, request["kill_after_s"])
        print(json.dumps({"status": status, "left": _orphans()}), flush=True)


def _load() -> None:
    """Import all that commands import, so that a forked process begins with its work."""
    import builder
    from builder.engines import warm
    from builder.pipeline.preload import PRELOAD

    for name in builder.__all__:
        getattr(builder, name)
    for name in PRELOAD:
        __import__(name)
    assert warm
    for path in sorted((TESTS.parent / "builder").rglob("*.py")):
        name = ".".join(path.relative_to(TESTS.parent).with_suffix("").parts)
        if name.startswith(("builder.report", "builder.cli", "builder.operations", "builder.kernels")):
            __import__(name.removesuffix(".__init__"))
    with tempfile.TemporaryDirectory() as folder:
        _load_kernels(Path(folder))


def _load_kernels(folder: Path) -> None:
    """Load machine code that would otherwise be loaded in each process again."""
    from torture.scenes import COMMANDS, make_scene, remove_scene

    place = folder / "warm"
    place.mkdir()
    make_scene(place)
    for name in ("addition", "diff", "verify", "why", "validate"):
        with (
            contextlib.chdir(place),
            Path(os.devnull).open("w") as nothing,
            contextlib.redirect_stdout(nothing),
            contextlib.redirect_stderr(nothing),
        ):
            _run({"code": "", "arguments": COMMANDS[name]})
    remove_scene(place)


def _become(request: dict[str, Any]) -> None:
    """Run the command in this forked process, which never returns."""
    os.setsid()
    number = os.open(request["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, number), (2, number)):
        os.dup2(source, target)
    sys.stdin, sys.stdout, sys.stderr = map(os.fdopen, (0, 1, 2), ("r", "w", "w"))
    os.chdir(request["cwd"])
    os.environ.update(request["environment"])
    ctypes.CDLL(None).torture_reload()
    status = 99
    try:
        status = _run(request)
    except BaseException:
        traceback.print_exc()
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
    os._exit(status)


def _run(request: dict[str, Any]) -> int:
    from builder.cli import main

    try:
        if request["code"]:
            exec(request["code"], {"arguments": request["arguments"]})
        else:
            main(request["arguments"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def _wait(pid: int, kill_after_s: float | None) -> int | None:
    """Wait for a process, and kill it at a moment, or when it hangs."""
    end = time.monotonic() + (LIMIT_S if kill_after_s is None else kill_after_s)
    pause = 0.001
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            return None if kill_after_s is None else os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(0.02, pause * 1.2)


def _orphans() -> int:
    """Wait for the processes that a command has left, and kill those that do not end; return their number."""
    end = time.monotonic() + _ORPHANS_S
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if not pid and time.monotonic() > end:
            return _kill_children()
        if not pid:
            time.sleep(0.01)


def _kill_children() -> int:
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    for pid in found:
        os.kill(int(pid), signal.SIGKILL)
        os.waitpid(int(pid), 0)
    return len(found)


if __name__ == "__main__":
    _serve()
