"""Escape untrusted values for Markdown, so that a page cannot change the layout of the card."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from builder.domain.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~]|&(?=#?\w+;))")
_MARKER = re.compile(r"<!--(\s*/?\s*builder\b)", re.IGNORECASE)
_BLOCK = re.compile(r"(\d*)([-+=.)])")


def cell(value: object) -> str:
    r"""Escape a value as plain text on one line, inside or outside of a table.

    >>> cell("a|b <script>")
    'a\\|b \\<script\\>'
    """
    return _SPECIAL.sub(r"\\\1", one_line(value))


def code(value: object) -> str:
    r"""Format a value as inline code on one line.

    >>> code("a|b")
    '`a\\|b`'
    """
    text = one_line(value).replace("`", "'").replace("|", "\\|")
    return f"`{text}`" if text else ""


def codes(values: Iterable[object]) -> str:
    """Format values as inline code, with commas.

    >>> codes(["a", "b"])
    '`a`, `b`'
    """
    return ", ".join(map(code, values))


def paragraphs(text: str) -> str:
    r"""Escape a text as plain paragraphs: lines and blank lines stay, nothing becomes Markdown or HTML.

    >>> paragraphs("# News\n\n- <b>one</b>")
    '\\# News\n\n\\- \\<b\\>one\\</b\\>'
    """
    lines = [cell(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(map(_not_a_block, lines)).strip())


def _not_a_block(line: str) -> str:
    """Escape what would begin a list, or turn the line above into a heading."""
    return _BLOCK.sub(r"\1\\\2", line, count=1) if _BLOCK.match(line) else line


def prose(text: str) -> str:
    """Return Markdown that the dataset's authors wrote, with the markers of generated parts escaped.

    >>> prose("Fine. <!-- builder:end what -->")
    'Fine. &lt;!-- builder:end what -->'
    """
    return _MARKER.sub(r"&lt;!--\1", visible(text.replace("\r\n", "\n").strip(), keep="\n\t"))


def one_line(value: object) -> str:
    r"""Return a value as text on one line, with single spaces and no control characters.

    >>> print(one_line("a\n  b\x1b[2J"))
    a b\x1b[2J
    """
    return visible(" ".join(str(value).split()))


def number(value: int) -> str:
    """Format a number with thousands separators.

    >>> number(1234567)
    '1,234,567'
    """
    return f"{value:,}"


def size(n_bytes: int) -> str:
    """Format a number of bytes with three digits and a decimal unit.

    >>> [size(n) for n in (0, 999, 1_000, 12_345, 123_456_789)]
    ['0 bytes', '999 bytes', '1.00 kB', '12.3 kB', '123 MB']
    """
    if n_bytes < 1000:
        return f"{n_bytes} bytes"
    value = float(n_bytes)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        value /= 1000
        if value < 999.5 or unit == "PB":
            break
    return f"{value:.{2 if value < 9.995 else 1 if value < 99.95 else 0}f} {unit}"


def options(values: Mapping[str, Any]) -> str:
    """Format the options of a stage on one line, in the order of the recipe.

    >>> options({"threshold": 0.8, "keep": "first"})
    'threshold: 0.8, keep: first'
    """
    return ", ".join(f"{name}: {_value(value)}" for name, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + options(value) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_value, value)) + "]"
    return "null" if value is None else str(value)
