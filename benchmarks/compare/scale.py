"""Growth with the number of documents, and a limit of memory."""

from __future__ import annotations

import random
import re
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from benchmarks.bench import BUILDER, Bench, builder, recipe
from benchmarks.compare.start import write_pages
from benchmarks.measure import Measured

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES = (100_000, 1_000_000, 4_000_000)
LIMIT = "2GB"
LIMIT_BYTES = 2 * 10**9
STAGES = ("repair_text", "dedup_url", "dedup_exact", "dedup_near")
N_WORDS = 190
DOCS_IN_FILE = 100_000
_LOOK_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One build: how many documents and bytes of input, how long, and the most memory of all processes."""

    n_docs: int
    n_bytes: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def measure(bench: Bench, sizes: tuple[int, ...]) -> tuple[list[Measured], list[Point]]:
    """Build from ever more documents, and from the most of them with a limit of memory."""
    source = {"html": {"path": str(write_pages(bench))}}
    for _ in range(2):  # the first one may compile kernels
        forty = builder("build", recipe(bench, "forty", source, ("extract_text", *STAGES)))
    points = [_build(bench, write_documents(bench, n), n) for n in sizes]
    per_doc = [(point.seconds - forty.seconds) / point.n_docs for point in points]
    cpu = [(point.cpu_seconds - forty.cpu_seconds) / point.n_docs for point in points]
    spread = max(per_doc) / min(per_doc) - 1
    rows = [
        Measured(
            what=f"growth: {', '.join(f'{n:,}' for n in sizes)} documents, time a document",
            against="the least of them",
            aim="flat within 20 %",
            ours=max(per_doc) * 1e6,
            theirs=min(per_doc) * 1e6,
            ratios=[min(per_doc) / one for one in per_doc],
            cpu_ratio=min(cpu) / max(cpu),
            met=spread <= 0.2,
            unit="us",
            note="beyond a build of 40 pages",
        )
    ]
    most = sizes[-1]
    limited = _build(bench, write_documents(bench, most), most, "--max-memory", LIMIT)
    free = points[-1]
    rows.append(
        Measured(
            what=f"`--max-memory {LIMIT}`, {most:,} documents, {free.n_bytes / 1e9:.1f} GB",
            against="the same without the limit",
            aim="obeyed, at most 1.3 times the time",
            ours=limited.seconds,
            theirs=free.seconds,
            ratios=[free.seconds / limited.seconds],
            cpu_ratio=free.cpu_seconds / limited.cpu_seconds,
            met=limited.peak_bytes <= LIMIT_BYTES and limited.seconds <= 1.3 * free.seconds,
            note=f"most PSS of all processes together {limited.peak_bytes / 1e9:.2f} GB, "
            f"{free.peak_bytes / 1e9:.2f} GB without the limit",
        )
    )
    return rows, points


def write_documents(bench: Bench, n_docs: int) -> Path:
    """Return a folder of JSONL files with so many documents, written if it is not there."""
    folder = bench.folder / f"documents-{n_docs}"
    if not folder.exists():
        beside = bench.fresh(f"documents-{n_docs}.tmp")
        beside.mkdir()
        lines = perturbed(bench.pages, n_docs)
        for number in range(-(-n_docs // DOCS_IN_FILE)):
            with (beside / f"{number:04d}.jsonl").open("wb") as file:
                file.writelines(islice(lines, DOCS_IN_FILE))
        beside.rename(folder)
    return folder


def perturbed(pages: Path, n_docs: int) -> Iterator[bytes]:
    """Perturb real pages: in each run of words every fifth is another, so that no shingle stays.

    Every tenth document is the one before it with one word changed: a near-duplicate.
    """
    rng = random.Random(7)
    long = [
        words
        for line in pages.read_bytes().splitlines()
        if len(words := re.findall(r"\S+", orjson.loads(line)["text"])) > N_WORDS
    ]
    vocabulary = sorted({word for words in long[::50] for word in words})
    words: list[str] = []
    for n in range(n_docs):
        if n % 10 == 9:
            words[rng.randrange(len(words))] = "changed"
        else:
            page = rng.choice(long)
            start = rng.randrange(len(page) - N_WORDS)
            words = page[start : start + N_WORDS]
            words[::5] = rng.choices(vocabulary, k=len(words[::5]))
        yield orjson.dumps({"url": f"https://example.org/{n}", "text": " ".join(words)}) + b"\n"


def n_bytes_of(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.iterdir())


def _build(bench: Bench, documents: Path, n_docs: int, *options: str) -> Point:
    import os

    path = recipe(bench, "growth", {"jsonl": {"path": f"{documents}/*.jsonl"}}, STAGES)
    before, began = os.times(), time.perf_counter()
    process = subprocess.Popen(
        [BUILDER, "build", path, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    watcher.start()
    status = process.wait()
    seconds, after = time.perf_counter() - began, os.times()
    watcher.join()
    if status:
        raise SystemExit(f"the build of {n_docs:,} documents ended with status {status}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Point(
        n_docs=n_docs,
        n_bytes=n_bytes_of(documents),
        seconds=seconds,
        cpu_seconds=cpu,
        peak_bytes=peak[0],
    )


def _watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(_pss_bytes, _family(process.pid))))
        time.sleep(_LOOK_S)


def _family(pid: int) -> list[int]:
    """List a process and all below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            fields = stat.read_text().rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    family = [pid]
    for one in family:
        family += children.get(one, [])
    return family


def _pss_bytes(pid: int) -> int:
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
