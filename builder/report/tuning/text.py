"""Print the facts of ``builder tune`` as text of 80 columns."""

from __future__ import annotations

import math
import shlex
import textwrap
from typing import TYPE_CHECKING

from builder.domain.visible import visible
from builder.operations.tune import NearFacts, RuleFacts
from builder.operations.tune.limits_of import BOUND
from builder.operations.tune.rule_facts import QUANTILES
from builder.report.bars.bar import WIDTH, bar, cut_end, cut_start
from builder.report.bars.funnel import percent_text
from builder.report.table import counted, table_lines
from builder.report.tuning.pairs import pair_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.operations.tune import Tuning
    from builder.operations.tune.documents import ShownDocument
    from builder.operations.tune.estimates import Estimated, Scores
    from builder.operations.tune.rule_facts import LimitFacts, Option, SignalFacts

CURRENT = ">"
"""Marks the row of the value that the recipe has."""

_EXCERPT_LINES = 2


def tuning_lines(found: Tuning, *, recipe: str) -> Iterator[str]:
    """Yield the whole report.

    Args:
        recipe: the recipe as the user named it, for the commands to copy.
    """
    yield sample_line(found)
    if not found.is_whole and any(isinstance(one, NearFacts) for one in found.stages):
        yield from _wrapped(
            "A sample has fewer near duplicates than the inputs: both of a pair must be in it."
        )
    for stage in found.stages:
        yield ""
        yield "=" * WIDTH
        if isinstance(stage, NearFacts):
            yield from _near_lines(stage, recipe=recipe)
        else:
            yield from _rule_lines(stage, recipe=recipe)


def sample_line(found: Tuning) -> str:
    """Return what the sample is."""
    records = counted(found.n_records, "record")
    what = "all of them" if found.is_whole else f"about {found.covered:.1%} of the inputs"
    return f"{found.name}: {records} read, {what}; no version is written"


# -- dedup_near ------------------------------------------------------------------------------------


def _near_lines(stage: NearFacts, *, recipe: str) -> Iterator[str]:
    current = next(one for one in stage.thresholds if one.is_current)
    yield f"{stage.stage}  {stage.place}  threshold {current.threshold:g}"
    yield (
        f"{counted(stage.n_documents, 'document')} compared; at {current.threshold:g}, "
        f"{current.merges:,} are merged{_in_brackets(current.merges, stage.n_documents)}"
    )
    yield ""
    yield "Merges at each threshold. The bars count the documents whose similarity to the"
    yield "document that is kept in their place is from this threshold up to the next one."
    yield ""
    most = max((one.in_bin for one in stage.thresholds), default=0)
    rows = [
        [
            CURRENT if one.is_current else "",
            f"{one.threshold:.2f}"
            if one.threshold * 100 == round(one.threshold * 100)
            else f"{one.threshold:g}",
            f"{one.merges:,}",
            percent_text(one.merges, stage.n_documents),
            f"{one.more:+,}" if one.more else "0",
            f"{one.in_bin:,}",
        ]
        for one in stage.thresholds
    ]
    lines = _right([["", "threshold", "merges", "of all", "more", "documents"], *rows])
    room = WIDTH - max(map(len, lines)) - 2
    yield lines[0]
    for line, one in zip(lines[1:], stage.thresholds, strict=True):
        yield f"{line}  {bar(one.in_bin / most if most else 0, width=room)}".rstrip()
    if stage.least_sensitive is not None:
        low, high = stage.least_sensitive
        yield ""
        yield from _wrapped(
            f"From {low:g} to {high:g} there are the fewest documents: there, a small change of the "
            "threshold changes the least."
        )
    yield ""
    if not most:
        yield f"No two documents have a similarity of {stage.thresholds[-1].threshold:g} or more."
    elif any(one.pairs for one in stage.thresholds):
        yield from _wrapped(_READ_PAIRS)
    yield from _pairs_lines(stage)
    yield ""
    yield from command_lines((stage.setting,), recipe=recipe, example=f"{current.threshold:g}")


_READ_PAIRS = (
    "Read the pairs from the top. The threshold belongs above the first group whose pairs are different "
    "documents. Left is the merged document, right the kept one; [brackets] hold what differs."
)


def _pairs_lines(stage: NearFacts) -> Iterator[str]:
    for i, one in enumerate(stage.thresholds):
        if not one.pairs:
            continue
        upper = stage.thresholds[i - 1].threshold if i else None
        name = f"{one.threshold:g}" if upper is None else f"{one.threshold:g} to {upper:g}"
        yield ""
        yield f"similarity {name}: {counted(one.in_bin, 'document')}"
        for pair in one.pairs:
            yield from pair_lines(pair)


