"""The marker ``sampled``: which cases of a table are short."""

from __future__ import annotations

from typing import Any

import pytest
from sampling import MARKER, beyond, mark_long


class Case:
    """A collected test, as far as ``mark_long`` asks."""

    def __init__(self, nodeid: str, *marks: pytest.Mark) -> None:
        self.nodeid = nodeid
        self.marks = list(marks)

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return next((mark for mark in self.marks if mark.name == name), None)

    def add_marker(self, mark: pytest.MarkDecorator) -> None:
        self.marks.append(mark.mark)


def short(items: list[Any]) -> list[str]:
    """Return the tests that are short after the marking."""
    mark_long(items)
    return [item.nodeid for item in items if item.get_closest_marker("long") is None]


def sampled(n_wanted: int) -> pytest.Mark:
    mark: pytest.MarkDecorator = getattr(pytest.mark, MARKER)(n_wanted)
    return mark.mark


def test_as_many_cases_as_asked_stay_short() -> None:
    """They are spread evenly, and the number counts for each test alone."""
    one = [Case(f"a.py::one[{i}]", sampled(2)) for i in range(6)]
    other = [Case(f"a.py::other[{i}]", sampled(1)) for i in range(3)]
    assert short([*one, *other]) == ["a.py::one[1]", "a.py::one[4]", "a.py::other[1]"]


def test_a_test_without_the_marker_stays_as_it_is() -> None:
    """Also one with many cases."""
    assert len(short([Case(f"a.py::plain[{i}]") for i in range(9)])) == 9


def test_a_case_that_is_long_already_takes_no_place() -> None:
    """Otherwise a table could end up without any short case."""
    long = Case("a.py::one[1]", sampled(1), pytest.mark.long.mark)
    assert short([Case("a.py::one[0]", sampled(1)), long, Case("a.py::one[2]", sampled(1))]) == [
        "a.py::one[2]"
    ]


def test_a_single_case_that_was_asked_for_runs() -> None:
    """`pytest FILE::TEST[case]` collects one case, which must not be deselected."""
    assert short([Case("a.py::one[5]", sampled(1))]) == ["a.py::one[5]"]


def test_cases_beyond_the_number_are_left_out_of_coverage() -> None:
    """Of each test for itself; a long case takes no place, and a test with few cases keeps all."""
    long = Case("a.py::one[0]", pytest.mark.long.mark)
    one = [Case(f"a.py::one[{i}]") for i in range(1, 5)]
    other = Case("b.py::other")
    left_out: Any = beyond([long, *one, other], 2)
    assert sorted(item.nodeid for item in left_out) == ["a.py::one[1]", "a.py::one[3]"]
