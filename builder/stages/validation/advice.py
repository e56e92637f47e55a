"""Say which option of a source would let a refused record be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from builder.domain.fault_order import pointer_of
from builder.domain.json.pointer import ANY_STEP, lists_of_records, pointer_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.domain.contract.value_forms import ValueForms
    from builder.domain.rejection import ContractFault

_SEVERAL = re.compile(rb"\}\s*(?:,\Z|,?\s*\{)")
"""A record and a comma after it, or the start of another record."""


def advice_on_faults(
    value: Any, faults: Sequence[ContractFault], *, kind: str, forms: ValueForms, is_page: bool
) -> str:
    """Return the advice for a record that the contract refuses; empty if no option helps.

    Args:
        kind: the kind of the source.
        is_page: whether the contract is ``page-1``, which needs ``text`` or ``html``.
    """
    if kind in ("json", "jsonl") and isinstance(value, list):
        return _advice_on_array(value, kind=kind, is_document=forms.is_document)
    if (kind == "jsonl" or forms.is_document) and (pointers := lists_of_records(value)):
        places = " or ".join(pointer.removesuffix("/" + ANY_STEP) for pointer in pointers)
        chosen = " or ".join(f"records: {pointer}" for pointer in pointers)
        if kind == "jsonl":
            return f"to read the records in {places}, use a json source with {chosen}"
        return f"to read the records in {places}, add {chosen} to the source"
    if forms.is_document and _is_map_of_objects(value):
        return "to read each member as a record, add records: /* to the source"
    if is_page and any(_lacks_page(value, fault) for fault in faults):
        return "if another field has the text, add rename: {FIELD: text} to the source"
    if not forms.unwrap_lists and any(_is_wrapped(value, fault) for fault in faults):
        return "to read a list of one element as that element, add unwrap_lists: true to the source"
    return ""


def advice_on_broken_json(raw: bytes | None, *, kind: str) -> str:
    """Return the advice for a line that is not JSON; empty if it looks like an object that broke off.

    >>> advice_on_broken_json(b'  "url": "a",', kind="jsonl")
    'if a record takes several lines, use a json source'
    """
    line = (raw or b"").strip()
    if kind != "jsonl":
        return ""
    if line[:1] == b"\x1e":
        return "to read records that begin with a record separator, use a json source"
    if _SEVERAL.search(line):
        return "if a line has several records, or a comma after its record, use a json source"
    is_part = line in (b"{", b"}", b"},") or line[:1] in (b'"', b"[", b"]")
    return "if a record takes several lines, use a json source" if is_part else ""


def _advice_on_array(value: list[Any], *, kind: str, is_document: bool) -> str:
    """Return how to read the elements of an array that came as a record."""
    if kind == "jsonl":
        return "to read the elements of an array as records, use a json source"
    if not is_document:
        return "to read the elements of an array as records, add /* to the end of `records`"
    levels = 1  # without `records`, the source has read the elements of the outer array
    inner: Any = value
    while isinstance(inner, list) and inner:
        inner, levels = inner[0], levels + 1
    pointer = pointer_to((ANY_STEP,) * levels)
    return f"to read the elements of an array as records, add records: {pointer} to the source"


def _is_map_of_objects(value: Any) -> bool:
    """Return whether all members of an object are objects, as in a file with a record for each URL."""
    return isinstance(value, dict) and len(value) > 1 and all(isinstance(m, dict) for m in value.values())


def _lacks_page(value: Any, fault: ContractFault) -> bool:
    """Return whether a fault is that a record has neither text nor HTML."""
    is_absent = isinstance(value, dict) and value.get("text") is None and value.get("html") is None
    return is_absent and (fault.pointer, fault.keyword) == ("", "any_of")


def _is_wrapped(value: Any, fault: ContractFault) -> bool:
    """Return whether a fault is that a member is a list of one scalar."""
    if fault.keyword != "type" or not isinstance(value, dict):
        return False
    member = next((m for name, m in value.items() if pointer_of((name,)) == fault.pointer), None)
    return isinstance(member, list) and len(member) == 1 and not isinstance(member[0], (list, dict))
