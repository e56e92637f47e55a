"""``make bench``: run ours and the other in turn, three times each, and write benchmarks/RESULTS.md.

    python -m benchmarks [FILE.jsonl]

Without a file it makes pages of words, seeded, about 60 MB. A machine that is shared gives seconds that mean
little and ratios that mean more; the least and the greatest ratio of the rounds stand beside the median.
"""

from __future__ import annotations

import platform
import random
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow.json
import pyarrow.parquet as pq

from builder import Recipe, build, dedup, validate

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 3
RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Measure and write the table."""
    with tempfile.TemporaryDirectory(prefix="builder-bench-") as name:
        folder = Path(name)
        pages = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else make_pages(folder / "pages.jsonl")
        text = report([measure(*pair, folder=folder, pages=pages) for pair in PAIRS], pages)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


def make_pages(path: Path, *, n_pages: int = 20_000, seed: int = 7) -> Path:
    """Write pages of seeded words; every tenth is a near duplicate of the one before."""
    rng = random.Random(seed)
    words = ["".join(rng.choices("aeioustrnlm", k=rng.randint(2, 9))) for _ in range(5_000)]
    with path.open("wb") as file:
        text = ""
        for n in range(n_pages):
            text = text + " again" if n % 10 == 9 else " ".join(rng.choices(words, k=500))
            file.write(orjson.dumps({"url": f"https://example.org/{n}", "text": text}) + b"\n")
    return path


# -- what is compared ------------------------------------------------------------------------------


def ours_build(folder: Path, pages: Path) -> None:
    """Build a version with all text stages."""
    names = ["repair_text", "dedup_url", "dedup_exact", "dedup_near"]
    document: dict[str, Any] = {
        "name": "bench",
        "sources": [{"jsonl": {"path": str(pages)}}],
        "stages": [{name: {}} for name in names],
        "corpus": str(folder / "corpus"),
    }
    build(Recipe.from_dict(document, folder=folder))


def pyarrow_copy(folder: Path, pages: Path) -> None:
    """Read the same lines and write the same columns."""
    table = pyarrow.json.read_json(pages)
    pq.write_table(table, folder / "copy.parquet", compression="zstd")


def ours_dedup(folder: Path, pages: Path) -> None:
    """Remove exact and near duplicates; every merge is proven."""
    dedup([pages], output=folder / "clean")


def ours_validate(folder: Path, pages: Path) -> None:  # noqa: ARG001 - all take the same
    """Judge every line."""
    validate([str(pages)], contract="page-1")


def bare_loop(folder: Path, pages: Path) -> None:  # noqa: ARG001 - all take the same
    """Parse and judge every line on one core, and do nothing else."""
    import jsonschema_rs

    from builder.io.contracts import builtin_contract

    judge = jsonschema_rs.validator_for(dict(builtin_contract("page-1").schema))
    with pages.open("rb") as lines:
        for line in lines:
            judge.is_valid(orjson.loads(line))


PAIRS = (
    ("build from JSONL to a version", ours_build, "pyarrow JSONL to Parquet", pyarrow_copy),
    ("dedup", ours_dedup, "pyarrow JSONL to Parquet", pyarrow_copy),
    ("validate", ours_validate, "bare loop of orjson and jsonschema-rs, one core", bare_loop),
)


# -- measuring and telling -------------------------------------------------------------------------


def measure(
    name: str,
    ours: Callable[..., None],
    other_name: str,
    other: Callable[..., None],
    *,
    folder: Path,
    pages: Path,
) -> list[str]:
    """Run both in turn and return a row of the table."""
    ratios, seconds = [], []
    for number in range(ROUNDS + 1):  # the first round compiles and warms caches; it does not count
        took = [run(function, folder / f"{ours.__name__}-{number}", pages) for function in (ours, other)]
        if number:
            ratios.append(took[0] / took[1])
            seconds.append(took)
    own, others = (statistics.median(column) for column in zip(*seconds, strict=True))
    median = statistics.median(ratios)
    return [
        name,
        f"{own:.2f} s",
        other_name,
        f"{others:.2f} s",
        f"{median:.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
    ]


def run(function: Callable[..., None], folder: Path, pages: Path) -> float:
    """Time one run in a folder of its own."""
    folder.mkdir(exist_ok=True)
    began = time.perf_counter()
    function(folder, pages)
    return time.perf_counter() - began


def report(rows: list[list[str]], pages: Path) -> str:
    """Return the page with the table, what was measured, and on what."""
    header = ["what", "ours", "against", "theirs", "ours / theirs"]
    lines = [" | ".join(["", *cells, ""]).strip() for cells in [header, ["---"] * len(header), *rows]]
    libraries = ", ".join(
        f"{name} {version(name)}" for name in ("pyarrow", "orjson", "jsonschema-rs", "numba")
    )
    return "\n".join(
        [
            "# Results",
            "",
            "Made by `make bench`, not by hand. Times of a shared machine: the ratios are what counts.",
            "",
            *lines,
            "",
            f"Input: {pages.name}, {pages.stat().st_size / 1e6:.0f} MB. Median of {ROUNDS} rounds, in turn.",
            f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {libraries}.",
            "",
        ]
    )


if __name__ == "__main__":
    main()
