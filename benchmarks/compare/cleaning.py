"""The speed of ``clean_text`` on pages that came as text."""

from __future__ import annotations

import json
import os
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.bench import Bench, ours
from benchmarks.measure import Measured

LIMIT_MB = 100
LEAST_BYTES = 12_000_000
"""Small inputs are repeated, because a measurement of some milliseconds is one of the machine."""


def measure(bench: Bench) -> list[Measured]:
    """Measure pages of two converters, if there are any, and the pages of the bench."""
    pages = [orjson.loads(line)["text"] for line in bench.pages.read_bytes().splitlines()]
    inputs = {"the pages of the benchmark": [text for text in pages if text][:20_000]}
    folder = os.environ.get("BUILDER_TEST_DATA")
    news = Path(folder) / "aeb-plaintext" / "pages.jsonl" if folder else None
    if news and news.exists():
        rows = [json.loads(line) for line in news.read_text("utf-8").splitlines()]
        inputs["whole pages as text"] = [row[name] for row in rows for name in ("html-text", "inscriptis")]
    return [_row(bench, what, texts) for what, texts in inputs.items()]


def _row(bench: Bench, what: str, texts: list[str]) -> Measured:
    source = bench.folder / "cleaning.parquet"
    texts = texts * -(-LEAST_BYTES // sum(len(text.encode()) for text in texts))
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    pq.write_table(pa.table({"text": texts}), source)
    runs = [ours("clean", source, bench.folder / "cleaning.json") for _ in range(max(3, bench.rounds))]
    seconds = sorted(run.cpu_seconds for run in runs)[len(runs) // 2]
    limit = megabytes / LIMIT_MB
    return Measured(
        what=f"`clean_text`, {what}",
        against="",
        aim=f"{LIMIT_MB} MB/s and core",
        ours=seconds,
        theirs=limit,
        ratios=[limit / run.cpu_seconds for run in runs],
        cpu_ratio=limit / seconds,
        met=seconds <= limit,
        note=f"theirs is the limit; {megabytes / seconds:.0f} MB/s of CPU; inside the process, with spans",
    )
