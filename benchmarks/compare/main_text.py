"""The built-in extractor against resiliparse and trafilatura: CPU time in turn, and word F1."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bench import ROOT, Bench, theirs
from benchmarks.environments import own
from benchmarks.measure import Measured, Run, compare, in_turn
from training.pages import gold_pages, word_f1

if TYPE_CHECKING:
    from collections.abc import Sequence

SET = "wcxb-train"
N_PAGES = 300
"""Pages of the set that are measured, every fourth or so, so that all kinds are among them."""

N_SLOW = 60
"""Pages that trafilatura is measured on; ours reads the same ones."""

AIMS = {"resiliparse": 1 / 0.35, "trafilatura": 40.0}


def measure(bench: Bench) -> list[Measured]:
    """Measure CPU time of bytes to text; nothing where the labelled pages are not there."""
    folder = Path(os.environ.get("BUILDER_TEST_DATA", ROOT.parent / "shared" / "data")) / SET
    if not folder.is_dir():
        return []
    every = list(gold_pages(folder))
    chosen = every[:: max(len(every) // N_PAGES, 1)]
    source = bench.folder / "labelled.pickle"
    source.write_bytes(pickle.dumps([page.html for page in chosen]))
    gold = [page.gold for page in chosen]
    rows = []
    for ours in ("builder", "builder with facts"):
        for other, aim in AIMS.items():
            n_pages = N_SLOW if other == "trafilatura" else 0
            rows.append(_row(bench, source, gold, ours, other, aim, n_pages))
    return rows


def _row(
    bench: Bench, source: Path, gold: Sequence[str], ours: str, other: str, aim: float, n_pages: int
) -> Measured:
    outputs = {tool: bench.folder / f"texts-{tool.replace(' ', '-')}.pickle" for tool in (ours, other)}

    def read(tool: str) -> Run:
        done = theirs(own(), "main_text.py", tool, source, outputs[tool], str(n_pages))
        return Run(seconds=done.told["cpu_seconds"], cpu_seconds=done.told["cpu_seconds"])

    pairs = in_turn(lambda: read(ours), lambda: read(other), rounds=bench.rounds)
    scores = [_score(outputs[tool], gold) for tool in (ours, other)]
    return compare(
        pairs,
        what=f"{ours}: bytes to main text",
        against=f"{other}, its defaults",
        aim=f"{aim:.1f} times",
        at_least=aim,
        note=f"CPU time of one core, {n_pages or len(gold)} pages of {SET}; word F1 {scores[0]:.3f} against "
        f"{scores[1]:.3f}; ours was trained on these pages: see training/README.md for unseen ones",
    )


def _score(texts: Path, gold: Sequence[str]) -> float:
    """Return the mean word F1 of the texts that a tool wrote."""
    found = pickle.loads(texts.read_bytes())
    return sum(map(word_f1, found, gold)) / len(found)
