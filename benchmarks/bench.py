"""What all comparisons are given."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.environments import PEERS, Environment, make, own
from benchmarks.measure import Run, run

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
BUILDER = Path(sys.executable).with_name("builder")


@dataclass(frozen=True, kw_only=True, eq=False)
class Bench:
    """Inputs, a folder to work in, and the environments of the peers.

    Attributes:
        pages: lines of JSON with ``url`` and ``text``.
        archive: pages as WARC; None if the input is one's own.
        lines: for each reader of the results, what else was found out; filled while comparisons run.
    """

    pages: Path
    archive: Path | None
    folder: Path
    rounds: int
    notes: list[str] = field(default_factory=list)

    def fresh(self, name: str) -> Path:
        """Return the path of an output that is not there."""
        path = self.folder / name
        if path.is_dir():
            for one in (path, *path.rglob("*")):
                if one.is_dir() and not one.is_symlink():
                    one.chmod(0o755)
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        return path

    @cache  # noqa: B019 - one bench in a process
    def peer(self, name: str) -> Environment | None:
        """Return the environment of another tool."""
        return make(name, self.folder / "environments")

    @property
    def parquet(self) -> Path:
        """The pages as Parquet."""
        path = self.folder / "pages.parquet"
        if not path.exists():
            rows = [orjson.loads(line) for line in self.pages.read_bytes().splitlines()]
            table = pa.table({name: [row.get(name) for row in rows] for name in ("url", "text")})
            pq.write_table(table, path)
        return path


def builder(*arguments: str | Path) -> Run:
    """Run the command, as people do."""
    return run([BUILDER, *arguments])


def ours(work: str, source: Path, output: Path) -> Run:
    """Run one piece of work of ``benchmarks.ours``."""
    return run([own().python, "-m", "benchmarks.ours", work, source, output], cwd=ROOT)


def theirs(environment: Environment, script: str, *arguments: str | Path) -> Run:
    """Run a script of another tool in its environment."""
    return run([environment.python, PEERS / script, *arguments])


def recipe(bench: Bench, name: str, source: dict[str, object], stages: Sequence[str]) -> Path:
    """Write a recipe next to its corpus, and remove the files of an earlier run."""
    bench.fresh(f"{name}-corpus")
    path = bench.folder / f"{name}.json"
    document = {
        "name": name,
        "sources": [source],
        "stages": [{stage: {}} for stage in stages],
        "corpus": f"{name}-corpus",
    }
    path.write_bytes(orjson.dumps(document))
    return path
