"""How a text table separates, quotes and escapes its values, and the parsers of its rows."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The characters of a table with a meaning; None for one that the table does not have.

    Attributes:
        nulls: values that are null, as they are written without quotes.
    """

    delimiter: str
    quote: str | None = '"'
    escape: str | None = None
    nulls: frozenset[str] = frozenset()

    def reader(self, lines: Iterator[str]) -> Iterator[list[str | None]]:
        """Return an iterator over rows; it raises ``csv.Error`` for a row with unbalanced quotes."""
        if self.escape is not None:
            return EscapedRows(lines, self)
        if self.quote is None:
            rows = csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE, strict=True)
        else:
            rows = csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, strict=True)
        return _NullRows(rows, self.nulls) if self.nulls else cast("Iterator[list[str | None]]", rows)

    def advice(self, line: bytes, error: str) -> str:
        """Return the message for a row that cannot be parsed: what is wrong, and what to do."""
        if b"\x00" in line:
            return "the line has NUL bytes: if the file is in UTF-16, set encoding: utf-16-le for the source"
        if b"\r" in line.rstrip(b"\r\n"):
            return "a carriage return is not in quotes: if each ends a line, convert them to line feeds"
        if self.escape is None and b'\\"' in line:
            return rf"{error}; if a backslash escapes quotes in this file, set escape: '\' for the source"
        return f"{error}; if the file has no quoting, set quote: null for the source"


class _NullRows:
    """Replaces the values that are null in each row."""

    def __init__(self, rows: Iterator[list[str]], nulls: frozenset[str]) -> None:
        self._rows, self._nulls = rows, nulls

    def __iter__(self) -> _NullRows:
        return self

    def __next__(self) -> list[str | None]:
        return [None if value in self._nulls else value for value in next(self._rows)]


class EscapedRows:
    r"""Parses rows with an escape character.

    A quote, an escape character, a delimiter or a line end is itself after an escape character. Before any
    other character, the escape character stays, because writers such as Spark do not double it. If the table
    has quotes, the escape character has no meaning in a value without quotes.
    """

    def __init__(self, lines: Iterator[str], dialect: Dialect) -> None:
        delimiter, quote, escape = dialect.delimiter, dialect.quote, dialect.escape or ""
        self._lines, self._dialect, self._escape = lines, dialect, escape
        self._plain = {escape, delimiter, quote, "\r", "\n"}
        marks = re.escape(escape) if quote is None else ""
        self._unquoted = re.compile(f"[^{re.escape(delimiter)}\r\n{marks}]*+")
        self._quoted = re.compile(f"[^{re.escape(escape)}{re.escape(quote or '')}]*+")

    def __iter__(self) -> EscapedRows:
        return self

    def __next__(self) -> list[str | None]:
        line = next(self._lines)
        values: list[str | None] = []
        at = 0
        if not line.rstrip("\r\n"):
            return values
        while True:
            if self._dialect.quote is not None and line.startswith(self._dialect.quote, at):
                value, line, at = self._quoted_value(line, at + 1)
            else:
                value, line, at = self._unquoted_value(line, at)
            values.append(value)
            if not line.startswith(self._dialect.delimiter, at):
                break
            at += 1
        if line[at:].strip("\r\n"):
            raise csv.Error(f"'{self._dialect.delimiter}' expected after '{self._dialect.quote}'")
        return values

    def _unquoted_value(self, line: str, at: int) -> tuple[str | None, str, int]:
        parts: list[str] = []
        raw: list[str] = []
        while True:
            found = self._unquoted.match(line, at)
            plain = found[0] if found else ""
            parts.append(plain)
            raw.append(plain)
            at += len(plain)
            if not line.startswith(self._escape, at) or self._dialect.quote is not None:
                break
            char, line, at = self._after_escape(line, at)
            parts.append(char)
            raw.append(self._escape + char)
        value = "".join(parts)
        is_null = value in self._dialect.nulls or "".join(raw) in self._dialect.nulls
        return None if is_null else value, line, at

    def _quoted_value(self, line: str, at: int) -> tuple[str | None, str, int]:
        quote = self._dialect.quote or ""
        parts: list[str] = []
        while True:
            found = self._quoted.match(line, at)
            plain = found[0] if found else ""
            parts.append(plain)
            at += len(plain)
            if at == len(line):
                line, at = self._next_line(), 0
            elif line.startswith(self._escape, at):
                char, line, at = self._after_escape(line, at)
                parts.append(char)
            elif line.startswith(quote, at + 1):
                parts.append(quote)
                at += 2
            else:
                value = "".join(parts)
                return None if value in self._dialect.nulls else value, line, at + 1

    def _after_escape(self, line: str, at: int) -> tuple[str, str, int]:
        """Return what an escape means, and where the line continues."""
        char = line[at + 1 : at + 2]
        if line[at + 1 : at + 3] == "\r\n":
            char = "\r\n"
        after = at + 1 + len(char)
        if after == len(line) and char.endswith("\n") and self._dialect.quote is None:
            return char, self._next_line(), 0
        return (char if char[:1] in self._plain else self._escape + char), line, after

    def _next_line(self) -> str:
        line = next(self._lines, None)
        if line is None:
            raise csv.Error("unexpected end of data")
        return line
