"""The first part of a report: what the version is, and whether to trust it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.charts.blocks import Finding, Tile, checks, tiles
from builder.charts.markup import Inner, element, foreign
from builder.charts.numbers import bytes_text, count_text, share_text
from builder.charts.page import PagePart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builder.operations.overview.facts import Overview

_MANY_FAILED, _MANY_REJECTED = 0.01, 0.5
_MANY_SHORT, _ONE_DOMAIN, _CLEANED = 0.1, 0.5, 0.9
MARKUP_NEAR = "dedup_near"


def summary_part(view: Overview) -> PagePart:
    """Return tiles with the main numbers, and the findings of a reader in a hurry."""
    return PagePart(
        key="summary",
        title="At a glance",
        look_for="a line that says Look or Fault; everything else is as it should be.",
        content=(tiles(_tiles(view)), checks(_findings(view))),
    )


def _tiles(view: Overview) -> Iterator[Tile]:
    outcomes = view.outcomes
    total = sum(outcomes.values())
    size = bytes_text(sum(split.bytes for split in view.splits))
    splits = ", ".join(f"{count_text(one.rows)} {one.name}" for one in view.splits)
    yield Tile(name="Published documents", value=count_text(view.rows), note=splits or None)
    yield Tile(name="Records read", value=count_text(view.read.records), note="of all inputs so far")
    if total:
        kept = outcomes["kept"]
        yield Tile(name="Kept", value=share_text(kept, total), note=f"{count_text(kept)} records")
        for name in ("rejected", "merged", "failed"):
            n = outcomes[name]
            yield Tile(name=name.capitalize(), value=share_text(n, total), note=f"{count_text(n)} records")
    yield Tile(name="Size", value=size, note="of the Parquet files")
    if view.lengths is not None and view.duplicates is not None and view.duplicates.merged:
        yield Tile(
            name="Largest cluster", value=count_text(view.duplicates.largest), note="duplicates of one page"
        )


def _findings(view: Overview) -> Iterator[Finding]:
    yield from _state(view)
    yield from _records(view)
    yield from _rights(view)
    yield from _rows(view)
    yield from _run(view)


def _state(view: Overview) -> Iterator[Finding]:
    line = view.line
    if line.yanked is not None:
        yield Finding(verdict="bad", text=_said("This version was withdrawn: ", foreign(line.yanked)))
    if line.purged_rows:
        rows = count_text(line.purged_rows)
        yield Finding(
            verdict="warn", text=f"{rows} documents were purged from this version after it was written."
        )
    if not view.rows:
        yield Finding(verdict="bad", text="The version has no row.")


def _records(view: Overview) -> Iterator[Finding]:
    outcomes = view.outcomes
    total = sum(outcomes.values())
    if not total:
        return
    read = view.steps[0].came if view.steps else view.read.records
    parts = " + ".join(f"{count_text(n)} {name}" for name, n in outcomes.items())
    if total == read:
        text = f"Every record is accounted for: {count_text(read)} read = {parts}."
        yield Finding(verdict="good", text=text)
    else:
        yield Finding(verdict="bad", text=f"{count_text(read)} records were read, but there are {parts}.")
    failed = outcomes["failed"]
    if failed > _MANY_FAILED * total:
        text = f"{share_text(failed, total)} of the records failed: they could not be read or processed."
        yield Finding(verdict="warn", text=text)
    if outcomes["rejected"] > _MANY_REJECTED * total:
        text = f"{share_text(outcomes['rejected'], total)} of the records were rejected; see the funnel."
        yield Finding(verdict="warn", text=text)


def _rights(view: Overview) -> Iterator[Finding]:
    if view.license is None:
        yield Finding(verdict="warn", text="The recipe names no licence.")
    else:
        yield Finding(verdict="good", text=_said("Licence: ", foreign(view.license), "."))
    kinds = {stage.kind for stage in view.stages}
    if "opt_out" not in kinds:
        yield Finding(
            verdict="warn", text="No stage opt_out: reservations of rights holders were not looked for."
        )
    if view.takedowns:
        yield Finding(verdict="good", text=f"{count_text(view.takedowns)} takedowns are in force.")


def _rows(view: Overview) -> Iterator[Finding]:
    kinds = {stage.kind for stage in view.stages}
    if MARKUP_NEAR in kinds:
        yield Finding(verdict="good", text="Near-duplicates were merged.")
    else:
        yield Finding(verdict="warn", text="No stage dedup_near: near-duplicates were not looked for.")
    if view.short_share > _MANY_SHORT:
        short = share_text(view.short_share, 1)
        yield Finding(verdict="warn", text=f"{short} of the texts have fewer than 100 characters.")
    if view.domains and view.domains.values and view.domains.n_values > 1:
        name, rows = view.domains.values[0]
        if rows > _ONE_DOMAIN * view.domains.total:
            share = share_text(rows, view.domains.total)
            yield Finding(
                verdict="warn", text=_said(f"{share} of the documents come from ", foreign(name), ".")
            )
    evaluation = [split.name for split in view.splits if split.name != "train" and split.rows]
    if not evaluation and view.rows:
        yield Finding(verdict="warn", text="No split for evaluation has a row.")


def _run(view: Overview) -> Iterator[Finding]:
    if not view.has_audit:
        text = "The ledger is not in this corpus, so the report has no dropped records."
        yield Finding(verdict="warn", text=text)
    if view.private and view.private.run.get("not_reproducible"):
        n = len(view.private.run["not_reproducible"])
        text = f"{count_text(n)} units were stopped by the clock or the memory limit of this machine."
        yield Finding(verdict="warn", text=text)


def _said(*parts: Inner) -> Inner:
    return element("span", None, *parts)
