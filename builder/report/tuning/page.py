"""Write the facts of ``builder tune`` as an HTML page without a script."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from builder.charts.blocks import facts, side_by_side, text_block, url_text
from builder.charts.figure import table
from builder.charts.histogram import Histogram, Threshold, histogram
from builder.charts.markup import element, foreign
from builder.charts.page import HtmlPage, PagePart, render_page
from builder.operations.tune import NearFacts, RuleFacts
from builder.operations.tune.rule_facts import QUANTILES
from builder.report.bars.funnel import percent_text
from builder.report.tuning.text import (
    bound_text,
    command_lines,
    estimate_text,
    limit_name,
    sample_line,
    suggestion_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.charts.markup import Inner
    from builder.operations.tune import Tuning
    from builder.operations.tune.documents import ShownDocument
    from builder.operations.tune.near import NearPair
    from builder.operations.tune.rule_facts import LimitFacts, SignalFacts

_LOOK_NEAR = (
    "the first group, from the top, whose pairs are different documents: the threshold belongs above it."
)
_LOOK_RULES = "limits whose nearest removed documents are worth keeping: they are too strict."


def tuning_page(found: Tuning, *, recipe: str) -> str:
    """Return the page.

    Args:
        recipe: the recipe as the user named it, for the commands to copy.
    """
    parts = [
        _near_part(stage, i, recipe=recipe)
        if isinstance(stage, NearFacts)
        else _rule_part(stage, i, recipe=recipe)
        for i, stage in enumerate(found.stages)
    ]
    return render_page(
        HtmlPage(
            title=f"Thresholds of {found.name}",
            window_title=f"Thresholds of {found.name}",
            lead=sample_line(found),
            sections=parts,
            footer="Written by builder tune.",
        )
    )


# -- dedup_near ------------------------------------------------------------------------------------


def _near_part(stage: NearFacts, number: int, *, recipe: str) -> PagePart:
    rising = stage.thresholds[::-1]
    current = next(one for one in rising if one.is_current)
    # documents below the lowest edge of the histogram are in its first bin only if the recipe is that low
    edges = [*(one.threshold for one in rising), 1.0 + (rising[-1].threshold - rising[-2].threshold)]
    names = [
        f"{one.threshold:g}" + (f" to {edges[i + 1]:g}" if one.threshold < 1 else "")
        for i, one in enumerate(rising)
    ]
    chart = Histogram(
        key=f"near-{number}",
        title="Similarity to the document that is kept in its place",
        unit="similarity (Jaccard, 0 to 1)",
        edges=edges,
        series={"merged": [one.in_bin for one in rising]},
        counted="documents",
        thresholds=[Threshold(value=current.threshold, label=f"threshold {current.threshold:g}")],
        bin_names=names,
        note="The last bar holds the documents with a similarity of exactly 1.",
    )
    rows = [
        [
            f"{one.threshold:g}" + (" (recipe)" if one.is_current else ""),
            f"{one.merges:,}",
            percent_text(one.merges, stage.n_documents),
            f"{one.more:+,}",
            f"{one.in_bin:,}",
        ]
        for one in stage.thresholds
    ]
    header = ["threshold", "merges", "of all", "more than the next higher", "documents up to the next"]
    content: list[Inner] = [
        facts([("place", stage.place), ("documents", f"{stage.n_documents:,}")]),
        histogram(chart),
        table("What each threshold merges", header, rows, numbers=(1, 2, 3, 4)),
    ]
    for i, one in enumerate(stage.thresholds):
        if not one.pairs:
            continue
        upper = f" to {stage.thresholds[i - 1].threshold:g}" if i else ""
        content.append(element("h3", None, f"Similarity {one.threshold:g}{upper}"))
        content += [_pair(pair) for pair in one.pairs]
    content += _commands((stage.setting,), recipe=recipe, example=f"{current.threshold:g}")
    return PagePart(key=f"stage-{number}", title=stage.stage, look_for=_LOOK_NEAR, content=tuple(content))


def _pair(pair: NearPair) -> Inner:
    sides = []
    for name, one in (("merged", pair.merged), ("kept", pair.kept)):
        place = url_text(one.url) or foreign(one.record)
        sides.append((element("span", None, f"{name}, similarity {pair.similarity:.3f}: ", place), one.text))
    return side_by_side(sides[0], sides[1])


# -- filter and language ---------------------------------------------------------------------------


def _rule_part(stage: RuleFacts, number: int, *, recipe: str) -> PagePart:
    labels = ", ".join(f"{n:,} {label}" for label, n in (stage.n_labels or {}).items())
    content: list[Inner] = [
        facts(
            [
                ("place", stage.place),
                ("documents", f"{stage.n_documents:,}"),
                (
                    "removed together",
                    f"{stage.n_removed:,} {percent_text(stage.n_removed, stage.n_documents)}",
                ),
                ("labels", labels or None),
            ]
        )
    ]
    content += [one for signal in stage.signals for one in _signal(signal)]
    for limit in stage.limits:
        content += _limit(limit, stage, recipe=recipe)
    return PagePart(key=f"stage-{number}", title=stage.stage, look_for=_LOOK_RULES, content=tuple(content))


def _signal(signal: SignalFacts) -> Iterator[Inner]:
    if signal.counts:
        rows = [[foreign(value) if value is not None else "(null)", f"{n:,}"] for value, n in signal.counts]
        yield table(signal.name, [signal.name, "documents"], rows, numbers=(1,))
        return
    header = [signal.name, "documents", "without a value", *(f"{one:.0%}" for one in QUANTILES)]
    quantiles = [
        [
            foreign(one.language) if one.language else "all",
            f"{one.n_documents:,}",
            f"{one.n_null:,}",
            *(bound_text(value) for value in one.values or [math.nan] * len(QUANTILES)),
        ]
        for one in signal.quantiles
    ]
    yield table(f"Quantiles of {signal.name}", header, quantiles, numbers=range(1, len(header)))
    if signal.auc is not None and math.isfinite(signal.auc.value):
        yield element("p", None, f"AUC {estimate_text(signal.auc, percent=False)}")


def _limit(limit: LimitFacts, stage: RuleFacts, *, recipe: str) -> Iterator[Inner]:
    yield element("h3", None, limit_name(limit))
    yield facts(
        [
            ("reason code", limit.code),
            ("applies to", f"{limit.applies:,}"),
            ("hit alone", f"{limit.alone:,} {percent_text(limit.alone, stage.n_documents)}"),
            ("removed only by it", f"{limit.only:,}"),
        ]
    )
    if limit.options:
        yield _options(limit, stage)
    if limit.suggestion is not None:
        yield element("p", None, suggestion_text(limit))
    bound = limit.suggestion.bound if limit.suggestion else limit.bound
    if limit.settings:
        yield from _commands(limit.settings, recipe=recipe, example=bound_text(bound))
    for name, documents in (("Removed", limit.removed), ("Kept", limit.kept)):
        for one in documents:
            yield from _document(name, one)


def _options(limit: LimitFacts, stage: RuleFacts) -> Inner:
    has_scores = any(one.scores is not None for one in limit.options)
    header = ["bound", "alone", "of all", "all limits together", "of all"]
    header += ["keep lost", "drop found", "precision"] if has_scores else []
    rows: list[Sequence[Inner]] = []
    for one in limit.options:
        row: list[Inner] = [
            bound_text(one.bound) + (" (recipe)" if one.is_current else ""),
            f"{one.alone:,}",
            percent_text(one.alone, stage.n_documents),
            f"{one.together:,}",
            percent_text(one.together, stage.n_documents),
        ]
        if one.scores is not None:
            scores = (one.scores.keep_lost, one.scores.recall, one.scores.precision)
            row += [estimate_text(value) for value in scores]
        rows.append(row)
    return table(f"What other bounds of {limit.name} remove", header, rows, numbers=range(1, len(header)))


def _document(name: str, one: ShownDocument) -> Iterator[Inner]:
    value = bound_text(one.value) if isinstance(one.value, (int, float)) else foreign(str(one.value))
    label = f", labelled {one.label}" if one.label else ""
    place = url_text(one.url) or foreign(one.record)
    yield element("p", {"class": "note"}, f"{name}, value ", value, f"{label}: ", place)
    yield text_block(one.text or "")


def _commands(settings: Sequence[str], *, recipe: str, example: str) -> Iterator[Inner]:
    what, command = command_lines(settings, recipe=recipe, example=example)
    yield element("p", None, what)
    yield element("pre", None, foreign(command.strip()))
