"""Parse JSON exactly: integers of any size, decimals as they are written, every fault with its place.

This parser is about ten times slower than orjson. It reads only texts that orjson refuses or would change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from json.decoder import JSONDecodeError
from json.decoder import scanstring as _scan  # type: ignore[attr-defined]
from typing import Any

from builder.domain.fault_order import pointer_of, sort_faults
from builder.domain.rejection import ContractFault, cut_text

MAX_NUMBER_CHARS = 4300
"""Characters of a number, at most: Python converts no more digits to an integer (it takes quadratic time)."""

_BLANK = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[+-]?(?:nan|inf(?:inity)?)\b", re.IGNORECASE)
_WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A JSON value, and the faults of the parts that have no canonical form."""

    value: Any
    faults: tuple[ContractFault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Why a text has no value; ``offset`` counts bytes for ``invalid_utf8`` and characters otherwise.

    Attributes:
        rest: the members of a row of columns that can be read, if only some cells cannot; else None.
        cells: the first fault of each cell that cannot be read.
    """

    reason: str
    offset: int
    message: str
    rest: dict[str, Any] | None = None
    cells: tuple[ContractFault, ...] = ()


class _Stop(Exception):  # noqa: N818 - it never leaves this file
    def __init__(self, reason: str, offset: int, message: str) -> None:
        what = message.removesuffix(" starting at")
        self.broken = Broken(reason=reason, offset=offset, message=f"{what} at character {offset}")


def parse_exactly(text: str, *, max_depth: int, reads_nan: bool = False) -> Parsed | Broken:
    """Parse one JSON value; if a key occurs twice, the last value counts and a fault names the key.

    Args:
        reads_nan: read NaN and Infinity as null, with the fault ``not_a_number``.
    """
    try:
        parser = _Parser(text=text, max_depth=max_depth, reads_nan=reads_nan)
        value = parser.run()
        return Parsed(value=value, faults=sort_faults(value, parser.faults))
    except _Stop as stop:
        return stop.broken


def exact_number(token: str) -> int | float | Decimal | None:
    """Return the number that a JSON number denotes; None if it is outside the range of float64.

    A fraction becomes a float if the float's shortest form denotes the same number, otherwise a Decimal.

    >>> exact_number("0.10"), exact_number("0.10000000000000000000001"), exact_number("1e400")
    (0.1, Decimal('0.10000000000000000000001'), None)
    """
    if not any(mark in token for mark in ".eE"):
        return int(token)
    number = float(token)
    if number == 0.0:
        mantissa = token.lower().partition("e")[0]
        return number if not mantissa.strip("-0.") else None
    if number in (float("inf"), float("-inf")):
        return None
    exact = Decimal(token)
    return number if Decimal(repr(number)) == exact else exact


@dataclass(slots=True, kw_only=True)
class _Parser:
    """A parser that keeps a stack of open containers, each with the key or index of its next value."""

    text: str
    max_depth: int
    reads_nan: bool
    at: int = 0
    stack: list[tuple[Any, Any]] = field(default_factory=list)
    faults: list[tuple[tuple[str | int, ...], ContractFault]] = field(default_factory=list)

    def run(self) -> Any:
        self.blank()
        while True:
            value, is_open = self.value()
            if is_open:
                continue
            while self.stack:
                self.attach(value)
                if self.another_follows():
                    break
                value, _ = self.stack.pop()[0], None
            else:
                if self.at != len(self.text):
                    raise self.stop("more text behind the value")
                return value

    def value(self) -> tuple[Any, bool]:
        """Read a scalar or an empty container, or open a container and stop before its first value."""
        char = self.text[self.at : self.at + 1]
        if char in ("{", "["):
            return self.open(char)
        if char == '"':
            return self.string(), False
        if char in _WORDS and self.text.startswith(_WORDS[char][0], self.at):
            word, value = _WORDS[char]
            self.at += len(word)
            self.blank()
            return value, False
        return self.number(), False

    def open(self, char: str) -> tuple[Any, bool]:
        if len(self.stack) >= self.max_depth:
            raise self.stop(f"nests deeper than {self.max_depth:,} levels", "too_deep")
        container: Any = {} if char == "{" else []
        self.at += 1
        self.blank()
        if self.text[self.at : self.at + 1] == ("}" if char == "{" else "]"):
            self.at += 1
            self.blank()
            return container, False
        self.stack.append((container, 0))
        if char == "{":
            self.key()
        return None, True

    def key(self) -> None:
        if self.text[self.at : self.at + 1] != '"':
            raise self.stop("a name in quotes is missing")
        name = self.string(is_key=True)
        if self.text[self.at : self.at + 1] != ":":
            raise self.stop("a colon is missing")
        self.at += 1
        self.blank()
        container, _ = self.stack[-1]
        self.stack[-1] = (container, name)
        if name in container:
            self.fault("duplicate_key", value=name, message=f"{name[:80]!r} is there more than once")

    def attach(self, value: Any) -> None:
        container, key = self.stack[-1]
        if type(container) is dict:
            container[key] = value
        else:
            container.append(value)

    def another_follows(self) -> bool:
        """Read the comma or the closing bracket after a value; return whether another value follows."""
        container, key = self.stack[-1]
        is_object = type(container) is dict
        char = self.text[self.at : self.at + 1]
        if char == ",":
            self.at += 1
            self.blank()
            if is_object:
                self.key()
            else:
                self.stack[-1] = (container, key + 1)
            return True
        if not char or char != ("}" if is_object else "]"):
            raise self.stop("a comma or a closing bracket is missing")
        self.at += 1
        self.blank()
        return False

    def string(self, *, is_key: bool = False) -> str:
        start = self.at
        value: str
        try:
            value, self.at = _scan(self.text, start + 1, True)
        except JSONDecodeError as error:
            self.at = error.pos
            raise self.stop(error.msg[:1].lower() + error.msg[1:]) from None
        if "\\" in self.text[start : self.at] and not _is_text(value):
            self.fault("lone_surrogate", message="half of a surrogate pair stands alone", above=is_key)
            value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        self.blank()
        return value

    def number(self) -> int | float | Decimal | None:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            strange = _NO_NUMBER.match(self.text, self.at)
            if strange and self.reads_nan:
                self.strange_number(strange)
                return None
            raise self.stop(
                f"{strange.group()} is not JSON" if strange else "a value is missing",
                "not_a_number" if strange else "broken_json",
            )
        token = match.group()
        if len(token) > MAX_NUMBER_CHARS:
            raise self.stop(f"a number of {len(token):,} characters", "number_too_long")
        self.at = match.end()
        number = exact_number(token)
        if number is None:
            self.fault("inexact_number", value=token, message="float64 cannot hold a number of this size")
            number = 0.0
        self.blank()
        return number

    def strange_number(self, match: re.Match[str]) -> None:
        """Read NaN or Infinity as null."""
        self.fault("not_a_number", value=match.group(), message=f"{match.group()} is not JSON")
        self.at = match.end()
        self.blank()

    def blank(self) -> None:
        self.at = _BLANK.match(self.text, self.at).end()  # type: ignore[union-attr]

    def fault(self, keyword: str, *, value: str | None = None, message: str, above: bool = False) -> None:
        """Record a fault of the value that is being read; with ``above``, of the object that contains it."""
        path = tuple(key for _, key in (self.stack[:-1] if above else self.stack))
        fault = ContractFault(
            pointer=pointer_of(path), keyword=keyword, value=cut_text(value), message=message
        )
        self.faults.append((path, fault))

    def stop(self, message: str, reason: str = "broken_json") -> _Stop:
        return _Stop(reason, self.at, message)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
