"""All signals on one core, the presets, and the filters of datatrove on the same texts."""

from __future__ import annotations

import statistics

import orjson

from benchmarks.bench import Bench, ours, theirs
from benchmarks.measure import Measured, compare, in_turn
from builder.stages.quality.presets import PRESETS

MAX_BYTES, FEW_BYTES = 40_000_000, 1_000_000
"""Bytes of text for ours, and for the comparison with filters that read less than 1 MB a second."""

LEAST_MB = 50
ROUNDS = 5


def measure(bench: Bench) -> list[Measured]:
    """Measure all signals, each preset without an extra, and the same texts with datatrove."""
    many, n_bytes = _texts(bench, "signals", MAX_BYTES)
    rows = [_speed(bench, "`signals`, all of them", "signals", many, n_bytes, aim=LEAST_MB)]
    few, n_few = _texts(bench, "signals-few", FEW_BYTES)
    for name, preset in PRESETS.items():
        if preset.dialect is None:
            rows.append(
                _speed(bench, f"`filter`, preset `{name}`", f"preset-{name}", many, n_bytes, aim=LEAST_MB)
            )
    if tool := bench.peer("datatrove"):
        pairs = in_turn(
            lambda: ours("signals", few, bench.folder),
            lambda: theirs(tool, "datatrove_quality.py", few),
            rounds=bench.rounds,
        )
        note = f"{n_few / 1e6:.1f} MB; inside the processes, one core; {tool.versions()}"
        against = "datatrove's filters on repetition, quality and FineWeb's rules"
        rows.append(
            compare(
                pairs, what="`signals`, all of them", against=against, aim="25 times", at_least=25, note=note
            )
        )
    return rows


def _texts(bench: Bench, name: str, max_bytes: int):  # type: ignore[no-untyped-def]
    """Write the first texts of the pages, and return the file and the bytes of text."""
    path, n_bytes = bench.folder / f"{name}.jsonl", 0
    with bench.pages.open("rb") as pages, path.open("wb") as out:
        for line in pages:
            text = orjson.loads(line)["text"] or ""
            n_bytes += len(text.encode())
            out.write(orjson.dumps({"text": text}) + b"\n")
            if n_bytes >= max_bytes:
                break
    return path, n_bytes


def _speed(bench: Bench, what: str, work: str, source, n_bytes: int, *, aim: int) -> Measured:  # type: ignore[no-untyped-def]
    """Measure megabytes of text for each second of CPU; the processes measure without their start."""
    runs = [ours(work, source, bench.folder) for _ in range(max(ROUNDS, bench.rounds))]
    limit_s = n_bytes / 1e6 / aim
    best = min(run.cpu_seconds for run in runs)
    return Measured(
        what=what,
        against="",
        aim=f"{aim} MB/s",
        ours=statistics.median(run.cpu_seconds for run in runs),
        theirs=limit_s,
        ratios=[limit_s / run.cpu_seconds for run in runs],
        cpu_ratio=limit_s / best,
        met=best <= limit_s,
        note=f"{n_bytes / 1e6 / best:.1f} MB/s of CPU at best; one core; theirs is the limit",
    )
