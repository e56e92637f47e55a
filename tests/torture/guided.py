"""Fuzz a source or a grammar guided by coverage, with atheris (the extra `fuzz`); see guide.py."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from torture import inputs
from torture.code import digest_of
from torture.yard import FINE, Outcome, Yard

TESTS = Path(__file__).resolve().parents[1]
KINDS = {"source": inputs.SOURCES, "grammar": inputs.GRAMMARS}
LIMIT_S = 600


@dataclass(frozen=True)
class Guided:
    """Inputs that atheris makes for one function, in a process of its own."""

    kind: str
    what: str

    group = "fuzz"
    tries_at_once = 2_000

    @property
    def name(self) -> str:
        return f"{self.group}: guided: {self.kind} {self.what}"

    @property
    def code(self) -> str:
        return digest_of(*KINDS[self.kind][self.what].modules)

    def attempt(self, yard: Yard, number: int) -> Outcome:
        folder = Path(tempfile.gettempdir()) / "builder-torture-inputs" / f"{self.kind}-{self.what}"
        command = [sys.executable, "-m", "torture.guide", self.kind, self.what, str(folder)]
        command += [str(self.tries_at_once), str(number + 1)]
        try:
            done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            return Outcome("hangs", f"{self.tries_at_once} inputs took more than {LIMIT_S} s")
        if done.returncode or not re.search(r"^Done \d+ ", done.stderr, re.MULTILINE):
            return Outcome("tracebacks", f"status {done.returncode}: {done.stderr[-1800:]}")
        return FINE


def targets() -> list[Guided]:
    """Return a target for each source and grammar; none if atheris is not installed."""
    if importlib.util.find_spec("atheris") is None:
        return []
    return [Guided(kind, what) for kind, table in KINDS.items() for what in table]
