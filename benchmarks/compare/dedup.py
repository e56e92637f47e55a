"""``builder dedup`` whole, against tools that deduplicate, or do a part of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from benchmarks.agreement import agree
from benchmarks.bench import Bench, builder, theirs
from benchmarks.measure import Measured, Run, compare, in_turn

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.environments import Environment

OURS = "`builder dedup`: JSONL in, deduplicated Parquet out, every merge proven"


def measure(bench: Bench) -> list[Measured]:
    """Measure against each tool that is there."""
    rows = []
    if tool := bench.peer("text-dedup"):
        rows.append(_text_dedup(bench, tool))
    if tool := bench.peer("daft"):
        pairs = in_turn(
            lambda: ours(bench), lambda: theirs(tool, "daft_minhash.py", bench.pages), rounds=bench.rounds
        )
        note = f"whole processes; the other makes 112-hash signatures and nothing else; {tool.versions()}"
        against = "Daft's MinHash expression alone"
        rows.append(compare(pairs, what=OURS, against=against, aim="faster", at_least=1, note=note))
    return rows


def ours(bench: Bench) -> Run:
    return builder("dedup", bench.pages, "--output", bench.fresh("dedup-ours"))


def _text_dedup(bench: Bench, tool: Environment) -> Measured:
    kept = bench.fresh("text-dedup-kept.json")

    def run() -> Run:
        output, cache = bench.fresh("text-dedup-out"), bench.fresh("text-dedup-cache")
        return theirs(tool, "text_dedup_minhash.py", bench.pages, output, cache, kept)

    ours(bench)
    pairs = in_turn(lambda: ours(bench), run, rounds=bench.rounds, warm=False)
    note = f"{agreement(bench, kept, 'text-dedup')}; {tool.versions()}"
    return compare(pairs, what=OURS, against="text-dedup MinHash", aim="30 times", at_least=30, note=note)


def agreement(bench: Bench, kept: Path, name: str) -> str:
    ours(bench)
    files = sorted((bench.folder / "dedup-ours" / "1.0.0" / "data").glob("*.parquet"))
    extras = [text for file in files for text in pq.read_table(file, columns=["extra"])["extra"].to_pylist()]
    found = agree(
        bench.pages, {json.loads(text)["url"] for text in extras}, set(json.loads(kept.read_text()))
    )
    bench.notes.append(f"{name}: {found.told()}")
    return f"{found.share:.1%} of the verdicts are the same"
