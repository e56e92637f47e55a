"""Parsing: what is JSON is parsed exactly, what is not is told apart."""

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
    """Each way not to be JSON is told by a stable code that is documented."""
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
    """Equal keys, half surrogates and numbers out of range are found wherever they stand, in order."""
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
    """A number is what its digits say: an int, a float if that is the same, else a Decimal."""
    parsed = parse(text.encode())
    assert isinstance(parsed, Parsed)
    assert (value, type(value)) == (parsed.value, type(parsed.value))


def test_ordinary_records_need_no_second_parse() -> None:
    """Colons and digits in strings, long floats and odd blanks do not make a record suspicious."""
    import orjson

    for text in (
        '{"url" : "https://a.example:80/", "n": 12345678901234567, "t": "12:30 1234567890123456.7 \\"x\\":"}',
        '{"score": 0.8785771131515503, "list": [1.5e300, {"a:b": -2.5E-7}]}',
    ):
        assert is_faithful(text.encode(), orjson.loads(text))


def test_nesting_up_to_the_limit() -> None:
    """1,024 levels are parsed, written and measured."""
    parsed = parse(b"[" * 1024 + b"]" * 1024)
    assert isinstance(parsed, Parsed)
    assert depth_of(parsed.value) == 1024
    assert canonical_text(parsed.value) == "[" * 1024 + "]" * 1024


def test_a_preview_ends_where_it_is_told() -> None:
    """A preview has so many characters, also of a string of megabytes and in the middle of a pair."""
    assert preview({"a": "x" * 10**7}, chars=10) == '{"a":"xxxx'
    assert preview(["\ud800"], chars=10) == '["?"]'


@pytest.mark.corpora
def test_json_test_suite(corpora: Path) -> None:
    """Every file that must be parsed is, and no file that must not be."""
    wrong = [
        path.name
        for path in sorted((corpora / "json-test-suite" / "test_parsing").glob("*.json"))
        if path.name[0] in "yn" and isinstance(parse(path.read_bytes()), Parsed) != (path.name[0] == "y")
    ]
    assert wrong == []
