"""``builder dedup`` whole, against the four steps of datatrove's MinHash; it takes longest of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.bench import Bench, theirs
from benchmarks.compare.dedup import OURS, agreement, ours
from benchmarks.measure import Measured, Run, compare, in_turn

if TYPE_CHECKING:
    from pathlib import Path


def measure(bench: Bench) -> list[Measured]:
    """Measure, if it is there."""
    tool = bench.peer("datatrove")
    if tool is None:
        return []
    parts = _parts(bench)

    kept = bench.fresh("datatrove-kept.json")

    def run() -> Run:
        return theirs(tool, "datatrove_minhash.py", parts, bench.fresh("datatrove-work"), kept)

    pairs = in_turn(lambda: ours(bench), run, rounds=bench.rounds, warm=False)
    note = f"{agreement(bench, kept, 'datatrove')}; {tool.versions()}"
    aim = "100 times"
    row = compare(
        pairs, what=OURS, against="datatrove's four MinHash steps", aim=aim, at_least=100, note=note
    )
    return [row]


def _parts(bench: Bench) -> Path:
    """Cut the pages in two files: datatrove reads a file a worker."""
    folder = bench.fresh("datatrove-parts")
    folder.mkdir()
    lines = bench.pages.read_bytes().splitlines(keepends=True)
    for number, part in enumerate((lines[: len(lines) // 2], lines[len(lines) // 2 :])):
        (folder / f"{number}.jsonl").write_bytes(b"".join(part))
    return folder
