"""Write a golden corpus of the formats of today, and what must be read from it for ever after.

    python tests/golden/make_corpus.py NUMBER

It is made once, when a format gets a new number, and never again: later releases must read the bytes that
this one wrote. It has what a corpus can have: rows added, changed, removed and merged, a takedown that was
purged and one that was not, versions that were yanked and dropped, and every kind of file.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from planted import STAGES, sentence, write_lines

from builder import Corpus, Recipe, build, diff, drop, takedown, yank
from builder.operations.why import why

HERE = Path(__file__).resolve().parent
DIFFS = (("1.0.0", "2.0.0"), ("2.0.0", "3.0.0"), ("3.0.0", "4.0.0"), ("4.0.0", "1.0.0"))
PAGES = (
    "a.example/1",
    "a.example/2",
    "mirror.example/2",
    "a.example/5",
    "a.example/6",
    "a.example/bad",
    "again.example/5",
)


def page(name: str, seed: int, tail: str = "", *, day: int = 1) -> dict[str, Any]:
    url = f"https://{name}"
    return {"url": url, "text": sentence(seed, 25) + tail, "fetched_at": f"2024-01-{day:02}T00:00:00Z"}


def make(folder: Path) -> Path:
    """Build a corpus of six versions; see the module."""
    recipe = {
        "name": "golden",
        "title": "Golden corpus",
        "license": "cc0-1.0",
        "language": ["en"],
        "sources": [{"jsonl": {"path": "feed"}}],
        "stages": [{stage: {}} for stage in STAGES],
        "splits": {"train": 0.6, "test": 0.4},
        "corpus": "corpus",
    }

    def grow(name: str, *pages: dict[str, Any]) -> Path:
        write_lines(folder / "feed" / f"{name}.jsonl", pages)
        return build(Recipe.from_dict(recipe, folder=folder), workers=1).corpus

    bad = {"url": "https://a.example/bad", "text": 7}
    near = page("near.example/3", 3, " and one more")
    pages = [page(f"a.example/{i}", i) for i in range(10)]
    corpus = grow("a", *pages, page("mirror.example/2", 2), near, bad)
    grow("b", *(page(f"b.example/{i}", 100 + i) for i in range(4)))
    takedown(corpus, urls=["https://a.example/5"], because="the owner asked", purge=True)
    takedown(corpus, urls=["https://a.example/6"], because="the owner asked")
    more = [page(f"c.example/{i}", 200 + i) for i in range(3)]
    grow("c", *more, page("again.example/5", 5), page("a.example/1", 301, day=9))
    grow("d", page("d.example/0", 400))
    yank(f"{corpus}@4.1.0", because="half of it was a test")
    drop(f"{corpus}@1.1.0")
    assert Corpus(corpus).versions() == ["1.0.0", "1.1.0", "2.0.0", "3.0.0", "4.0.0", "4.1.0"]
    return corpus


def read(folder: Path) -> dict[str, Any]:
    """Tell what a corpus holds, as the tests compare it."""
    corpus = Corpus(folder)
    there = [version for version in corpus.versions() if not corpus.dropped(version)]
    return {
        "versions": {version: corpus.digest(version) for version in corpus.versions()},
        "newest": corpus.newest(),
        "rows": {version: _rows(corpus, version) for version in there},
        "diffs": {f"{a} {b}": _diff(folder, a, b) for a, b in DIFFS},
        "pages": {name: _histories(folder, f"https://{name}") for name in PAGES},
    }


def _rows(corpus: Corpus, version: str) -> dict[str, list[list[str]]]:
    return {
        split: [
            [row["id"], row["url"], hashlib.sha256(row["text"].encode()).hexdigest()]
            for path in paths
            for row in pq.read_table(path).to_pylist()
        ]
        for split, paths in corpus.data_files(version).items()
    }


def _diff(folder: Path, old: str, new: str) -> dict[str, Any]:
    found = diff(folder, old, new)
    return {
        "reason": found.reason,
        "rows": sorted([row.kind, row.id, *(name for name, _ in row.columns)] for row in found.rows),
        "removals": [[one.why, one.stage, one.reason, one.rows] for one in found.removals],
    }


def _histories(folder: Path, url: str) -> list[list[str | None]]:
    histories = why(str(folder), url).histories
    return [
        [history.version, r["outcome"], r["stage"], r["reason"]]
        for history in histories
        for r in history.records
    ]


def main(number: str) -> None:
    """Write corpus-NUMBER and corpus-NUMBER.json, unless they are there."""
    target = HERE / f"corpus-{number}"
    if target.exists():
        sys.exit(f"{target} is there; what a release wrote stays as it is")
    with tempfile.TemporaryDirectory() as folder:
        corpus = make(Path(folder))
        shutil.copytree(corpus, target, symlinks=True, ignore=shutil.ignore_patterns(".spool"))
    text = json.dumps(read(target), indent=1, sort_keys=True) + "\n"
    target.with_suffix(".json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
