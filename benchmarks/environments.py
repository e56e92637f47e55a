"""Environments of the other tools: one each, so that their dependencies do not have to agree."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).with_name("peers")

REQUIREMENTS = {
    "text-dedup": ("text-dedup",),
    "datatrove": ("datatrove[io,processing]", "spacy", "orjson"),
    "daft": ("daft",),
    "rensa": ("rensa", "pyarrow", "numpy"),
    "duckdb": ("duckdb",),
}
"""What each environment is made of; versions are those that PyPI has, and stand in the results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A Python with packages: the own one has an empty name."""

    name: str
    python: Path

    def versions(self) -> str:
        """Name the packages that were asked for, with their versions."""
        names = [one.partition("[")[0] for one in REQUIREMENTS.get(self.name, OWN)]
        told = subprocess.run([self.python, "-c", _TELL, *names], capture_output=True, text=True, check=True)
        return told.stdout.strip()


_TELL = """
import sys
from importlib.metadata import version
print(*(f"{name} {version(name)}" for name in sys.argv[1:]), sep=", ")
"""

OWN = ("pyarrow", "numba", "orjson", "jsonschema-rs", "jsonschema", "ftfy", "resiliparse", "trafilatura")


def own() -> Environment:
    """Return the environment that runs this."""
    return Environment(name="", python=Path(sys.executable))


def make(name: str, folder: Path) -> Environment | None:
    """Make a peer's environment, or take the one that is there; None if it cannot be installed."""
    place = folder / name
    python = place / "bin" / "python"
    ready = place / "ready.json"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        done = subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS[name]], check=False)
        if done.returncode:
            print(f"{name} cannot be installed here: left out", file=sys.stderr)
            return None
        ready.write_text(json.dumps(REQUIREMENTS[name]))
    return Environment(name=name, python=python)
