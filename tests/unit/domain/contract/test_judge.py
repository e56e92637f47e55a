"""Judging values by a schema: all faults are found in order, without fetching and without hanging."""

from __future__ import annotations

from typing import Any

import pytest

from builder.domain.contract.judge import MAX_FAULTS, REASONS, Judge, check_schema
from builder.domain.json.writer import preview
from builder.domain.rejection import MAX_VALUE_CHARS
from builder.errors import ContractError

HARD = r"^(a|aa)+(?<!c)\1b$"


def keywords_of(schema: Any, value: Any) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.keyword) for fault in Judge(schema, {}).explain(value)]


def test_faults_are_in_the_order_of_the_record() -> None:
    """Parents come before children, members keep the record's order, then the keyword decides."""
    schema = {
        "required": ["x", "b"],
        "additionalProperties": False,
        "properties": {
            "a": {"items": {"type": "string"}, "maxItems": 1},
            "b": {"minLength": 3, "pattern": "^z"},
        },
    }
    expected = [
        ("", "additional_properties"),
        ("", "required"),
        ("/b", "min_length"),
        ("/b", "pattern"),
        ("/a", "max_items"),
        ("/a/0", "type"),
        ("/a/1", "type"),
    ]
    assert expected == keywords_of(schema, {"b": "q", "c~/": 1, "a": [1, 2]})


def test_a_fault_shows_the_value_and_the_limit() -> None:
    """The offending value is JSON and is cut; the limit is the value of the schema keyword."""
    schema = {"properties": {"a": {"maxLength": 3}, "b": {"enum": ["x"]}}, "required": ["c"]}
    faults = Judge(schema, {}).explain({"a": "y" * 10**6, "b": {"k": 1}})
    assert [(f.value, f.limit) for f in faults] == [(None, "c"), ('"' + "y" * 200, "3"), ('{"k":1}', '["x"]')]


CASES: list[tuple[Any, Any, str]] = [
    ({"const": 1}, 2, "const"),
    ({"minimum": 1}, 0, "minimum"),
    ({"maximum": 1}, 2, "maximum"),
    ({"exclusiveMinimum": 1}, 1, "exclusive_minimum"),
    ({"exclusiveMaximum": 1}, 1, "exclusive_maximum"),
    ({"multipleOf": 2}, 3, "multiple_of"),
    ({"maxLength": 1}, "ab", "max_length"),
    ({"format": "ipv4"}, "x", "format"),
    ({"minItems": 1}, [], "min_items"),
    ({"uniqueItems": True}, [1, 1.0], "unique_items"),
    ({"contains": False}, [1], "contains"),
    ({"items": False}, [1], "false_schema"),
    ({"unevaluatedItems": False}, [1], "unevaluated_items"),
    ({"minProperties": 1}, {}, "min_properties"),
    ({"maxProperties": 0}, {"a": 1}, "max_properties"),
    ({"propertyNames": {"maxLength": 0}}, {"a": 1}, "property_names"),
    ({"unevaluatedProperties": False}, {"a": 1}, "unevaluated_properties"),
    ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "required"),
    ({"anyOf": [False, False]}, 1, "any_of"),
    ({"oneOf": [True, True]}, 1, "one_of"),
    ({"not": {}}, 1, "not"),
    (False, 1, "false_schema"),
    (
        {"$schema": "http://json-schema.org/draft-07/schema#", "items": [True], "additionalItems": False},
        [1, 2],
        "additional_items",
    ),
    (
        {"$schema": "http://json-schema.org/draft-07/schema#", "contentEncoding": "base64"},
        "!",
        "content_encoding",
    ),
    (
        {"$schema": "http://json-schema.org/draft-07/schema#", "contentMediaType": "application/json"},
        "{",
        "content_media_type",
    ),
]


@pytest.mark.parametrize(("schema", "value", "keyword"), CASES)
def test_each_keyword_is_a_documented_reason(schema: Any, value: Any, keyword: str) -> None:
    """The reason is the keyword in lower_snake_case, and the table of reasons lists it."""
    assert [keyword] == [k for _, k in keywords_of(schema, value)]
    assert keyword in REASONS


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": HARD}, "a" * 60),
        ({"not": {"pattern": HARD}}, "a" * 60),
        ({"anyOf": [{"pattern": HARD}, {"type": "null"}]}, "a" * 60),
        ({"items": {"pattern": HARD}}, ["a" * 60] * 10_000),
        ({"patternProperties": {HARD: False}}, {"a" * 60: 1}),
        ({"propertyNames": {"pattern": HARD}}, {"a" * 60: 1}),
    ],
)
def test_a_pattern_that_backtracks_too_much_rejects_the_value(schema: Any, value: Any) -> None:
    """Such a pattern never counts as matched, and the rejection has its own reason."""
    judge = Judge(schema, {})
    accepted = judge.accepts(value)
    if "patternProperties" in schema:
        assert accepted == (not judge.explain(value))
    else:
        assert not accepted
        assert "pattern_too_hard" in {fault.keyword for fault in judge.explain(value)}


def test_a_pattern_without_lookaround_or_backreferences_takes_linear_time() -> None:
    """Nested repetitions over a megabyte finish at once."""
    judge = Judge({"pattern": "^(a+)+$"}, {})
    assert not judge.accepts("a" * 10**6 + "b")
    assert judge.accepts("a" * 10**6)


def test_a_very_deep_value_does_not_crash_the_process() -> None:
    """A value deeper than 1,024 levels is a fault, even if no parser checked it."""
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    (fault,) = Judge({"items": {"$ref": "#"}}, {}).explain(value)
    assert fault.keyword == "too_deep"


