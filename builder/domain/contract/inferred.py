"""Infer a contract from a sample of records: types, required members, formats."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from builder.domain.contract.instant_forms import InstantForms, read_instant
from builder.domain.contract.value_types import ValueType, common_type, type_of_value

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON: Final = ValueType(kind="json")
MAX_INT64: Final = 2**63

_URL = re.compile(r"https?://[^\s/]+", re.IGNORECASE)
_TAG = re.compile(
    r"<!doctype html|<(?:html|head|body|div|p|span|article|section|table|ul|h[1-6]|br|a)\b", re.IGNORECASE
)
_TIME_NAME = re.compile(
    r"(?:^|[_.\s-])(?:at|on|date|time|utc|ts|timestamp|datetime|created|updated|modified|fetched|crawled"
    r"|published)(?:$|[_.\s-])|[a-z](?:At|Date|Time|On)$|timestamp",
)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,15})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_BOOLEAN: Final = frozenset(("true", "false", "True", "False", "TRUE", "FALSE"))
_YEARS: Final = ("1990", "2100")
_INSPECTED_CHARS: Final = 4_000


@dataclass(slots=True)
class Observed:
    """What a sample says of one member.

    Attributes:
        kind: the common type of the values; None if all are null, ``JSON`` if they have none.
        n_values: values that are not null.
        marks: values by what they look like: ``url``, ``html``, ``instant``, ``day``, ``integer`` and so on.
    """

    kind: ValueType | None = None
    n_values: int = 0
    n_chars: int = 0
    marks: Counter[str] = field(default_factory=Counter)

    def add(self, value: Any) -> None:
        """Add a value of the sample."""
        if value is None:
            return
        self.n_values += 1
        if isinstance(value, (datetime, date)):
            self.marks["instant" if isinstance(value, datetime) else "calendar"] += 1
            value = value.isoformat()
        elif isinstance(value, str):
            self._mark(value)
        elif read_instant(value, InstantForms()) is not None:
            self.marks["instant"] += isinstance(value, dict) or _in_years(value)
        found = type_of_value(value)
        self.kind = found if self.kind is None else common_type(self.kind, found) or JSON

    def always(self, mark: str) -> bool:
        """Return whether all values look like something."""
        return self.n_values > 0 and self.marks[mark] == self.n_values

    def mostly(self, mark: str) -> bool:
        """Return whether at least half of the values look like something."""
        return self.n_values > 0 and 2 * self.marks[mark] >= self.n_values

    @property
    def mean_chars(self) -> float:
        """The mean length of the values that are strings."""
        return self.n_chars / self.n_values if self.n_values else 0.0

    def _mark(self, value: str) -> None:
        opening = value[:_INSPECTED_CHARS]
        self.n_chars += len(value)
        self.marks["url"] += bool(_URL.match(opening.strip()))
        self.marks["html"] += bool(_TAG.search(opening))
        self.marks["words"] += len(opening.split()) > 1
        self.marks["integer"] += bool(_INTEGER.fullmatch(opening)) and abs(int(opening)) < MAX_INT64
        self.marks["number"] += bool(_NUMBER.fullmatch(opening))
        self.marks["boolean"] += opening in _BOOLEAN
        if len(value) >= 8 and not _NUMBER.fullmatch(opening):
            self.marks["instant"] += read_instant(value, InstantForms()) is not None


@dataclass(slots=True)
class RecordSample:
    """A sample of records.

    Attributes:
        text_only: whether the format has no types, as in CSV, so that texts may be numbers.
        members: by name, in the order of their first occurrence.
    """

    text_only: bool = False
    n_records: int = 0
    members: dict[str, Observed] = field(default_factory=dict)

    def add(self, record: Mapping[str, Any]) -> None:
        """Add a record. In a format without types, an empty text is null."""
        self.n_records += 1
        for name, value in record.items():
            there = self.members.setdefault(name, Observed())
            there.add(None if self.text_only and value == "" else value)

    def schema_of(self, name: str) -> dict[str, Any]:
        """Return the JSON Schema of a member; it is nullable if a record of the sample has no value."""
        found = self.members[name]
        schema = _text_schema(found) if self.text_only else _schema(found.kind)
        if is_instant(name, found):
            schema = {"type": "string", "format": "date-time"}
        elif found.always("calendar"):
            schema = {"type": "string", "format": "date"}
        if found.n_values < self.n_records and isinstance(schema.get("type"), str):
            schema["type"] = [schema["type"], "null"]
        return schema

    def is_required(self, name: str) -> bool:
        """Return whether each record of the sample has a value."""
        return self.members[name].n_values == self.n_records


def is_instant(name: str, found: Observed) -> bool:
    """Return whether a member holds instants: texts in a form of instants, or numbers with a fitting name."""
    if not found.always("instant"):
        return False
    is_number = found.kind is not None and found.kind.kind in ("integer", "number")
    return not is_number or bool(_TIME_NAME.search(name))


def _in_years(value: Any) -> bool:
    read = read_instant(value, InstantForms())
    return read is not None and _YEARS[0] <= read.text[:4] <= _YEARS[1]


def _text_schema(found: Observed) -> dict[str, Any]:
    kind = next((one for one in ("integer", "number", "boolean") if found.always(one)), "string")
    return {"type": kind}


def _schema(kind: ValueType | None) -> dict[str, Any]:
    if kind is None or kind.kind in ("json", "null"):
        return {"x-arrow": "json"}
    if kind.kind == "array":
        return {"type": "array", "items": _inner(kind.item) if kind.item else {"x-arrow": "json"}}
    if kind.kind == "object":
        if not kind.members or any(not name or name.startswith("_") for name in kind.members):
            return {"x-arrow": "json"}
        return {"type": "object", "properties": {name: _inner(one) for name, one in kind.members.items()}}
    return {"type": kind.kind}


def _inner(kind: ValueType) -> dict[str, Any]:
    """Return the schema of a value inside another one, which may always be null."""
    schema = _schema(kind)
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    return schema