# -- filter and language ---------------------------------------------------------------------------


def _rule_lines(stage: RuleFacts, *, recipe: str) -> Iterator[str]:
    yield f"{stage.stage}  {stage.place}"
    what = "the limits remove" if stage.mode == "drop" else f"mode: {stage.mode} keeps all; the limits hit"
    yield (
        f"{counted(stage.n_documents, 'document')} came; together, {what} "
        f"{stage.n_removed:,}{_in_brackets(stage.n_removed, stage.n_documents)}"
    )
    if stage.least_fired > 1:
        yield f"a document is removed if it misses limits of a weight of {stage.least_fired} together"
    if stage.n_labels is not None:
        labels = " and ".join(f"{n:,} {label}" for label, n in stage.n_labels.items())
        yield f"labelled among them: {labels}; numbers in brackets are 95 % intervals"
    if stage.scores is not None and stage.n_labels and any(stage.n_labels.values()):
        yield from _scores_lines(stage.scores)
    for signal in stage.signals:
        yield ""
        yield from _signal_lines(signal)
    for limit in stage.limits:
        yield ""
        yield "-" * WIDTH
        yield from _limit_lines(limit, stage, recipe=recipe)


def _signal_lines(signal: SignalFacts) -> Iterator[str]:
    if signal.counts:
        values = [
            [cut_end(value if value is not None else "(null)", width=40), n] for value, n in signal.counts
        ]
        yield from table_lines(values, header=[signal.name, "documents"])
        return
    header = [signal.name, "documents", *(f"{one:.0%}" for one in QUANTILES)]
    rows = [
        [
            cut_end(one.language or "all", width=18),
            f"{one.n_documents:,}",
            *(bound_text(value) for value in one.values),
        ]
        for one in signal.quantiles
    ]
    yield from _right([header, *rows], left=1)
    n_null = signal.quantiles[0].n_null
    if n_null:
        yield f"{counted(n_null, 'document')} without a value; they meet every limit"
    if signal.auc is not None and math.isfinite(signal.auc.value):
        yield f"AUC {estimate_text(signal.auc, percent=False)}: {_auc_words(signal.auc)}"


def _auc_words(auc: Estimated) -> str:
    if auc.low > 0.5:
        return "documents to keep have higher values; a min can work"
    if auc.high < 0.5:
        return "documents to drop have higher values; a max can work"
    return "the labels do not show that this signal separates them"


def _limit_lines(limit: LimitFacts, stage: RuleFacts, *, recipe: str) -> Iterator[str]:
    yield f"{limit.code}: {limit_name(limit)}"
    if limit.condition and limit.limit != "any":
        yield f"applies to {limit.applies:,} documents: {visible(limit.condition)}"
    yield (
        f"alone it hits {limit.alone:,}{_in_brackets(limit.alone, stage.n_documents)}; "
        f"without it, {limit.only:,} fewer would be removed"
    )
    if limit.options:
        yield ""
        yield from _option_lines(limit.options, stage)
    elif limit.scores is not None:
        yield from _scores_lines(limit.scores)
    yield from _suggestion_lines(limit, recipe=recipe)
    for name, documents in (("removed", limit.removed), ("kept", limit.kept)):
        if documents:
            yield ""
            nearest = ", nearest to the limit" if limit.options else ""
            yield f"{name}{nearest}:"
        for one in documents:
            yield from _document_lines(one)
    if limit.settings and not limit.suggestion:
        yield ""
        yield from command_lines(limit.settings, recipe=recipe, example=bound_text(limit.bound))


def limit_name(limit: LimitFacts) -> str:
    """Return the signal, the kind of limit and the bound."""
    if isinstance(limit.bound, tuple):
        return cut_end(f"{limit.name} {limit.limit} {', '.join(map(str, limit.bound))}", width=60)
    if limit.bound is None:
        return cut_end(limit.condition, width=60)
    return f"{limit.name} {limit.limit} {bound_text(limit.bound)}"


def _option_lines(options: Sequence[Option], stage: RuleFacts) -> Iterator[str]:
    """Yield the table of bounds; with labels, their columns take the place of the shares."""
    has_scores = any(one.scores is not None for one in options)
    header = ["", "bound", "alone", "all limits", "keep lost", "drop found", "precision"]
    if not has_scores:
        header = ["", "bound", "alone", "", "all limits", ""]
    yield from _right([header, *(_option_cells(one, stage) for one in options)])


