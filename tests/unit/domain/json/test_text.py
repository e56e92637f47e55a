"""JSON parsing: JSON is parsed exactly, and anything else has a reason."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from builder.domain.json.exact import Broken, Parsed
from builder.domain.json.text import REASONS, depth_of, is_faithful, parse
from builder.domain.json.writer import canonical_text, preview


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty_record"),
        (b" \n", "empty_record"),
        (b"\xef\xbb\xbf", "empty_record"),
        (b"{", "broken_json"),
        (b"[1,]", "broken_json"),
        (b"[1] [2]", "broken_json"),
        (b"{'a': 1}", "broken_json"),
        (b'["a\tb"]', "broken_json"),
        (b"[01]", "broken_json"),
        (b"[NaN]", "not_a_number"),
        (b"[-Infinity]", "not_a_number"),
        (b'["\xff"]', "invalid_utf8"),
        (b'["\xed\xa0\x80"]', "invalid_utf8"),
        (b"[" * 1025 + b"]" * 1025, "too_deep"),
        (b'{"a":' * 100_000, "too_deep"),
        (b"[" + b"9" * 4301 + b"]", "number_too_long"),
    ],
)
def test_what_is_not_json_has_a_reason(data: bytes, reason: str) -> None:
    """Each kind of broken text has its own stable, documented code."""
    parsed = parse(data)
    assert isinstance(parsed, Broken)
    assert reason == parsed.reason
    assert reason in REASONS


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (b'{"a": 1, "b": {"c/d": 1, "c/d": 2}}', [("/b/c~1d", "duplicate_key")]),
        (b'{"a": 1, "a": "x:y"}', [("/a", "duplicate_key")]),
        (b'{"a":1,"a":"\\u003a"}', [("/a", "duplicate_key")]),
        (b'{"a":1,"a" :"\\u003A"}', [("/a", "duplicate_key")]),
        (b'{"a": [0, "\\ud800"]}', [("/a/1", "lone_surrogate")]),
        (b'{"a": {"\\udfff": 1}}', [("/a", "lone_surrogate")]),
        (b"[1e400, -1e400]", [("/0", "inexact_number"), ("/1", "inexact_number")]),
        (b"[1e-400]", [("/0", "inexact_number")]),
        (
            b'{"b": {"x": "\\ud800"}, "b": 1e999}',
            [("/b", "duplicate_key"), ("/b", "inexact_number"), ("/b/x", "lone_surrogate")],
        ),
    ],
)
def test_what_has_no_canonical_form_is_a_fault(data: bytes, faults: list[tuple[str, str]]) -> None:
    """Equal keys, half surrogates and numbers out of range are found at any place, in order."""
    parsed = parse(data)
    assert isinstance(parsed, Parsed)
    assert faults == [(fault.pointer, fault.keyword) for fault in parsed.faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18446744073709551616", 18446744073709551616),
        ("-9223372036854775809", -9223372036854775809),
        ("9" * 4300, int("9" * 4300)),
        ("0.1", 0.1),
        ("0.10000000000000000000001", Decimal("0.10000000000000000000001")),
        ("9007199254740993.0", Decimal("9007199254740993.0")),
        ("4.94e-324", Decimal("4.94e-324")),
        ("0.30000000000000004", 0.30000000000000004),
        ("-0.0e-999", -0.0),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ("\ufeff[1]", [1]),
    ],
)
def test_numbers_are_exact(text: str, value: object) -> None:
    """A number is an int, a float if the float is equal to the digits, otherwise a Decimal."""
    parsed = parse(text.encode())
    assert isinstance(parsed, Parsed)
    assert (value, type(value)) == (parsed.value, type(parsed.value))


def test_ordinary_records_need_no_second_parse() -> None:
    """Colons and digits in strings, long floats and unusual blanks do not need the slow parser."""
    import orjson

    for text in (
        '{"url" : "https://a.example:80/", "n": 12345678901234567, "t": "12:30 1234567890123456.7 \\"x\\":"}',
        '{"score": 0.8785771131515503, "list": [1.5e300, {"a:b": -2.5E-7}]}',
    ):
        assert is_faithful(text.encode(), orjson.loads(text))


def test_values_are_parsed_up_to_the_limit_of_nesting() -> None:
    """1,024 levels are parsed, written and counted."""
    parsed = parse(b"[" * 1024 + b"]" * 1024)
    assert isinstance(parsed, Parsed)
    assert depth_of(parsed.value) == 1024
    assert canonical_text(parsed.value) == "[" * 1024 + "]" * 1024


def test_a_preview_has_the_requested_length() -> None:
    """This holds also for a string of megabytes and in the middle of a surrogate pair."""
    assert preview({"a": "x" * 10**7}, chars=10) == '{"a":"xxxx'
    assert preview(["\ud800"], chars=10) == '["?"]'


@pytest.mark.corpora
def test_the_parser_agrees_with_the_json_test_suite(corpora: Path) -> None:
    """It parses every file that must be accepted, and no file that must be rejected."""
    wrong = [
        path.name
        for path in sorted((corpora / "json-test-suite" / "test_parsing").glob("*.json"))
        if path.name[0] in "yn" and isinstance(parse(path.read_bytes()), Parsed) != (path.name[0] == "y")
    ]
    assert wrong == []
