"""Write the page and the plot of a benchmark run."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.environments import own

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.bench import Bench
    from benchmarks.compare.scale import Point
    from benchmarks.measure import Measured

PAGE = Path(__file__).with_name("RESULTS.md")
_INTRODUCTION = """\
This page compares builder with other tools. `make bench` measures the figures and writes the page; do not
edit it. builder and the other tool run alternately, in {rounds} rounds. The ratio is the median of the
rounds. Elapsed seconds of a shared machine vary with its load. The ratio of CPU time, of all processes
together, varies less, but it does not show what runs in parallel."""
PLOT = Path(__file__).with_name("growth.svg")


def write(bench: Bench, rows: Sequence[Measured], points: Sequence[Point], packages: Sequence[str]) -> None:
    """Write RESULTS.md and, where growth was measured, growth.svg."""
    PAGE.write_text(page(bench, rows, points, packages), encoding="utf-8")
    if points:
        PLOT.write_text(plot(points), encoding="utf-8")


def page(bench: Bench, rows: Sequence[Measured], points: Sequence[Point], packages: Sequence[str]) -> str:
    """Return RESULTS.md."""
    header = [
        "what",
        "against",
        "aim",
        "times faster (lowest to highest)",
        "times faster by CPU time",
        "ours",
        "theirs",
        "",
        "notes",
    ]
    table = [header, ["---"] * len(header), *map(_cells, rows)]
    lines = [
        "# Results",
        "",
        _INTRODUCTION.format(rounds=bench.rounds),
        "",
        *("| " + " | ".join(cells) + " |" for cells in table),
        "",
        "## Agreement on duplicates",
        "",
        *(f"- {note}" for note in bench.notes),
        "",
    ]
    if points:
        lines += ["## Growth", "", "![seconds of CPU by documents](growth.svg)", ""]
        lines += [
            f"- {p.n_docs:,} documents, {p.n_bytes / 1e9:.2f} GB: {p.seconds:.0f} s, "
            f"{p.cpu_seconds:.0f} s of CPU, at most {p.peak_bytes / 1e9:.2f} GB of memory"
            for p in points
        ]
        lines.append("")
    lines += [
        "## Input, machine and versions",
        "",
        f"- Input: {bench.pages.name}, {bench.pages.stat().st_size / 1e6:.0f} MB."
        + (f" Made from {', '.join(packages)}." if packages else ""),
        f"- {_machine()}; load {os.getloadavg()[0]:.1f} at the end.",
        f"- Python {platform.python_version()}, {own().versions()}.",
        "- The scripts in `benchmarks/peers/` call the other tools.",
        "",
    ]
    return "\n".join(lines)


def _cells(row: Measured) -> list[str]:
    return [
        row.what,
        row.against,
        row.aim,
        f"**{row.ratio:.2f}** ({min(row.ratios):.2f} to {max(row.ratios):.2f})",
        f"{row.cpu_ratio:.2f}",
        f"{row.ours:.3g} {row.unit}",
        f"{row.theirs:.3g} {row.unit}",
        "met" if row.met else "missed",
        row.note,
    ]


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}"
    return f"{system}, {_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")


def plot(points: Sequence[Point]) -> str:
    """Draw seconds of CPU over documents, both on straight scales: flat growth is a straight line."""
    width, height, edge = 640, 360, 56
    most_docs = max(p.n_docs for p in points)
    most_s = max(p.cpu_seconds for p in points)

    def place(n_docs: float, seconds: float) -> tuple[float, float]:
        x = edge + n_docs / most_docs * (width - 2 * edge)
        return x, height - edge - seconds / most_s * (height - 2 * edge)

    spots = [place(p.n_docs, p.cpu_seconds) for p in points]
    (x0, y0), (x1, y1) = place(0, 0), place(most_docs, most_s)
    marks = [
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4"/><text x="{x:.0f}" y="{y - 10:.0f}" text-anchor="end">'
        f"{p.n_docs / 1e6:g} M: {p.cpu_seconds:.0f} s</text>"
        for p, (x, y) in zip(points, spots, strict=True)
    ]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in [(x0, y0), *spots])
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
            ' font-family="sans-serif" font-size="13">',
            f'<rect width="{width}" height="{height}" fill="white"/>',
            f'<path d="M{x0},{y1} V{y0} H{x1}" fill="none" stroke="#888"/>',
            f'<polyline points="{line}" fill="none" stroke="#2a6" stroke-width="2"/>',
            *marks,
            f'<text x="{width / 2:.0f}" y="{height - 16}" text-anchor="middle">documents</text>',
            f'<text x="16" y="{edge - 20}">seconds of CPU, all processes</text>',
            "</svg>",
            "",
        ]
    )
