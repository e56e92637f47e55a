"""Make control characters visible, so that the text of a page cannot control a terminal or hide in a card.

Escaped are all characters without a glyph: C0 and C1 controls, marks of direction such as U+202E, zero-width
characters, separators of lines and paragraphs, lone surrogates, and code points that Unicode has not
assigned. Spaces of any width stay.
"""

from __future__ import annotations

import unicodedata

_SPACE = "Zs"


def visible(text: str, *, keep: str = "") -> str:
    r"""Return a text on one line, with an escape as in Python in place of each character without a glyph.

    Args:
        keep: characters that stay as they are, such as line feeds.

    >>> print(visible("a\x1b]0;title\x07b\u202ec\n"))
    a\x1b]0;title\x07b\u202ec\n
    """
    if text.isprintable():
        return text
    return "".join(one if one in keep or _has_glyph(one) else _escape(one) for one in text)


def visible_json(document: str) -> str:
    r"""Return the same JSON document with an escape in place of each character without a glyph.

    It parses to the same value: only strings of a document can contain such characters, apart from line
    feeds between its values.

    >>> print(visible_json('{"a": "\x9b\u202e\U000e0001"}'))
    {"a": "\u009b\u202e\udb40\udc01"}
    """
    return "\n".join(
        line if line.isprintable() else "".join(one if _has_glyph(one) else json_escape(one) for one in line)
        for line in document.split("\n")
    )


def json_escape(text: str) -> str:
    r"""Write each character of a string as an escape of JSON.

    >>> print(json_escape("a\x9b"))
    \u0061\u009b
    """
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _escape(one: str) -> str:
    return one.encode("unicode_escape").decode()


def _has_glyph(one: str) -> bool:
    return one.isprintable() or unicodedata.category(one) == _SPACE
