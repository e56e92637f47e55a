"""Commands are killed anywhere: the next run gives the undisturbed corpus, and nothing is left behind."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from torture.code import digest_of
from torture.scenes import WRITERS
from torture.shim import CHANGES, KILL_MAIN, Plan
from torture.yard import FINE, Outcome, Yard, stride

WITH_WORKERS = "build of HTML"


@dataclass(frozen=True)
class Kills:
    """SIGKILL of the main process of one command.

    Attributes:
        where: `call`: before the n-th call that changes a file; `moment`: at a random moment.
    """

    command: str
    where: str

    group = "kills"
    tries_at_once = 1

    @property
    def name(self) -> str:
        return f"{self.group}: {self.command}: at a {self.where}"

    @property
    def code(self) -> str:
        return digest_of(self.command)

    def attempt(self, yard: Yard, number: int) -> Outcome:
        expected = yard.expected(self.command)
        plan, kill_after_s = Plan(), None
        if self.where == "call":
            calls = yard.count(self.command, CHANGES)
            plan = Plan(kinds=CHANGES, error=KILL_MAIN, at=stride(number, calls))
        else:
            kill_after_s = random.Random(f"{self.name} {number}").uniform(0, expected.seconds)
        with yard.scene(self.command) as folder:
            ran = yard.call(folder, self.command, plan, kill_after_s=kill_after_s)
            outcome = yard.judge(self.command, folder, ran)
        where = f"killed at call {plan.at} ({ran.counted.what})" if plan.at else f"after {kill_after_s:.3f} s"
        return Outcome(outcome.fault, f"{where}: {outcome.note}") if outcome.fault else FINE


@dataclass(frozen=True)
class KillsOfWorkers:
    """SIGKILL of a worker, or of the process that forks workers, at a random moment of a build.

    A killed worker costs no page: the build succeeds. Without the process that forks, it ends with an error.
    """

    victim: str

    group = "kills"
    tries_at_once = 1

    @property
    def name(self) -> str:
        return f"{self.group}: {WITH_WORKERS}: {self.victim}"

    @property
    def code(self) -> str:
        return digest_of(WITH_WORKERS, "engines.worker")

    def attempt(self, yard: Yard, number: int) -> Outcome:
        yard.expected(WITH_WORKERS)
        pause = random.Random(f"{self.name} {number}").uniform(0, 0.6)
        with yard.scene(WITH_WORKERS) as folder:
            yard.start(folder, WITH_WORKERS)
            killed = _kill(folder, self.victim, pause)
            ran = yard.run.wait()
            if self.victim == "a worker" and killed and ran.status:
                return Outcome(
                    "records lost", f"exit status {ran.status} after {pause:.3f} s: {ran.said[-800:]}"
                )
            return yard.judge(WITH_WORKERS, folder, ran)


def _kill(mark: Path, victim: str, pause: float) -> bool:
    """Wait for a worker of the build in this scene, then for some more time, and kill it or its parent."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        serving = dict(_serving(mark))
        workers = [pid for pid, parent in serving.items() if parent in serving]
        if workers:
            time.sleep(pause)
            pid = workers[0] if victim == "a worker" else serving[workers[0]]
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return True
            return False
        time.sleep(0.01)
    return False


def _serving(mark: Path) -> list[tuple[int, int]]:
    """List the zygote and its workers: pid and pid of the parent."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            is_ours = os.fsencode(f"TMPDIR={mark}\0") in (folder / "environ").read_bytes()
            if is_ours and b"builder.engines.worker" in (folder / "cmdline").read_bytes():
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                found.append((int(folder.name), int(parent)))
    return found


def targets() -> list[Kills | KillsOfWorkers]:
    commands = [name for name in WRITERS if name != WITH_WORKERS]
    kills = [Kills(name, where) for name in commands for where in ("call", "moment")]
    return [*kills, KillsOfWorkers("a worker"), KillsOfWorkers("the process that forks")]
