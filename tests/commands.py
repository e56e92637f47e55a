"""Run the command line as a user does, and read the files of a build without builder's own code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

ALL_STAGES = ["validate", "extract_text", "repair_text", "dedup_url", "dedup_exact", "dedup_near"]
MAIN = "from builder.cli import main; main()"
COMMAND = [sys.executable, "-c", MAIN]
INTERRUPTIBLE = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {MAIN}"
"""Shells start background commands with interrupts ignored, and tests may run in the background."""


def write_recipe(
    folder: Path,
    sources: Sequence[dict[str, Any]],
    *,
    stages: Sequence[str] = ALL_STAGES,
    corpus: str = "corpus",
    name: str = "recipe.yaml",
) -> Path:
    """Write a recipe as JSON, which is valid YAML."""
    document = {
        "name": "acceptance",
        "sources": list(sources),
        "stages": [{stage: {}} for stage in stages],
        "splits": {"train": 0.9, "test": 0.1},
        "corpus": corpus,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def builder(
    *arguments: str | Path, timeout_s: float = 300, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command and wait for its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=timeout_s, cwd=cwd
    )


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Start a command, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def ledger_rows(corpus: Path) -> list[dict[str, Any]]:
    """Return the rows of the newest ledger. The ledger of a build that kept nothing is in the spool."""
    found = sorted(corpus.glob(".audit/*/ledger.parquet")) or sorted(corpus.glob(".spool/*/ledger.parquet"))
    rows: list[dict[str, Any]] = pq.read_table(found[-1]).to_pylist()
    return rows


def manifest_of(corpus: Path) -> dict[str, Any]:
    """Return the manifest of the newest version."""
    manifest: dict[str, Any] = json.loads((corpus / "latest" / "manifest.json").read_bytes())
    return manifest
