"""Groups of contract faults: by rule and place, each record once, with an example."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.fault_groups import MAX_POINTERS, FaultTally
from builder.domain.rejection import ContractFault, Rejection, rejection_batch


def record(number: int) -> dict[str, Any]:
    return {"id": f"jsonl/a@{number}", "source": "jsonl", "path": "a", "ordinal": number, "offset": number}


def fault(
    pointer: str, keyword: str = "type", value: str | None = "1", limit: str | None = None
) -> ContractFault:
    return ContractFault(pointer=pointer, keyword=keyword, value=value, limit=limit)


def tally(records: list[list[ContractFault]], *, first: int = 0) -> FaultTally:
    counted = FaultTally()
    for number, faults in enumerate(records, start=first):
        counted.add(f"jsonl/a@{number}", "validate", faults)
    return counted


def found(counted: FaultTally) -> list[tuple[str, str, int, str | None]]:
    return [(one.rule, one.pointer, one.count, one.example) for one in counted.groups()]


def test_a_group_has_a_count_and_the_first_value() -> None:
    """Most records first."""
    records = [[fault("/at", value="7")], [fault("/at", value="8"), fault("/url", "format", '"x"')]]
    assert found(tally(records)) == [("type", "/at", 2, "7"), ("format", "/url", 1, '"x"')]
    assert tally(records).groups()[1].record_id == "jsonl/a@1"


def test_a_record_counts_once_in_a_group() -> None:
    """Two branches of a contract can refuse the same value for the same reason."""
    assert found(tally([[fault("/at"), fault("/at")]])) == [("type", "/at", 1, "1")]


def test_each_missing_property_is_a_group() -> None:
    """All of them are faults of the same place."""
    groups = tally([[fault("", "required", None, name)] for name in ("text", "url", "text")]).groups()
    assert [(one.limit, one.count) for one in groups] == [("text", 2), ("url", 1)]


@pytest.mark.parametrize("n_items", [MAX_POINTERS, MAX_POINTERS + 1])
def test_many_items_of_an_array_become_one_place(n_items: int) -> None:
    """A record with two bad items counts once."""
    records = [[fault(f"/tags/{i}"), fault("/tags/0")] for i in range(n_items)]
    pointers = [pointer for _, pointer, _, _ in found(tally(records))]
    if n_items == MAX_POINTERS:
        assert pointers == [f"/tags/{i}" for i in range(n_items)]
    else:
        assert found(tally(records)) == [("type", "/tags/*", n_items, "1")]


def test_a_member_with_a_name_of_digits_keeps_its_pointer() -> None:
    """`/m/01` is not `/m/1`."""
    assert [p for _, p, _, _ in found(tally([[fault("/m/01"), fault("/m/1")]]))] == ["/m/01", "/m/1"]


FAULTS = st.builds(
    fault,
    st.sampled_from(["", "/a", "/a/b", *(f"/t/{i}" for i in range(9)), "/t/1/2", "/m/01"]),
    st.sampled_from(["type", "required"]),
    st.sampled_from([None, "1", "2"]),
    st.sampled_from([None, "x", "y"]),
)
RECORDS = st.lists(st.lists(FAULTS, max_size=5), max_size=30)


@given(RECORDS, st.integers(0, 30))
def test_parts_add_up_to_the_whole(records: list[list[ContractFault]], cut: int) -> None:
    """Workers count parts; the result is that of one worker."""
    parts = tally(records[:cut])
    parts.merge(tally(records[cut:], first=len(records[:cut])))
    assert parts.groups() == tally(records).groups()


@given(RECORDS)
def test_rejections_count_as_their_faults(records: list[list[ContractFault]]) -> None:
    """A build counts tables of rejections, and `validate` counts records."""
    rejections = [
        Rejection(record=record(i), stage="validate", reason="type", faults=faults)
        for i, faults in enumerate(records)
    ]
    counted = FaultTally()
    counted.add_rejections(rejection_batch(rejections))
    assert counted.groups() == tally(records).groups()
