"""Which cases of a table run: in the short tests, and in `make coverage`. They are spread evenly."""

from __future__ import annotations

from collections import defaultdict

import pytest

MARKER = "sampled"


def spread(n_items: int, n_wanted: int) -> set[int]:
    """Return the numbers of ``n_wanted`` of ``n_items`` items, spread evenly.

    >>> sorted(spread(10, 3)), sorted(spread(2, 5))
    ([1, 5, 8], [0, 1])
    """
    if n_wanted >= n_items:
        return set(range(n_items))
    return {(2 * number + 1) * n_items // (2 * n_wanted) for number in range(n_wanted)}


def mark_long(items: list[pytest.Item]) -> None:
    """Mark as long what the marker ``sampled(n)`` leaves out of each test's cases."""
    for of_one_test in _short_cases(items):
        marker = of_one_test[0].get_closest_marker(MARKER)
        if marker is None:
            continue
        (n_wanted,) = marker.args
        chosen = spread(len(of_one_test), n_wanted)
        for number, item in enumerate(of_one_test):
            if number not in chosen:
                item.add_marker(pytest.mark.long)


def beyond(items: list[pytest.Item], n_wanted: int) -> set[pytest.Item]:
    """Return the short cases of each test that are more than ``n_wanted``.

    Cases of one test differ in their data and seldom in the lines that they reach, so `make coverage` leaves
    most of them out.
    """
    left_out = set()
    for of_one_test in _short_cases(items):
        chosen = spread(len(of_one_test), n_wanted)
        left_out |= {item for number, item in enumerate(of_one_test) if number not in chosen}
    return left_out


def _short_cases(items: list[pytest.Item]) -> list[list[pytest.Item]]:
    """Return the cases of each test that are not long."""
    cases = defaultdict(list)
    for item in items:
        if item.get_closest_marker("long") is None:
            cases[item.nodeid.partition("[")[0]].append(item)
    return list(cases.values())
