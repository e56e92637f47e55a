"""Print a result as a JSON document; the only module that does."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import Any

import orjson

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")


def print_json(document: Any) -> None:
    """Print one JSON document on stdout."""
    print_json_text(json_text(document, indent=True))


def json_text(document: Any, *, indent: bool = False) -> str:
    r"""Return a document as JSON text; dataclasses become objects, other values become strings.

    A string may have a lone surrogate: Python reads the bytes of a file name that are not valid in the
    encoding of file names as such. The text is then ASCII, with escapes.

    >>> json_text({"path": Path("a"), "name": "caf\udce9"})
    '{"path": "a", "name": "caf\\udce9"}'
    """
    options = orjson.OPT_PASSTHROUGH_DATACLASS | (orjson.OPT_INDENT_2 if indent else 0)
    try:
        return orjson.dumps(document, default=_plain, option=options).decode()
    except TypeError:
        return json.dumps(document, default=_plain, indent=2 if indent else None)


def print_json_text(text: str, *, end: str = "\n") -> None:
    """Print JSON text on stdout, with escapes for non-ASCII characters if the output is not in UTF-8."""
    encoding = (sys.stdout.encoding or "utf-8").lower().replace("_", "-")
    print(text if encoding in ("utf-8", "utf8") else escape_non_ascii(text), end=end)


def escape_non_ascii(text: str) -> str:
    r"""Write each non-ASCII character of JSON text as an escape; only strings have such characters.

    >>> escape_non_ascii('{"title": "ü"}')
    '{"title": "\\u00fc"}'
    """
    return _NOT_ASCII.sub(lambda match: json.dumps(match[0])[1:-1], text)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Path):
        return str(value)
    return str(value)
