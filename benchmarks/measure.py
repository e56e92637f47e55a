"""Run ours and the other in turn, and tell the ratio of each round."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ROUNDS = 3
LIMIT_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run: how long it took, and what it printed as JSON on its last line.

    Both are what the command itself says of its work, where it says so; else they are of the whole process,
    ``cpu_seconds`` of all below it too that it waited for.
    """

    seconds: float
    cpu_seconds: float
    told: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A row of the table; ``ours`` and ``theirs`` are in ``unit``."""

    what: str
    against: str
    aim: str
    ours: float
    theirs: float
    ratios: Sequence[float]
    cpu_ratio: float
    met: bool
    unit: str = "s"
    note: str = ""

    @property
    def ratio(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.ratios)


def run(command: Sequence[str | Path], *, cwd: Path | None = None) -> Run:
    """Run a command to its end."""
    before = os.times()
    began = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=LIMIT_S, cwd=cwd, env=_environment()
    )
    seconds = time.perf_counter() - began
    after = os.times()
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-3000:]}")
    told = _json_of(done.stdout.strip())
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds=told.get("seconds", seconds), cpu_seconds=told.get("cpu_seconds", cpu), told=told)


def _environment() -> dict[str, str]:
    """Let every tool keep its compiled modules, as it does for its users."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _json_of(printed: str) -> dict[str, Any]:
    """Return what a command printed as JSON, by itself or on its last line."""
    text = printed if printed.startswith("{") else printed.rpartition("\n")[2]
    found: dict[str, Any] = json.loads(text) if text.startswith("{") else {}
    return found


def in_turn(
    ours: Callable[[], Run], theirs: Callable[[], Run], *, rounds: int = ROUNDS, warm: bool = True
) -> list[tuple[Run, Run]]:
    """Run both, one after the other, so that a machine that changes its speed does so for both.

    Args:
        warm: whether a round that does not count comes first, in which kernels are compiled and files read.
    """
    if warm:
        ours()
        theirs()
    return [(ours(), theirs()) for _ in range(rounds)]


def compare(
    pairs: Sequence[tuple[Run, Run]], *, what: str, against: str, aim: str, at_least: float, note: str = ""
) -> Measured:
    """Sum pairs up as ``theirs / ours``: how many times faster ours is."""
    ratios = [theirs.seconds / ours.seconds for ours, theirs in pairs]
    cpu = [theirs.cpu_seconds / ours.cpu_seconds for ours, theirs in pairs]
    return Measured(
        what=what,
        against=against,
        aim=aim,
        ours=statistics.median(ours.seconds for ours, _ in pairs),
        theirs=statistics.median(theirs.seconds for _, theirs in pairs),
        ratios=ratios,
        cpu_ratio=statistics.median(cpu),
        met=statistics.median(ratios) >= at_least,
        note=note,
    )
