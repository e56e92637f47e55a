"""How long it takes until something happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.bench import Bench, builder, recipe
from benchmarks.measure import Measured, Run

if TYPE_CHECKING:
    from collections.abc import Callable

N_PAGES = 40
_PAGE = "<html><head><title>Page {0}</title></head><body><p>{1}</p></body></html>"


def measure(bench: Bench) -> list[Measured]:
    """Measure the help and a build of 40 pages; kernels are compiled before."""
    pages = write_pages(bench)
    stages = ("extract_text", "repair_text", "dedup_url", "dedup_exact", "dedup_near")

    def build() -> Run:
        return builder("build", recipe(bench, "forty", {"html": {"path": str(pages)}}, stages))

    return [
        _within(bench, "`builder --help`", 0.3, lambda: builder("--help")),
        _within(bench, f"a build of {N_PAGES} pages of HTML, kernels compiled", 2.0, build),
    ]


def write_pages(bench: Bench):  # type: ignore[no-untyped-def]
    """Write some pages of HTML that differ."""
    folder = bench.folder / "forty-pages"
    folder.mkdir(exist_ok=True)
    for n in range(N_PAGES):
        text = " ".join(f"word{n * 7 + i * (n + 3)}" for i in range(300))
        (folder / f"{n:02}.html").write_text(_PAGE.format(n, text))
    return folder


def _within(bench: Bench, what: str, limit_s: float, act: Callable[[], Run]) -> Measured:
    act()
    runs = [act() for _ in range(max(3, bench.rounds))]
    seconds = sorted(run.seconds for run in runs)[len(runs) // 2]
    return Measured(
        what=what,
        against="",
        aim=f"under {limit_s} s",
        ours=seconds,
        theirs=limit_s,
        ratios=[limit_s / run.seconds for run in runs],
        cpu_ratio=limit_s / (sum(run.cpu_seconds for run in runs) / len(runs)),
        met=seconds < limit_s,
        note="theirs is the limit",
    )
