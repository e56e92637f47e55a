"""Write JSON with one form for each value, after RFC 8785; digests of JSON documents use this form."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from builder.errors import BuilderError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator


def canonical_json(value: Any) -> bytes:
    """Write a value in canonical form: UTF-8, keys in the order of their UTF-16 code units, no white space.

    Numbers have the form of ECMAScript, so ``1.0`` becomes ``1``. Integers over 2^53 keep all digits;
    RFC 8785 would round them.

    >>> canonical_json({"b": [1.0, 0.8, None], "a": "é"}).decode()
    '{"a":"é","b":[1,0.8,null]}'

    Raises:
        BuilderError: if a value has no JSON form (NaN, infinity, a lone surrogate, a key that is not a
            string).
    """
    try:
        return "".join(_pieces(value)).encode()
    except UnicodeEncodeError as error:
        raise BuilderError(Fault(where="", what=f"text is not valid Unicode: {error.reason}")) from None


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _object(value)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield "," if i else "["
            yield from _pieces(item)
        yield "]" if value else "[]"
    elif isinstance(value, float):
        yield number_text(value)
    elif value is None or isinstance(value, (bool, int, str)):
        yield json.dumps(value, ensure_ascii=False)
    else:
        raise BuilderError(f"a value of type {type(value).__name__} has no JSON form")


def _object(value: dict[Any, Any]) -> Iterator[str]:
    if wrong := [key for key in value if not isinstance(key, str)]:
        raise BuilderError(f"a key of a JSON object must be a string, not {wrong[0]!r}")
    for i, key in enumerate(sorted(value, key=_utf16)):
        yield ("," if i else "{") + json.dumps(key, ensure_ascii=False) + ":"
        yield from _pieces(value[key])
    yield "}" if value else "{}"


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def number_text(value: float) -> str:
    """Write a float as ECMAScript does: with the fewest digits that read back as the same float.

    >>> [number_text(x) for x in (0.1, -0.0, 1e21, 1e-7, 123456789012345680000.0)]
    ['0.1', '0', '1e+21', '1e-7', '123456789012345680000']
    """
    if not math.isfinite(value):
        raise BuilderError(f"{value} has no JSON form")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}e0".partition("e")
    whole, _, part = mantissa.partition(".")
    point = len(whole) + int(exponent.partition("e")[0])
    digits = (whole + part).lstrip("0")
    point -= len(whole + part) - len(digits)
    digits = digits.rstrip("0")
    return sign + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    """Put the decimal point after ``point`` digits (Number::toString of ECMA-262)."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{'+' if point > 0 else '-'}{abs(point - 1)}"
