"""Canonical JSON: one form for each value, which every JSON parser reads back."""

from __future__ import annotations

import json
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.domain.json.canonical import canonical_json, number_text
from builder.errors import BuilderError

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SAFE_FLOATS = FLOATS.filter(lambda x: not 2**53 <= abs(x) < 1e21)
"""Floats between these bounds are written like integers that Python would read exactly."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | SAFE_FLOATS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


@given(VALUES)
def test_canonical_json_reads_back_as_the_same_value(value: object) -> None:
    """The text is valid JSON for two parsers, and writing the parsed value gives the same bytes."""
    data = canonical_json(value)
    assert orjson.loads(data) == json.loads(data) == value
    assert canonical_json(json.loads(data)) == data


@given(st.dictionaries(st.text(), st.integers(0, 9)), st.randoms())
def test_order_of_keys_does_not_matter(value: dict[str, int], random: object) -> None:
    """A digest of a document must not depend on the order in which its members were written."""
    keys = list(value)
    random.shuffle(keys)
    assert canonical_json({key: value[key] for key in keys}) == canonical_json(value)


@given(FLOATS)
def test_numbers_read_back_as_the_same_float(number: float) -> None:
    """The digits are the fewest that restore the float; the sign of zero is not kept."""
    assert float(number_text(number)) == number
    digits = [c for c in number_text(number).partition("e")[0] if c.isdigit()]
    assert "".join(digits).strip("0") == repr(number).partition("e")[0].strip("-").replace(".", "").strip("0")


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        (0x0000000000000000, "0"),
        (0x8000000000000000, "0"),
        (0x0000000000000001, "5e-324"),
        (0x8000000000000001, "-5e-324"),
        (0x7FEFFFFFFFFFFFFF, "1.7976931348623157e+308"),
        (0x4340000000000000, "9007199254740992"),
        (0x4430000000000000, "295147905179352830000"),
        (0x44B52D02C7E14AF5, "9.999999999999997e+22"),
        (0x44B52D02C7E14AF6, "1e+23"),
        (0x444B1AE4D6E2EF4E, "999999999999999700000"),
        (0x444B1AE4D6E2EF50, "1e+21"),
        (0x3EB0C6F7A0B5ED8C, "9.999999999999997e-7"),
        (0x3EB0C6F7A0B5ED8D, "0.000001"),
        (0x41B3DE4355555553, "333333333.3333332"),
        (0xBECBF647612F3696, "-0.0000033333333333333333"),
        (0x43143FF3C1CB0959, "1424953923781206.2"),
    ],
)
def test_numbers_are_those_of_rfc_8785(bits: int, text: str) -> None:
    """The samples of RFC 8785, appendix B."""
    import struct

    assert number_text(struct.unpack(">d", bits.to_bytes(8, "big"))[0]) == text


def test_the_canonical_form_is_fixed() -> None:
    """Keys are in UTF-16 order, escapes are the shortest, there is no space, and 1 and 1.0 are equal."""
    value = {"\ufb33": 1, "\U0001f600": 2.0, "é": [True, None, {}], "a": '"\\\x00\x1f\x7f\n/', "": []}
    assert canonical_json(value).decode() == (
        '{"":[],"a":"\\"\\\\\\u0000\\u001f\x7f\\n/","é":[true,null,{}],"😀":2,"\ufb33":1}'
    )
    assert canonical_json((2**64, -0.0)) == b"[18446744073709551616,0]"


@pytest.mark.parametrize("value", [math.nan, math.inf, "\ud800", {1: 2}, {"a": b"x"}, {1, 2}])
def test_a_value_without_a_json_form_is_refused(value: object) -> None:
    """A digest over a value that JSON cannot express would have no meaning."""
    with pytest.raises(BuilderError):
        canonical_json([value])
