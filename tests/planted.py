"""Make a small corpus with planted faults and duplicates of each kind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from builder import BuildResult

STAGES = ["validate", "extract_text", "repair_text", "dedup_url", "dedup_exact", "dedup_near"]

WORDS = [
    f"{first}{second}" for first in ("tide", "lamp", "keel", "gull", "rope", "salt") for second in "aeiou"
]


def sentence(seed: int, n_words: int = 40) -> str:
    """Return words in an order that depends on the seed, so that two seeds share almost no shingle."""
    state, words = seed * 2654435761 + 1, []
    for _ in range(n_words):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        words.append(f"{WORDS[(state >> 33) % len(WORDS)]}{(state >> 40) % 97}")
    return " ".join(words)


def pages(n_pages: int) -> list[Any]:
    """Return pages; some are broken, some are duplicates of each kind; a string is a line as it is."""
    rows: list[Any] = []
    for i in range(n_pages):
        rows.append(
            {
                "url": f"https://example.org/{i}",
                "text": sentence(i),
                "fetched_at": f"2024-01-{i % 28 + 1:02}T00:00:00Z",
            }
        )
        if i % 5 == 0:
            rows.append(
                {
                    "url": f"https://example.org/{i}?utm_source=x",
                    "text": sentence(i + 10_000),
                    "fetched_at": "2023-01-01T00:00:00Z",
                }
            )
        if i % 7 == 0:
            rows.append({"url": f"https://mirror.example.net/{i}", "text": sentence(i)})
        if i % 11 == 0:
            rows.append({"url": f"https://near.example.net/{i}", "text": sentence(i) + " and one more"})
        if i % 13 == 0:
            rows.append({"url": f"https://example.org/bad/{i}", "text": 7})
        if i % 17 == 0:
            rows.append('{"url": "https://example.org/cut')
    return rows


def write_lines(path: Path, rows: Iterable[Any]) -> Path:
    """Write rows as JSON lines; a string is a line as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def ledger_of(result: BuildResult) -> list[dict[str, Any]]:
    """Return the rows of a ledger."""
    rows: list[dict[str, Any]] = pq.read_table(result.ledger).to_pylist()
    return rows


def outcomes(result: BuildResult) -> Counter[str]:
    """Count a ledger's rows by outcome, from the file and not from the build's report."""
    return Counter(row["outcome"] for row in ledger_of(result))