def nested(levels: int, leaf: Any = 1, *, name: str | None = None) -> Any:
    value = leaf
    for _ in range(levels):
        value = [value] if name is None else {name: value}
    return value


@pytest.mark.parametrize("levels", [254, 255, 256, 257, 500, 1_000])
@pytest.mark.parametrize("name", [None, "a"])
def test_a_fault_of_a_deep_value_is_reported(levels: int, name: str | None) -> None:
    """This holds also for a wrong value so deep that the validator cannot show it."""
    deep = nested(levels, name=name)
    judge = Judge({"required": ["b"], "properties": {"a": {"type": "string"}, "c": {"maximum": 1}}}, {})
    record = {"a": deep, "c": 2}
    assert not judge.accepts(record)
    assert [(f.pointer, f.keyword) for f in judge.explain(record)] == [
        ("", "required"),
        ("/a", "type"),
        ("/c", "maximum"),
    ]
    assert judge.explain(record)[1].value == preview(deep, chars=MAX_VALUE_CHARS + 1)
    assert judge.accepts({"a": "", "b": deep})


def test_a_fault_at_the_bottom_of_a_deep_value_is_reported() -> None:
    """A recursive schema follows the value down to any depth."""
    judge = Judge({"type": ["object", "string"], "additionalProperties": {"$ref": "#"}}, {})
    (fault,) = judge.explain(nested(700, name="a"))
    assert (fault.pointer, fault.keyword) == ("/a" * 700, "type")
    (fault,) = judge.explain(nested(300, nested(400), name="a"))
    assert (fault.pointer, fault.keyword) == ("", "too_deep")


def test_deep_values_that_cannot_be_compared_are_not_accepted() -> None:
    """The validator cannot compare values deeper than 255 levels; such a value never counts as valid."""
    judge = Judge({"uniqueItems": True}, {})
    assert judge.accepts([nested(200), nested(201)])
    assert not judge.accepts([nested(300), nested(301)])
    (fault,) = judge.explain([nested(300), nested(301)])
    assert (fault.pointer, fault.keyword) == ("", "too_deep")
    (fault,) = judge.explain([nested(300), nested(300)])
    assert (fault.pointer, fault.keyword) == ("", "unique_items")


def test_the_faults_of_a_record_have_a_limit() -> None:
    """A record with a million faults keeps only the first thousand that are found."""
    faults = Judge({"items": {"type": "string"}}, {}).explain([1] * 20_000)
    assert len(faults) == MAX_FAULTS


@pytest.mark.parametrize(
    ("schema", "places"),
    [
        ({"type": "strin", "minLength": -1, "required": "a"}, {"/type", "/minLength", "/required"}),
        ({"$schema": "http://json-schema.org/draft-03/schema#"}, {"/$schema"}),
        ({"$schema": 3}, {"/$schema"}),
        (3, {""}),
    ],
)
def test_an_invalid_schema_is_refused_with_all_faults(schema: Any, places: set[str]) -> None:
    """The reference implementation checks the schema."""
    with pytest.raises(ContractError) as refused:
        check_schema(schema, {})
    assert places == {fault.where for fault in refused.value.faults}


def test_an_invalid_pattern_is_refused() -> None:
    """The library that matches patterns also checks them."""
    with pytest.raises(ContractError, match="/properties/a/pattern: not a valid schema"):
        Judge({"properties": {"a": {"pattern": "("}}}, {})


@pytest.mark.parametrize(
    ("value", "pointers"),
    [
        ({"m": {"1": 5}}, ["/m/1"]),
        ({"m": {"01": 5}}, ["/m/01"]),
        ({"m": {"1": "x", "01": 5}}, ["/m/01"]),
        ({"m": {"001": 5, "1": 6, "01": 7}}, ["/m/001", "/m/1", "/m/01"]),
        ({"m": {"0": {"1": 5}}}, ["/m/0"]),
        ({"m": {"-1": 5, "+1": 5, "1e0": 5, "١": 5}}, ["/m/-1", "/m/+1", "/m/1e0", "/m/١"]),
        ({"m": {"18446744073709551616": 5, "9" * 5000: 5}}, ["/m/18446744073709551616", "/m/" + "9" * 5000]),
        ({"n": [{"1": [5]}, {"01": ["x", 5]}]}, ["/n/0/1/0", "/n/1/01/1"]),
        ({"m": {"a/1": 5, "~1": 6}}, ["/m/a~11", "/m/~01"]),
    ],
)
def test_a_member_with_a_name_of_digits_has_its_own_pointer(value: Any, pointers: list[str]) -> None:
    """jsonschema-rs reports the steps of a path as numbers if they consist of digits."""
    strings = {"additionalProperties": {"type": "string"}}
    arrays = {"items": {"additionalProperties": {"items": {"type": "string"}}}}
    faults = Judge({"properties": {"m": strings, "n": arrays}}, {}).explain(value)
    assert [fault.pointer for fault in faults] == pointers
    assert all(fault.value for fault in faults)


def test_equal_values_below_names_of_the_same_number_are_told_apart() -> None:
    """Both members have the value 5, and only one of them breaks its schema."""
    schema = {"properties": {"1": {"type": "integer"}, "01": {"type": "string"}}}
    assert keywords_of(schema, {"1": 5, "01": 5}) == [("/01", "type")]
    assert keywords_of(schema, {"1": "x", "01": "x"}) == [("/1", "type")]
