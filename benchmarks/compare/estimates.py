"""What ``builder check`` says beforehand against what ``run.json`` says afterwards."""

from __future__ import annotations

from pathlib import Path

import orjson

from benchmarks.bench import Bench, builder, recipe
from benchmarks.measure import Measured

STAGES = ("repair_text", "dedup_url", "dedup_exact", "dedup_near")
MOST = 1.5


def measure(bench: Bench) -> list[Measured]:
    """Measure the estimates of time, memory and disk."""
    path = recipe(bench, "estimate", {"jsonl": {"path": str(bench.pages)}}, STAGES)
    estimates, tooks = [], []
    for _ in range(bench.rounds):
        estimates.append(builder("check", path, "--json").told["estimate"])
        recipe(bench, "estimate", {"jsonl": {"path": str(bench.pages)}}, STAGES)
        builder("build", path)
        run = bench.folder / "estimate-corpus" / ".audit" / "1.0.0" / "run.json"
        tooks.append(orjson.loads(Path(run).read_bytes())["took"])
    return [_row(name, unit, estimates, tooks) for name, unit in _WHAT.items()]


_WHAT = {"seconds": "s", "memory_bytes": "MB", "disk_bytes": "MB"}


def _row(name: str, unit: str, estimates: list[dict[str, float]], tooks: list[dict[str, float]]) -> Measured:
    size = 1e6 if unit == "MB" else 1.0
    ratios = [one[name] / other[name] for one, other in zip(estimates, tooks, strict=True)]
    return Measured(
        what=f"`builder check`: {name} of a build",
        against="what it took, by run.json",
        aim=f"within {MOST} times",
        ours=estimates[-1][name] / size,
        theirs=tooks[-1][name] / size,
        ratios=ratios,
        cpu_ratio=sorted(ratios)[len(ratios) // 2],
        met=all(1 / MOST <= ratio <= MOST for ratio in ratios),
        unit=unit,
    )
