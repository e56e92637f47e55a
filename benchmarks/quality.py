"""Measure the speed of all signals and of each dialect on real texts: CPU time of one process, best of five.

    python -m benchmarks.quality FILE.jsonl

The file has one JSON object a line, with the key ``text``.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.stages.quality.dialects import DIALECTS
from builder.stages.quality.measuring import measure_signals
from builder.stages.quality.signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable

N_RUNS = 5
MIN_BYTES = 8_000_000
"""Texts repeat until they have this many bytes; signals of a text do not depend on other texts."""


def speed(work: Callable[[], Any], n_bytes: int) -> float:
    """Return megabytes of text for each second of CPU time; the first run compiles and does not count."""
    work()
    times = []
    for _ in range(N_RUNS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return n_bytes / min(times) / 1e6


def main() -> None:
    """Print one line for each measurement."""
    lines = Path(sys.argv[1]).read_bytes().splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    n_bytes = sum(len(text.encode()) for text in texts)
    texts *= -(-MIN_BYTES // n_bytes)
    column = pa.array(texts, pa.large_string())
    n_bytes = sum(len(text.encode()) for text in texts)
    print(f"{len(texts):,} texts, {n_bytes / 1e6:.1f} MB")
    print(f"all signals: {speed(lambda: measure_signals(column, list(SIGNALS)), n_bytes):.1f} MB/s")
    for name, dialect in DIALECTS.items():
        found = speed(lambda measure=dialect.measure: measure(column), n_bytes)  # type: ignore[misc]
        print(f"signals of {name}: {found:.1f} MB/s")


if __name__ == "__main__":
    main()
