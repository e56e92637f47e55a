"""Values that are read again as the contract asks."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from builder.domain.contract.contract import Contract, schema_digest
from builder.domain.contract.mapping import map_schema
from builder.domain.contract.value_forms import ValueForms, reader_of
from builder.io.contracts import builtin_contract

PROPERTIES = {
    "text": {"type": "string"},
    "at": {"type": ["string", "null"], "format": "date-time"},
    "n": {"type": "integer"},
    "x": {"type": ["number", "null"]},
    "ok": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "meta": {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}},
    "times": {"type": "array", "items": {"type": "string", "format": "date-time"}},
    "headers": {"type": "object"},
}


def contract() -> Contract:
    schema = {"type": "object", "properties": PROPERTIES}
    return Contract(
        name="x",
        major=1,
        schema=schema,
        documents={},
        columns=map_schema(schema, {}),
        digest=schema_digest(schema, {}),
    )


def read(record: dict[str, Any], **forms: Any) -> tuple[dict[str, Any], dict[str, int]]:
    notes: Counter[str] = Counter()
    read_again = reader_of(contract(), ValueForms(**forms))
    assert read_again is not None
    return read_again(record, notes), dict(notes)


TABLE = (
    ({"n": "200"}, {"n": 200}),
    ({"n": "200.0"}, {"n": 200.0}),
    ({"n": "+7"}, {"n": 7}),
    ({"n": "1,000"}, {"n": "1,000"}),
    ({"n": ""}, {}),
    ({"x": "1.5"}, {"x": 1.5}),
    ({"x": "-.5e3"}, {"x": -500.0}),
    ({"x": " 2 "}, {"x": 2}),
    ({"x": "nan"}, {"x": "nan"}),
    ({"x": " "}, {"x": None}),
    ({"ok": "True"}, {"ok": True}),
    ({"ok": "f"}, {"ok": False}),
    ({"ok": "maybe"}, {"ok": "maybe"}),
    ({"tags": '["a", "b"]'}, {"tags": ["a", "b"]}),
    ({"tags": "a, b"}, {"tags": "a, b"}),
    ({"meta": '{"at": "2024-05-01 10:00:00"}'}, {"meta": {"at": "2024-05-01T10:00:00.000000Z"}}),
    ({"at": "1714557600"}, {"at": "2024-05-01T10:00:00.000000Z"}),
    ({"text": "200"}, {"text": "200"}),
)


@pytest.mark.parametrize(("row", "expected"), TABLE)
def test_text_is_read_as_the_contract_asks(row: dict[str, Any], expected: dict[str, Any]) -> None:
    """Where it can be read so; other text stays, and the contract refuses it."""
    assert read(row, is_text=True)[0] == expected


def test_values_of_json_keep_their_type() -> None:
    """A string is not a number there."""
    record = {"n": "200", "ok": "true", "tags": "[]", "x": "1"}
    assert read(record) == (record, {})


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([["Server", "a"], ["Vary", "b"]], {"Server": "a", "Vary": "b"}),
        ([{"name": "Server", "value": "a"}], {"Server": "a"}),
        ([{"key": "Server", "value": "a"}], {"Server": "a"}),
        ([["Vary", "a"], ["Vary", "b"]], {"Vary": "a, b"}),
        ([], {}),
        ([["Vary", 1], ["Vary", 2]], None),
        (["Server", "a"], None),
        ([["a", "b", "c"]], None),
    ],
)
def test_a_list_of_pairs_is_an_object(pairs: list[Any], expected: dict[str, Any] | None) -> None:
    """Repeated headers are joined as in HTTP; what is no list of pairs stays."""
    assert read({"headers": pairs})[0]["headers"] == (pairs if expected is None else expected)


def test_a_list_of_one_element_is_that_element_by_option() -> None:
    """Scrapy's item loader writes every value as a list; lists of more elements stay."""
    record = {
        "text": ["a"],
        "n": [1],
        "at": ["2024-05-01 10:00:00"],
        "x": [],
        "tags": ["t"],
        "headers": [["a", "b"]],
    }
    assert read(record)[0]["text"] == ["a"]
    changed, notes = read(record, unwrap_lists=True)
    assert changed == {
        "text": "a",
        "n": 1,
        "at": "2024-05-01T10:00:00.000000Z",
        "x": None,
        "tags": ["t"],
        "headers": {"a": "b"},
    }
    assert notes == {"unwrapped": 4, "instants_read": 1, "instants_local": 1, "pairs_read": 1}
    assert read({"text": ["a", "b"]}, unwrap_lists=True)[0] == {"text": ["a", "b"]}


def test_instants_are_read_at_every_place() -> None:
    """In objects and lists; the record that came is not changed."""
    record = {"times": ["2024-05-01", "x"], "meta": {"at": 0, "y": 1}, "at": ""}
    before = repr(record)
    changed, _ = read(record)
    assert changed == {
        "times": ["2024-05-01T00:00:00.000000Z", "x"],
        "meta": {"at": "1970-01-01T00:00:00.000000Z", "y": 1},
        "at": None,
    }
    assert repr(record) == before


def test_page_1_reads_its_fields() -> None:
    """The built-in contract has instants, numbers and headers."""
    read_again = reader_of(builtin_contract("page-1"), ValueForms(is_text=True))
    assert read_again is not None
    row = {"fetched_at": "2024-05-01 10:00:00", "status": "200", "headers": '[["a", "b"]]', "text": "x"}
    assert read_again(row, Counter()) == {
        "fetched_at": "2024-05-01T10:00:00.000000Z",
        "status": 200,
        "headers": {"a": "b"},
        "text": "x",
    }
