"""Print a result as a JSON document; the only module that does."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import orjson

from builder.report.printer import print_document


def print_json(document: Any) -> None:
    """Print one JSON document on stdout."""
    try:
        text = orjson.dumps(
            document, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_PASSTHROUGH_DATACLASS
        ).decode()
    except orjson.JSONEncodeError:  # the name of a file may be no text at all
        text = json.dumps(document, default=_plain, indent=2)
    print_document(f"{text}\n")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, Path):
        return str(value)
    return str(value)
