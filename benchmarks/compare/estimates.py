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


_WHAT = {"seconds": 1.0, "memory_bytes": 1e6, "disk_bytes": 1e6}


def _row(
    name: str, unit: float, estimates: list[dict[str, float]], tooks: list[dict[str, float]]
) -> Measured:
    ratios = [one[name] / other[name] for one, other in zip(estimates, tooks, strict=True)]
    return Measured(
        what=f"`builder check`: {name} of a build",
        against="what it took, by run.json",
        aim=f"within {MOST} times",
        ours_s=estimates[-1][name] / unit,
        theirs_s=tooks[-1][name] / unit,
        ratios=ratios,
        cpu_ratio=sorted(ratios)[len(ratios) // 2],
        met=all(1 / MOST <= ratio <= MOST for ratio in ratios),
        note="s" if unit == 1 else "MB, not s",
    )
