"""Write HTML and SVG; the only place that escapes text, and that decides which attributes a page may have.

An element cannot run or fetch anything: attributes that hold scripts, styles or addresses are refused when
the element is made. Text of strangers goes through ``foreign`` or ``document_text``.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from builder.domain.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_EMPTY = frozenset({"br", "hr", "meta", "col", "link"})
"""Elements of HTML that have no end."""
_SHAPES = frozenset({"rect", "line", "path", "circle", "polyline"})
"""Elements of SVG that are written in one tag if they are empty."""
_REFUSED_TAGS = frozenset(
    {
        "script",
        "iframe",
        "object",
        "embed",
        "base",
        "form",
        "link",
        "foreignobject",
        "image",
        "use",
        "animate",
    }
)
_ADDRESSES = frozenset({"href", "src", "srcset", "action", "formaction", "data", "poster", "xlink:href"})

_JOINERS = "\u200c\u200d"
"""Zero-width characters that change the shape of letters next to them; Persian and emoji need them."""


@dataclass(frozen=True, slots=True)
class Markup:
    """Text that is already markup; only this module and the style sheet of a page make it."""

    text: str


@dataclass(frozen=True, slots=True)
class Element:
    """One element with its attributes and its content."""

    tag: str
    attributes: tuple[tuple[str, str], ...] = ()
    content: tuple[Inner, ...] = ()

    def __str__(self) -> str:
        """Return the element as HTML."""
        return "".join(self.pieces())

    def pieces(self) -> Iterator[str]:
        """Yield the HTML of the element in pieces."""
        yield f"<{self.tag}"
        for name, value in self.attributes:
            yield f' {name}="{escape_markup(value)}"'
        if self.tag in _SHAPES and not self.content:
            yield "/>"
            return
        yield ">"
        if self.tag in _EMPTY:
            return
        for one in self.content:
            if isinstance(one, Element):
                yield from one.pieces()
            else:
                yield one.text if isinstance(one, Markup) else escape_markup(one)
        yield f"</{self.tag}>"


Inner: TypeAlias = "Element | Markup | str"
Value: TypeAlias = "str | int | float | None"


def element(tag: str, attributes: Mapping[str, Value] | None = None, *content: Inner | None) -> Element:
    """Make an element.

    Args:
        attributes: an attribute with the value None is left out; numbers are rounded to two digits.
        content: elements and texts; None is left out. Texts are escaped.

    Raises:
        ValueError: if the element or an attribute could run or fetch something, or holds a style.

    >>> print(element("p", {"class": "note"}, "a < b ", element("b", None, "c")))
    <p class="note">a &lt; b <b>c</b></p>
    """
    if not _NAME.fullmatch(tag) or tag.lower() in _REFUSED_TAGS:
        raise ValueError(f"a page cannot have the element {tag!r}")
    found = {name: _written(value) for name, value in (attributes or {}).items() if value is not None}
    for name, value in found.items():
        _check_attribute(tag, name, value)
    return Element(tag, tuple(found.items()), tuple(one for one in content if one is not None))


def escape_markup(text: str) -> str:
    r"""Return a text with the five characters that mean something in HTML as references.

    Characters that HTML or UTF-8 cannot hold become escapes, so that the page is always valid.

    >>> escape_markup("<b> & \"'\x00")
    '&lt;b&gt; &amp; &quot;&#x27;\\x00'
    """
    return html.escape(_ILLEGAL.sub(_as_escape, text))


def foreign(text: str) -> Element:
    r"""Return a short text of strangers, such as a URL or a value, that cannot change the text around it.

    Characters without a glyph are visible escapes, also line feeds. The direction of the text ends with it.

    >>> print(foreign("a\u202e<b>"))
    <bdi>a\u202e&lt;b&gt;</bdi>
    """
    return element("bdi", None, visible(text))


def document_text(text: str, *, keep: str = "\n\t") -> str:
    """Return a long text of strangers as it can be the content of an element with its own direction.

    Line feeds, tabs and joiners stay; other characters without a glyph are visible escapes.
    """
    return visible(text, keep=keep + _JOINERS)


_ILLEGAL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def _as_escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _written(value: str | int | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") if value != int(value) else str(int(value))
    return str(value)


def _check_attribute(tag: str, name: str, value: str) -> None:
    lower = name.lower()
    inside = lower in _ADDRESSES and tag == "a" and lower == "href" and value.startswith("#")
    if not _ATTRIBUTE.fullmatch(name) or lower.startswith("on") or lower == "style":
        raise ValueError(f"a page cannot have the attribute {name!r}")
    if lower in _ADDRESSES and not inside:
        raise ValueError(f"{tag} {name} must be a place in the page, such as '#summary', not {value[:100]!r}")
    if "url(" in value.lower() and lower in ("fill", "stroke", "filter", "mask", "clip-path", "cursor"):
        raise ValueError(f"the attribute {name} cannot have an address: {value[:100]!r}")
