"""The slow twin of the counts over a lineage: replay the ledgers, and keep the newest row of each record."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from builder import Corpus

OUTCOMES = ("kept", "rejected", "merged", "failed")


def replayed_counts(corpus: Corpus, version: str) -> dict[str, Any]:
    """Return the counts of a version and of the versions that its index builds on."""
    newest: dict[Any, dict[str, Any]] = {}
    chain = [version]
    while base := json.loads((corpus.index_folder(chain[-1]) / "index.json").read_bytes())["base"]:
        chain.append(base)
    for one in reversed(chain):
        table = pq.read_table(corpus.ledger_file(one))
        newest |= {row["record_id"]: row for row in table.to_pylist()}
    return {"versions": len(chain)} | _counts(list(newest.values()))


def _counts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    outcomes = Counter(row["outcome"] for row in rows)
    reasons: dict[str, Any] = {}
    sources: dict[str, Any] = {}
    for row in rows:
        if row["reason"] is not None:
            codes = reasons.setdefault(row["outcome"], {}).setdefault(row["stage"], {})
            codes[row["reason"]] = codes.get(row["reason"], 0) + 1
        one = sources.setdefault(row["source"], dict.fromkeys(("records", *OUTCOMES), 0))
        one["records"] += 1
        one[row["outcome"]] += 1
    counts = {name: outcomes[name] for name in OUTCOMES}
    return {"records": len(rows), **counts, "reasons": reasons, "sources": sources}


def assert_counts_add_up(folder: Path) -> None:
    """Check the counts of every version of a corpus whose record ids do not repeat."""
    corpus = Corpus(folder)
    for version in corpus.versions():
        manifest = json.loads((folder / version / "manifest.json").read_bytes())
        counts = manifest["counts"]
        expected = replayed_counts(corpus, version)
        found = counts.get("lineage") or {"versions": 1} | {
            name: value for name, value in counts.items() if name in expected
        }
        assert found == expected
        assert found["kept"] == sum(split["rows"] for split in manifest["splits"].values())
