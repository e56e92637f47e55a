"""Estimates from labels, compared with slow plain twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.operations.tune.estimates import area_under_curve, score_labels

LABELLED = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40)


def plain_area(values: list[float], drops: list[bool]) -> float:
    """Compare every document to keep with every document to drop."""
    keep = [one for one, drop in zip(values, drops, strict=True) if not drop]
    drop = [one for one, is_drop in zip(values, drops, strict=True) if is_drop]
    won = sum((a > b) + (a == b) / 2 for a in keep for b in drop)
    return won / (len(keep) * len(drop)) if keep and drop else math.nan


@given(labelled=LABELLED)
def test_the_area_is_that_of_all_pairs(labelled: list[tuple[int, bool]]) -> None:
    """A tie counts half, and the interval holds the value."""
    values, drops = [float(value) for value, _ in labelled], [drop for _, drop in labelled]
    found = area_under_curve(np.array(values), np.array(drops))
    expected = plain_area(values, drops)
    assert found.value == pytest.approx(expected, nan_ok=True)
    if not math.isnan(expected):
        assert found.low - 1e-9 <= found.value <= found.high + 1e-9 or len(labelled) < 10


@given(labelled=LABELLED)
def test_the_area_of_the_opposite_is_the_rest(labelled: list[tuple[int, bool]]) -> None:
    """Exchanging the labels turns the order around."""
    values = np.array([float(value) for value, _ in labelled])
    drops = np.array([drop for _, drop in labelled])
    one, other = area_under_curve(values, drops), area_under_curve(values, ~drops)
    assert one.value + other.value == pytest.approx(1.0) or math.isnan(one.value)


def test_a_document_without_a_value_takes_no_part() -> None:
    """A null value meets every limit, so it says nothing about an order."""
    values = np.array([1.0, np.nan, 2.0, np.nan])
    assert area_under_curve(values, np.array([True, False, False, True])).value == 1.0


@given(labelled=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_precision_recall_and_loss_are_counted(labelled: list[tuple[bool, bool]]) -> None:
    """Each share is one count over another; without a document to divide by, it is not defined."""
    removed = np.array([one for one, _ in labelled], np.bool_)
    drops = np.array([one for _, one in labelled], np.bool_)
    found = score_labels(removed, drops)
    hit = sum(1 for gone, drop in labelled if gone and drop)
    lost = sum(1 for gone, drop in labelled if gone and not drop)
    n_gone, n_drop = sum(gone for gone, _ in labelled), sum(drop for _, drop in labelled)
    for one, part, whole in (
        (found.precision, hit, n_gone),
        (found.recall, hit, n_drop),
        (found.keep_lost, lost, len(labelled) - n_drop),
    ):
        assert one.value == pytest.approx(part / whole if whole else math.nan, nan_ok=True)
        assert not whole or one.low <= one.value <= one.high or whole < 10
    assert (found.n_drop, found.n_keep) == (hit, lost)


def test_intervals_are_those_of_a_plain_bootstrap() -> None:
    """A loop that draws documents one by one finds about the same interval; both are the same each time."""
    random = np.random.default_rng(3)
    drops = random.random(300) < 0.4
    values = random.normal(size=300) + np.where(drops, 0.0, 0.8)
    removed = values < 0
    areas, recalls = [], []
    for _ in range(400):
        rows = random.integers(0, 300, 300)
        areas.append(plain_area(values[rows].tolist(), drops[rows].tolist()))
        recalls.append((removed & drops)[rows].sum() / drops[rows].sum())
    area, scores = area_under_curve(values, drops), score_labels(removed, drops)
    assert [area.low, area.high] == pytest.approx(np.quantile(areas, [0.025, 0.975]).tolist(), abs=0.02)
    assert [scores.recall.low, scores.recall.high] == pytest.approx(
        np.quantile(recalls, [0.025, 0.975]).tolist(), abs=0.02
    )
    assert area == area_under_curve(values, drops)
    assert scores == score_labels(removed, drops)
