"""Processes of a Ray cluster on this machine, and the results of builds on it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any


def digest_of(corpus: Path) -> str:
    """Return the digest of the newest version."""
    from builder import Corpus

    one = Corpus(corpus)
    return one.digest(one.versions()[-1])


def descendants(pid: int) -> list[int]:
    """Return a process and all processes below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        parent = int(text.rpartition(")")[2].split()[1])
        children.setdefault(parent, []).append(int(stat.parent.name))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += children.get(one, [])
    return found


def kill_all(pids: list[int]) -> None:
    """Kill processes that this test has started."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def raylet_of(node: Any) -> int:
    """Return the process of a node that runs its tasks."""
    (info,) = node.all_processes["raylet"]
    pid: int = info.process.pid
    return pid


def run_facts(corpus: Path) -> dict[str, Any]:
    """Return the facts of the run that wrote the first version."""
    facts: dict[str, Any] = json.loads((corpus / ".audit/1.0.0/run.json").read_bytes())
    return facts
