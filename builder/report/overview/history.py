"""What changed since the version before, what the build took, and what one needs to make it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.charts.bars import Bar, BarChart, bar_table
from builder.charts.blocks import Tile, tiles
from builder.charts.figure import table
from builder.charts.markup import Inner, element, foreign
from builder.charts.numbers import bytes_text, count_text
from builder.charts.page import PagePart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.operations.overview.facts import Overview, VersionLine

_MAX_VERSIONS = 30


def changes_part(view: Overview) -> PagePart:
    """Return why the version has its number, and the list of all versions."""
    line = view.line
    content: list[Inner] = [
        element("p", None, element("strong", None, view.version), ": ", foreign(view.reason))
    ]
    if line.lines:
        content.append(element("ul", None, *(element("li", None, foreign(one)) for one in line.lines)))
    ordered = list(view.versions[::-1])
    rows: list[list[Inner]] = [
        [one.version, count_text(one.rows), bytes_text(one.bytes), _state(one), foreign(one.reason)]
        for one in ordered[:_MAX_VERSIONS]
    ]
    header = ["version", "rows", "size", "state", "change"]
    content.append(table("Versions, the newest first", header, rows, numbers=(1, 2)))
    return PagePart(
        key="changes",
        title="Changes",
        look_for="removed, changed or moved rows that you did not expect, or an evaluation split that grew.",
        content=tuple(content),
    )


def run_part(view: Overview) -> PagePart | None:
    """Return time, memory and disk; None in a public report."""
    run = view.private.run if view.private else {}
    took = run.get("took")
    if not took:
        return None
    phases = {str(name): float(seconds) for name, seconds in took.get("phases", {}).items()}
    bars = [Bar(name=name, parts={"plain": round(s * 1000)}) for name, s in phases.items() if s >= 0.0005]
    return PagePart(
        key="run",
        title="Time, memory and disk",
        look_for="the phase that takes the most time, before you add workers.",
        content=(
            tiles(_run_tiles(run)),
            bar_table(BarChart(title="Time by phase", names="phase", counted="milliseconds", bars=bars)),
        ),
    )


def recipe_part(view: Overview) -> PagePart:
    """Return the stages with their options, the columns, and every digest."""
    stages: list[list[Inner]] = [
        [
            foreign(one.name),
            foreign(_options(dict(one.options))),
            "source" if one.kind in view.source_kinds else "stage",
        ]
        for one in view.stages
    ]
    columns: list[list[Inner]] = [[foreign(name), kind, null] for name, kind, null in view.columns]
    digests: list[list[Inner]] = [[name, element("code", None, value)] for name, value in _digests(view)]
    tools: list[list[Inner]] = [[name, number] for name, number in sorted(view.tools.items())]
    return PagePart(
        key="recipe",
        title="Recipe and digests",
        look_for="the digest that you were told: the same digest means the same data, byte for byte.",
        content=(
            table("Digests (SHA-256)", ["what", "digest"], digests),
            table("Sources and stages, in order", ["name", "options", "kind"], stages),
            table("Published columns", ["column", "type", "null"], columns),
            table("Libraries of the build", ["library", "version"], tools),
        ),
    )


def _run_tiles(run: Mapping[str, Any]) -> Iterator[Tile]:
    took = run["took"]
    if took.get("seconds"):
        yield Tile(name="Time", value=f"{took['seconds']:,.1f} s", note="wall clock")
    if took.get("memory_bytes"):
        yield Tile(name="Memory", value=bytes_text(took["memory_bytes"]), note="at its peak")
    if took.get("disk_bytes"):
        yield Tile(name="Disk", value=bytes_text(took["disk_bytes"]), note="of temporary files")
    yield Tile(name="Workers", value=str(run.get("workers", "")), note=f"engine {run.get('engine', '')}")


def _state(line: VersionLine) -> str:
    states = [
        *(["yanked"] if line.yanked is not None else []),
        *(["dropped"] if line.dropped else []),
        *([f"{count_text(line.purged_rows)} rows purged"] if line.purged_rows else []),
    ]
    return ", ".join(states)


def _options(options: dict[str, object]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in options.items())


def _digests(view: Overview) -> Iterator[tuple[str, str]]:
    yield "version (manifest.json)", view.digest
    yield "data (rows, schema and contract)", view.data_digest
    yield "recipe", view.recipe_digest
    yield f"contract {view.contract}", view.contract_digest
    yield f"inputs ({count_text(view.inputs['count'])} files)", view.inputs["digest"]
