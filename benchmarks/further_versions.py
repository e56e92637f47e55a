"""Measure further versions (additions, takedowns, recrawls, a changed filter) and a full rebuild.

    python -m benchmarks.further_versions --packages FOLDER [--folder SCRATCH] [--output TABLE.md]

The corpus is made from the HTML of documentation packages, which are downloaded into FOLDER (see ``crawl``).
Seconds are those of the command less those of a build that finds nothing new; so are those of the processor.
New bytes are those of files that are new or changed in the corpus folder (version, ledger, index, card,
tombstones), its spool left out; bytes to upload are those of the shards that the Hub's chunk-level
deduplication would take, told by its own client against a local store.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from benchmarks.crawl import SCATTERED, TOGETHER, Crawl, write_archives

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = "from builder.cli import main; main()"
CHAIN = ("extract_text", "repair_text", "dedup_url", "dedup_exact")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds of the clock, and of all processors."""

    wall_s: float
    cpu_s: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(wall_s=self.wall_s - other.wall_s, cpu_s=self.cpu_s - other.cpu_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One further version, measured; the cost is still that of the whole command."""

    what: str
    version: str
    reason: str
    cost: Cost
    new_bytes: int
    upload_bytes: int | None
    shards: str


class Bench:
    """A corpus that grows, and what each step costs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = folder / "in"
        self.corpus = folder / "corpus"

    def recipe(self, *, threshold: float = 0.8) -> Path:
        """Write the recipe; JSON is YAML."""
        document = {
            "name": "further",
            "sources": [{"warc": {"path": "in"}}],
            "stages": [*({stage: {}} for stage in CHAIN), {"dedup_near": {"threshold": threshold}}],
            "splits": {"train": 0.98, "test": 0.02},
            "corpus": "corpus",
        }
        path = self.folder / "recipe.yaml"
        path.write_text(json.dumps(document))
        return path

    def build(self, what: str, *, threshold: float = 0.8) -> Step:
        """Measure a build."""
        return self._step(what, "build", self.recipe(threshold=threshold))

    def takedown(self, what: str, domain: str) -> Step:
        """Measure a takedown."""
        return self._step(what, "takedown", self.corpus, "--domain", domain, "--because", "asked")

    def idle(self) -> Cost:
        """Measure a build that finds nothing new: the median of three."""
        costs = [self._run("build", self.recipe())[1] for _ in range(3)]
        return sorted(costs, key=lambda cost: cost.wall_s)[1]

    def urls(self) -> list[str]:
        """Return the URLs that are published."""
        files = sorted((self.corpus / "latest" / "data").resolve().iterdir())
        return [url for file in files for url in pq.read_table(file, columns=["url"])["url"].to_pylist()]

    def data_bytes(self, version: str) -> int:
        """Bytes of the shards of a version."""
        return sum(path.stat().st_size for path in (self.corpus / version / "data").iterdir())

    def _step(self, what: str, *arguments: object) -> Step:
        before, shards = self._files(), self._shards()
        document, cost = self._run(*arguments)
        fresh, now = self._files(), self._shards()
        step = Step(
            what=what,
            version=document["version"],
            reason=document["reason"],
            cost=cost,
            new_bytes=sum(size for file, size in fresh.items() if file not in before),
            upload_bytes=self._upload(self.corpus / document["version"]),
            shards=f"{len(now & shards)} of {len(now)}",
        )
        print(step, file=sys.stderr)
        return step

    def _run(self, *arguments: object) -> tuple[dict[str, Any], Cost]:
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-c", COMMAND, *map(str, arguments), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            raise SystemExit(done.stderr)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return json.loads(done.stdout), Cost(wall_s=time.monotonic() - began, cpu_s=cpu_s)

    def _files(self) -> dict[tuple[int, int], int]:
        """Size of each file by inode and time: two names of one file are one, a file written again is new."""
        stats = [
            path.lstat()
            for path in self.corpus.rglob("*")
            if ".spool" not in path.parts and path.is_file() and not path.is_symlink()
        ]
        return {(stat.st_ino, stat.st_mtime_ns): stat.st_size for stat in stats}

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


def measure(bench: Bench, crawl: Crawl) -> tuple[Cost, list[Step]]:
    """Build the first version and those that follow; return what a build without anything new costs, too."""
    write_archives(bench.inputs, "000", crawl.first, day=1)
    steps = [bench.build("first version")]
    idle = bench.idle()
    write_archives(bench.inputs, "001", crawl.later, day=2)
    steps.append(bench.build("append 1 %"))
    write_archives(bench.inputs, "002", crawl.mirrored(bench.urls()), day=3)
    steps.append(bench.build("append 1 %, all duplicates"))
    steps.append(bench.takedown("takedown, 1 % next to each other", TOGETHER))
    steps.append(bench.takedown("takedown, 1 % spread over the crawl", SCATTERED))
    write_archives(bench.inputs, "003", crawl.changed(bench.urls()), day=4)
    steps.append(bench.build("recrawl, 1 % changed"))
    steps.append(bench.build("changed filter: threshold 0.7", threshold=0.7))
    return idle, steps


def table(idle: Cost, steps: Sequence[Step], size: int) -> str:
    """Write the table; shares are those of the first version."""
    heads = ("step", "version", "time in s", "time, % of full build", "processor time, % of full build")
    heads += ("new bytes", "new bytes, % of first version", "shards to upload, % of first version")
    heads += ("shards unchanged", "reason for the number")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    full = steps[0].cost - idle
    for one in steps:
        cost = one.cost - idle
        upload = "" if one.upload_bytes is None else f"{one.upload_bytes / size:.1%}"
        cells = [one.what, one.version, f"{cost.wall_s:.1f}", f"{cost.wall_s / full.wall_s:.1%}"]
        cells += [f"{cost.cpu_s / full.cpu_s:.1%}", f"{one.new_bytes / 1e6:.1f} MB"]
        cells += [f"{one.new_bytes / steps[0].new_bytes:.1%}", upload, one.shards, one.reason]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--output", type=Path, default=None)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="further-versions-"))
    bench, crawl = Bench(folder.resolve()), Crawl.of(options.packages.resolve())
    idle, steps = measure(bench, crawl)
    n_rows = sum(pq.read_metadata(path).num_rows for path in (bench.corpus / "1.0.0" / "data").iterdir())
    size = bench.data_bytes("1.0.0")
    head = (
        f"{len(crawl.first):,} pages in the first crawl, {n_rows:,} published, {size:,} bytes of shards; "
        f"a build that finds nothing new takes {idle.wall_s:.1f} s\n\n"
    )
    text = head + table(idle, steps, size)
    if options.output:
        options.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