def _option_cells(one: Option, stage: RuleFacts) -> list[str]:
    start = [CURRENT if one.is_current else "", bound_text(one.bound)]
    if one.scores is not None:
        scores = (one.scores.keep_lost, one.scores.recall, one.scores.precision)
        return [*start, f"{one.alone:,}", f"{one.together:,}", *map(estimate_text, scores)]
    shares = [percent_text(n, stage.n_documents) for n in (one.alone, one.together)]
    return [*start, f"{one.alone:,}", shares[0], f"{one.together:,}", shares[1]]


def _scores_lines(scores: Scores) -> Iterator[str]:
    yield (
        f"keep lost {estimate_text(scores.keep_lost)}, drop found {estimate_text(scores.recall)}, "
        f"precision {estimate_text(scores.precision)}"
    )


def suggestion_text(limit: LimitFacts) -> str:
    """Return the suggested bound with its reason; empty without one."""
    found = limit.suggestion
    if found is None:
        return ""
    return (
        f"Suggested: {limit.name} {limit.limit} {bound_text(found.bound)}. It is the strictest round bound "
        f"that loses at most {found.max_lost:.0%} of the documents labelled keep: it loses "
        f"{found.scores.n_keep:,} ({estimate_text(found.scores.keep_lost)}) and removes "
        f"{found.scores.n_drop:,} of those labelled drop ({estimate_text(found.scores.recall)}); "
        f"{found.alone:,} documents in all."
    )


def _suggestion_lines(limit: LimitFacts, *, recipe: str) -> Iterator[str]:
    if limit.suggestion is None:
        return
    yield ""
    yield from _wrapped(suggestion_text(limit))
    if limit.settings:
        yield from command_lines(limit.settings, recipe=recipe, example=bound_text(limit.suggestion.bound))


def _document_lines(one: ShownDocument) -> Iterator[str]:
    value = (
        bound_text(one.value) if isinstance(one.value, (int, float)) else cut_end(str(one.value), width=24)
    )
    label = f"  labelled {one.label}" if one.label else ""
    room = WIDTH - len(value) - len(label) - 4
    yield f"  {value}  {cut_start(one.url or one.record, width=room)}{label}"
    text = visible(" ".join((one.text or "").split()))
    for line in textwrap.wrap(text, WIDTH - 6)[:_EXCERPT_LINES]:
        yield f"      {line}"


# -- words and numbers -----------------------------------------------------------------------------


def bound_text(value: float | None) -> str:
    """Return a value as a rule has it, with thousands of whole numbers apart only above 9,999.

    >>> bound_text(40), bound_text(0.25), bound_text(12345.0), bound_text(None)
    ('40', '0.25', '12,345', 'null')
    """
    if value is None or not math.isfinite(value):
        return "null" if value is None else "-"
    if value == int(value):
        return f"{int(value):,}" if abs(value) > 9_999 else str(int(value))
    return f"{value:.4g}" if abs(value) < 10 else f"{value:.1f}"


def estimate_text(found: Estimated, *, percent: bool = True) -> str:
    """Return a value with its interval.

    >>> from builder.operations.tune.estimates import Estimated
    >>> estimate_text(Estimated(value=0.25, low=0.2, high=0.314))
    '25% (20-31)'
    """
    if not math.isfinite(found.value):
        return "-"
    if not percent:
        return f"{found.value:.2f} ({found.low:.2f}-{found.high:.2f})"
    return f"{found.value:.0%} ({100 * found.low:.0f}-{100 * found.high:.0f})"


def _in_brackets(n: int, total: int) -> str:
    share = percent_text(n, total)
    return f" ({share})" if share else ""


def command_lines(settings: Sequence[str], *, recipe: str, example: str) -> list[str]:
    """Return what the command does that writes a bound into the recipe, and the command."""
    sets = " ".join(f"--set {one.replace(BOUND, example.replace(',', ''))}" for one in settings)
    return [
        "write another value into the recipe, comments kept:",
        f"  builder tune {shlex.quote(recipe)} {sets} --write",
    ]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)


def _right(rows: Sequence[Sequence[str]], *, left: int = 0) -> list[str]:
    """Align cells on the right, and the first ``left`` columns on the left."""
    n = max(map(len, rows))
    full = [[*row, *[""] * (n - len(row))] for row in rows]
    widths = [max(len(row[i]) for row in full) for i in range(n)]
    return [
        "  ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in full
    ]
