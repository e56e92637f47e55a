"""Read values as the contract asks, where a source writes them in another form.

A record that meets its contract is not changed. Only what the contract refuses is read again: instants in the
forms that scrapers write, HTTP headers as a list of pairs, lists of one element (by option) and, in tables of
text, numbers, booleans, arrays and objects.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from builder.domain.contract.instant_forms import InstantForms, read_instant
from builder.domain.contract.mapping import shape_of
from builder.domain.json.exact import Broken, exact_number
from builder.domain.json.text import parse

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from typing import TypeAlias

    from builder.domain.contract.contract import Contract
    from builder.domain.contract.shape import Shape

    Notes: TypeAlias = Counter[str]
    Read: TypeAlias = Callable[[Any, Notes], Any]

_INTEGER = re.compile(r"[+-]?[0-9]{1,4300}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_BOOLEANS = {"true": True, "t": True, "yes": True, "y": True, "1": True}
_BOOLEANS |= {"false": False, "f": False, "no": False, "n": False, "0": False}
_PAIR = (("name", "value"), ("key", "value"))
_MAX_NUMBER_CHARS = 400
_GONE = object()
_IN_UTC = InstantForms()


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueForms:
    """How a source writes values.

    Attributes:
        instants: the zone of instants without one, and the unit of numeric instants.
        unwrap_lists: whether a list of one element is read as that element, where the contract has no list.
        is_text: whether all values are strings, as in CSV.
        is_document: whether a record is a whole document of JSON, which may wrap the list of records.
    """

    instants: InstantForms = _IN_UTC
    unwrap_lists: bool = False
    is_text: bool = False
    is_document: bool = False


@lru_cache(maxsize=64)
def reader_of(contract: Contract, forms: ValueForms) -> Read | None:
    """Return the function that reads the values of a record again; None if no member has another form.

    It takes a record and a counter of what it did, and returns a changed copy, or the record itself.
    """
    return _object_reader(shape_of(contract), forms)


def _object_reader(shape: Shape, forms: ValueForms) -> Read | None:
    members = {name: _member_reader(part, forms) for name, part in shape.properties.items()}
    readers = [(name, read, shape.properties[name].nullable) for name, read in members.items() if read]
    if not readers:
        return None

    def read_record(record: Any, notes: Notes) -> Any:
        if not isinstance(record, dict):
            return record
        changed = record
        for name, read, is_nullable in readers:
            if (value := record.get(name)) is None or (new := read(value, notes)) is value:
                continue
            changed = dict(record) if changed is record else changed
            if new is _GONE and not is_nullable:
                del changed[name]
            else:
                changed[name] = None if new is _GONE else new
        return changed

    return read_record


def _member_reader(shape: Shape, forms: ValueForms) -> Read | None:
    types = shape.types - {"null"}
    read = _plain_reader(shape, forms)
    if not forms.unwrap_lists or "array" in types or not types:
        return read

    def unwrap(value: Any, notes: Notes) -> Any:
        if not isinstance(value, list) or len(value) > 1 or (value and isinstance(value[0], list)):
            return value if read is None else read(value, notes)
        notes["unwrapped"] += 1
        if not value or value[0] is None:
            return _GONE
        return value[0] if read is None else read(value[0], notes)

    return unwrap


def _plain_reader(shape: Shape, forms: ValueForms) -> Read | None:
    types = shape.types - {"null"}
    if types == {"string"}:
        return _instant_reader(forms) if shape.format == "date-time" else None
    if types == {"object"}:
        return _nested(_object_reader(shape, forms), forms)
    if types == {"array"}:
        item = _member_reader(shape.items, forms) if shape.items else None
        return _nested(_items_reader(item) if item else None, forms, is_list=True)
    if not forms.is_text:
        return None
    if types == {"boolean"}:
        return _boolean
    return _number if types and types <= {"integer", "number"} else None


def _instant_reader(forms: ValueForms) -> Read:
    def read(value: Any, notes: Notes) -> Any:
        if isinstance(value, str) and not value.strip():
            return _GONE
        found = read_instant(value, forms.instants)
        if found is None:
            return value
        notes["instants_read"] += 1
        notes.update(f"instants_{note}" for note in found.notes)
        return found.text

    return read


def _items_reader(read: Read) -> Read:
    def read_items(value: Any, notes: Notes) -> Any:
        if not isinstance(value, list):
            return value
        items = [item if item is None else read(item, notes) for item in value]
        if all(new is old for new, old in zip(items, value, strict=True)):
            return value
        return [None if item is _GONE else item for item in items]

    return read_items


def _nested(read: Read | None, forms: ValueForms, *, is_list: bool = False) -> Read:
    """Read an object from a list of pairs or, like an array, from JSON text; then read what is in it."""

    def read_nested(value: Any, notes: Notes) -> Any:
        if forms.is_text and isinstance(value, str):
            value = _json(value, notes)
        if not is_list and isinstance(value, list) and (pairs := _pairs(value)) is not None:
            notes["pairs_read"] += 1
            value = pairs
        return value if read is None else read(value, notes)

    return read_nested


def _pairs(items: list[Any]) -> dict[str, Any] | None:
    """Convert a list of pairs to an object; the values of a repeated name are joined by a comma, as in HTTP.

    >>> _pairs([["Server", "a"], {"name": "Vary", "value": "b"}, ["Vary", "c"]])
    {'Server': 'a', 'Vary': 'b, c'}
    """
    members: dict[str, Any] = {}
    for item in items:
        name, value = _pair(item)
        if not isinstance(name, str):
            return None
        if name in members:
            if not (isinstance(value, str) and isinstance(members[name], str)):
                return None
            value = f"{members[name]}, {value}"
        members[name] = value
    return members


def _pair(item: Any) -> tuple[Any, Any]:
    if isinstance(item, list) and len(item) == 2:
        return item[0], item[1]
    if isinstance(item, dict) and len(item) == 2:
        for name, value in _PAIR:
            if name in item and value in item:
                return item[name], item[value]
    return None, None


def _json(text: str, notes: Notes) -> Any:
    if not text.strip():
        return _GONE
    if text.lstrip()[:1] not in ("{", "["):
        return text
    parsed = parse(text.encode("utf-8", "surrogatepass"))
    if isinstance(parsed, Broken) or parsed.faults:
        return text
    notes["json_read"] += 1
    return parsed.value


def _boolean(value: Any, notes: Notes) -> Any:
    return _from_text(value, notes, lambda text: _BOOLEANS.get(text.lower()))


def _number(value: Any, notes: Notes) -> Any:
    return _from_text(value, notes, _number_of)


def _number_of(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if not _NUMBER.fullmatch(text) or len(text) > _MAX_NUMBER_CHARS:
        return None
    sign = "-" if text.startswith("-") else ""
    mantissa, mark, exponent = text.lstrip("+-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    return exact_number(f"{sign}{whole.lstrip('0') or '0'}.{fraction or '0'}{mark}{exponent}")


def _from_text(value: Any, notes: Notes, read: Callable[[str], Any]) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text:
        return _GONE
    if (found := read(text)) is None:
        return value
    notes["values_read"] += 1
    return found
