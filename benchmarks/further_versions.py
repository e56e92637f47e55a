"""What further versions cost: additions, takedowns, recrawls and a changed filter, beside a full rebuild.

    python -m benchmarks.further_versions PAGES.parquet --folder SCRATCH [--output TABLE.md]

``PAGES.parquet`` has the columns ``url`` and ``text`` (``benchmarks`` makes one from documentation packages).
Seconds are those of the command less those of a build that finds nothing new; bytes are those of files that
are new in the corpus folder, its spool left out; bytes to upload are those that the Hub's chunk-level
deduplication would take, told by its own client against a local store.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = "from builder.cli import main; main()"
SHARE = 100
"""A hundredth of the pages is added, taken down or fetched again."""


@dataclass(frozen=True)
class Step:
    """One further version, measured."""

    what: str
    version: str
    reason: str
    seconds: float
    new_bytes: int
    upload_bytes: int | None
    shards: str


class Bench:
    """A corpus that grows, and what each step costs."""

    def __init__(self, pages: Path, folder: Path) -> None:
        self.folder = folder
        self.corpus = folder / "corpus"
        table = pq.read_table(pages, columns=["url", "text"])
        self.pages = table.filter(pc.is_valid(table["text"])).to_pylist()
        self.idle_s = 0.0
        (folder / "in").mkdir(parents=True, exist_ok=True)

    def write(self, name: str, rows: list[dict[str, Any]], *, day: int = 1) -> None:
        """Write one more input."""
        with (self.folder / "in" / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            for row in rows:
                line = row | {"fetched_at": f"2024-01-{day:02}T00:00:00Z"}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def recipe(self, *, threshold: float = 0.8, corpus: str = "corpus") -> Path:
        """Write the recipe; JSON is YAML."""
        stages = [{"repair_text": {}}, {"dedup_url": {}}, {"dedup_exact": {}}]
        document = {
            "name": "further",
            "sources": [{"jsonl": {"path": "in"}}],
            "stages": [*stages, {"dedup_near": {"threshold": threshold}}],
            "splits": {"train": 0.98, "test": 0.02},
            "corpus": corpus,
        }
        path = self.folder / "recipe.yaml"
        path.write_text(json.dumps(document))
        return path

    def run(self, *arguments: object) -> tuple[dict[str, Any], float]:
        """Run a command; return its document and its seconds."""
        began = time.monotonic()
        command = [sys.executable, "-c", COMMAND, *map(str, arguments), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        elapsed = time.monotonic() - began
        if done.returncode:
            raise SystemExit(done.stderr)
        return json.loads(done.stdout), elapsed

    def step(self, what: str, *arguments: object) -> Step:
        """Measure what one command adds to the corpus."""
        before, shards = set(self._files()), self._shards()
        document, elapsed = self.run(*arguments)
        fresh = [path for path in self._files() if path not in before]
        now = self._shards()
        return Step(
            what=what,
            version=document["version"],
            reason=document["reason"],
            seconds=elapsed - self.idle_s,
            new_bytes=sum(path.stat().st_size for path in fresh if path.stat().st_nlink == 1)
            + sum(path.stat().st_size for path in fresh if ".objects" in path.parts),
            upload_bytes=self._upload(self.corpus / document["version"]),
            shards=f"{len(now & shards)} of {len(now)}",
        )

    def _files(self) -> Iterator[Path]:
        for path in self.corpus.rglob("*"):
            if path.is_file() and not path.is_symlink() and ".spool" not in path.parts:
                yield path

    def _shards(self) -> set[str]:
        manifest = self.corpus / "latest" / "manifest.json"
        if not manifest.exists():
            return set()
        splits = json.loads(manifest.read_bytes())["splits"]
        return {shard["sha256"] for split in splits.values() for shard in split["shards"]}

    def _upload(self, version: Path) -> int | None:
        try:
            from hf_xet import XetSession
        except ImportError:
            return None
        commit = XetSession().new_upload_commit(endpoint=f"local://{self.folder / 'xet'}")
        for shard in sorted((version / "data").iterdir()):
            commit.start_upload_file(str(shard))
        return int(commit.wait_to_finish().dedup_metrics.new_bytes)


def measure(bench: Bench) -> tuple[float, list[Step], int]:
    """Build the first version and those that follow."""
    n = len(bench.pages) // SHARE
    new, old = bench.pages[:n], bench.pages[n:]
    bench.write("000", old)
    first = bench.step("first version", "build", bench.recipe())
    bench.idle_s = min(bench.run("build", bench.recipe())[1] for _ in range(3))
    full_s = first.seconds - bench.idle_s
    steps = [first]
    bench.write("001", new)
    steps.append(bench.step("append 1 %", "build", bench.recipe()))
    bench.write("002", [row | {"url": f"https://mirror.example/{i}"} for i, row in enumerate(old[-n:])])
    steps.append(bench.step("append 1 %, all duplicates", "build", bench.recipe()))
    together, scattered = _domains(bench, n)
    for what, urls in (("takedown, pages together", together), ("takedown, pages scattered", scattered)):
        (bench.folder / "list").write_text("\n".join(urls) + "\n")
        arguments = ("takedown", bench.corpus, "--file", bench.folder / "list", "--because", "asked")
        steps.append(bench.step(what, *arguments))
    again = [
        row | {"text": f"{row['text']}\n\nChanged on the second day: {i}."}
        for i, row in enumerate(old[: n * 3 : 3])
    ]
    bench.write("003", again, day=2)
    steps.append(bench.step("recrawl, 1 % changed", "build", bench.recipe()))
    steps.append(bench.step("changed filter", "build", bench.recipe(threshold=0.7)))
    size = sum(path.stat().st_size for path in (bench.corpus / "1.0.0" / "data").iterdir())
    return full_s, steps, size


def _domains(bench: Bench, n: int) -> tuple[list[str], list[str]]:
    """Choose pages that lie together, and as many all over the crawl."""
    urls = [row["url"] for row in bench.pages[n:] if row["url"] and urlsplit(row["url"]).netloc]
    middle = len(urls) // 2
    return urls[middle : middle + n], urls[:: len(urls) // n][:n]


def table(full_s: float, steps: list[Step], size: int) -> str:
    """Write the table."""
    heads = ("step", "version", "seconds", "of a full build", "new bytes", "of the first version")
    heads += ("to upload", "shards unchanged", "why")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for one in steps:
        upload = "" if one.upload_bytes is None else f"{one.upload_bytes / size:.1%}"
        cells = (one.what, one.version, f"{one.seconds:.1f}", f"{one.seconds / full_s:.1%}")
        cells += (
            f"{one.new_bytes / 1e6:.1f} MB",
            f"{one.new_bytes / size:.1%}",
            upload,
            one.shards,
            one.reason,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--output", type=Path, default=None)
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="further-versions-"))
    text = table(*measure(Bench(arguments.pages, folder)))
    if arguments.output:
        arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
