"""Say which option of a source would let a refused record be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.domain.fault_order import pointer_of
from builder.domain.json.pointer import list_of_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.domain.contract.value_forms import ValueForms
    from builder.domain.rejection import ContractFault


def advice_on_faults(
    value: Any, faults: Sequence[ContractFault], *, kind: str, forms: ValueForms, is_page: bool
) -> str:
    """Return the advice for a record that the contract refuses; empty if no option helps.

    Args:
        kind: the kind of the source.
        is_page: whether the contract is ``page-1``, which needs ``text`` or ``html``.
    """
    if (kind == "jsonl" or forms.is_document) and (pointer := list_of_records(value)):
        if kind == "jsonl":
            return f"to read the records in {pointer[:-2]}, use a json source with records: {pointer}"
        return f"to read the records in {pointer[:-2]}, add records: {pointer} to the source"
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
    is_part = line in (b"{", b"}", b"},") or line[:1] in (b'"', b"[", b"]", b"\x1e")
    return "if a record takes several lines, use a json source" if kind == "jsonl" and is_part else ""


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
