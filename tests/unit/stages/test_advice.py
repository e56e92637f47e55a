"""The message of a refused record names the option that would let it be read."""

from __future__ import annotations

from typing import Any

import pytest

from builder.domain.contract.value_forms import ValueForms
from builder.domain.rejection import ContractFault
from builder.stages.validation.advice import advice_on_broken_json, advice_on_faults

RECORD = {"url": "https://a.example/1"}
FAULT = (ContractFault(pointer="", keyword="any_of", value="", limit="", message=""),)


def advice(value: Any, *, kind: str = "json", is_document: bool = True) -> str:
    forms = ValueForms(is_document=is_document)
    return advice_on_faults(value, FAULT, kind=kind, forms=forms, is_page=True)


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"data": [RECORD]}, "records: /data/*"),
        ({"a/b": {"~c": [RECORD]}}, "records: /a~1b/~0c/*"),
        ({"items": [RECORD], "errors": [RECORD]}, "records: /items/* or records: /errors/*"),
        ([RECORD], "records: /*/*"),
        ([[RECORD]], "records: /*/*/*"),
        ({"a": RECORD, "b": RECORD}, "records: /*"),
    ],
)
def test_a_document_that_wraps_records_is_refused_with_their_pointer(value: Any, pointer: str) -> None:
    """The source has read the elements of an outer array, so an array is one level deeper."""
    assert advice(value).endswith(f"add {pointer} to the source")


def test_an_array_as_a_line_is_read_by_another_source() -> None:
    """Whatever its elements are, JSON lines are not arrays."""
    for value in ([RECORD], ["a"], []):
        assert advice(value, kind="jsonl", is_document=False).endswith("use a json source")


def test_a_pointer_to_an_array_needs_a_step_for_its_elements() -> None:
    """``records: /data`` selects the array itself."""
    assert advice([RECORD], is_document=False).endswith("add /* to the end of `records`")


@pytest.mark.parametrize(
    "line", [b'\x1e{"a": 1}', b'{"a": 1}{"b": 2}', b'{"a": 1},', b'{"a": 1}\r{"b": 2}', b"{", b'"a": 1,']
)
def test_what_is_json_but_not_one_record_a_line_is_read_by_another_source(line: bytes) -> None:
    """Record separators, records without line ends, commas after records, records of several lines."""
    assert advice_on_broken_json(line, kind="jsonl").endswith("use a json source")
    assert not advice_on_broken_json(line, kind="json")


def test_an_object_that_broke_off_has_no_advice() -> None:
    """No option would read it."""
    assert not advice_on_broken_json(b'{"a": "b', kind="jsonl")
