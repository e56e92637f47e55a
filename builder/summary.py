"""Show values of the Python API shortly: one line in a console, a small table in a notebook."""

from __future__ import annotations

import dataclasses
from html import escape
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MAX_CHARS = 200
_MAX_ROWS = 20
"""Rows of a table in a notebook, at most."""


class Summarised:
    """A value that is shown by its most important facts; all others are attributes.

    Without ``_summary``, a dataclass is shown by all of its fields.

    Facts can contain texts of strangers, such as URLs, so the table escapes them.
    """

    __slots__ = ()

    def _summary(self) -> Mapping[str, object]:
        value: Any = self
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}

    def _rows(self) -> Iterable[Mapping[str, object]]:
        """Return what a notebook lists below the facts; nothing by default."""
        return ()

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={_short(repr(value))}" for name, value in self._summary().items())
        return f"{type(self).__name__}({facts})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(_short(_text(value)))}</td></tr>"
            for name, value in self._summary().items()
        )
        listed = _table(list(islice(self._rows(), _MAX_ROWS)))
        return f"<table><caption>{escape(type(self).__name__)}</caption>{rows}</table>{listed}"


def _table(rows: Sequence[Mapping[str, object]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in rows[0])
    lines = "".join(f"<tr>{''.join(map(_cell, row.values()))}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{lines}</table>"


def _cell(value: object) -> str:
    text = "" if value is None else _short(_text(value))
    return f"<td style='text-align:left'>{escape(text)}</td>"


def _plain(value: object) -> object:
    return str(value) if isinstance(value, PurePath) else value


def _text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(one)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_text, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= _MAX_CHARS else f"{text[:_MAX_CHARS]}…"
