"""Write JSON values as canonical text: equal values give equal bytes, and every number stays exact.

Keys are sorted by code point. The text has no white space and no unnecessary escapes. A number is an int, a
float (written with the fewest digits that restore it) or, if a float would change it, a Decimal.
"""

from __future__ import annotations

from decimal import Decimal
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator


def canonical_text(value: Any) -> str:
    """Write a JSON value in its canonical form.

    >>> canonical_text({"b": 1.0, "a": [10**20, Decimal("0.10000000000000000000010")]})
    '{"a":[100000000000000000000,0.1000000000000000000001],"b":1.0}'
    """
    return write_json(value, sort_keys=True)


def write_json(value: Any, *, sort_keys: bool = False) -> str:
    """Write a JSON value of any depth, with numbers of any length."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None).decode()
    except TypeError:  # integers over 64 bits, Decimals, over 254 levels
        return "".join(_pieces(value, sort_keys=sort_keys))


def preview(value: Any, *, chars: int) -> str:
    """Return the first characters of a JSON value, without writing the rest.

    >>> preview(["a" * 10**6, 2], chars=6)
    '["aaaa'
    """
    taken: list[str] = []
    left = chars
    for piece in _pieces(value, longest=chars):
        taken.append(piece[:left])
        left -= len(piece)
        if left <= 0:
            break
    return "".join(taken)


def _pieces(value: Any, *, sort_keys: bool = False, longest: int | None = None) -> Iterator[str]:
    """Yield the text in pieces, with an explicit stack: records nest deeper than Python can recurse."""
    stack: list[tuple[Iterator[Any], str]] = [(iter((value,)), "")]
    fresh = True
    while stack:
        items, close = stack[-1]
        for item in items:
            if not fresh:
                yield ","
            fresh = False
            if close == "}":
                key, item = item
                yield _scalar(key, longest) + ":"
            if isinstance(item, dict):
                members = sorted(item.items(), key=itemgetter(0)) if sort_keys else item.items()
                stack.append((iter(members), "}"))
                yield "{"
            elif isinstance(item, list):
                stack.append((iter(item), "]"))
                yield "["
            else:
                yield _scalar(item, longest)
                continue
            fresh = True
            break
        else:
            stack.pop()
            yield close
            fresh = False


def _scalar(value: Any, longest: int | None) -> str:
    if isinstance(value, str) and longest is not None:
        value = value[:longest]
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return orjson.dumps(value.encode("utf-8", "replace").decode()).decode()
    return orjson.dumps(value).decode()


def _decimal(value: Decimal) -> str:
    """Write a Decimal without trailing zeros; use an exponent if the digits alone would be long."""
    sign, digits, exponent = value.as_tuple()
    kept = "".join(map(str, digits)).rstrip("0")
    exponent = int(exponent) + len(digits) - len(kept)
    exact = Decimal((sign, tuple(map(int, kept)), exponent))
    return format(exact, "f" if -30 < exponent <= 0 else "e")
