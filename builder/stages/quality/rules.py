"""Read the rules of a filter, and judge_batch documents by them.

A rule states what a document must meet: ``{"words": {"min": 50}}``. A condition is one limit of it, with a
reason code of its own. A null value meets every limit, because there is nothing to judge_batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from builder.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Values = Mapping[str, pa.Array]

LIMIT_ENDS = {"min": "below", "max": "above", "in": "not_in", "not_in": "excluded"}
"""The limits of a rule, and the ends of their reason codes."""

NO_ALTERNATIVE = "no_alternative"
"""The reason of a group ``any``; the second group of a filter has ``no_alternative_2``."""

GROUPS = ("all", "any")

WHERE = "where"
"""The key of a rule with the rules that a document must meet for it to apply."""

WEIGHT = "weight"
"""The key of a rule with the number of limits that it counts for."""

RULE_SCHEMA: Mapping[str, Any] = {
    "description": "Limits of a signal or column; a list has the allowed values, null turns the rule off.",
    "additionalProperties": False,
    "properties": {
        "min": {"type": "number", "description": "Least value."},
        "max": {"type": "number", "description": "Greatest value."},
        "in": {"type": "array", "minItems": 1, "description": "Allowed values."},
        "not_in": {"type": "array", "minItems": 1, "description": "Values that are not allowed."},
        WHERE: {"type": "object", "description": "Rules of the documents to which the rule applies."},
        WEIGHT: {
            "type": "integer",
            "minimum": 1,
            "description": "How much the rule counts for `min_fired`; 1 without it.",
        },
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One limit of one signal or column.

    Attributes:
        limit: ``min``, ``max``, ``in`` or ``not_in``.
        where: what a document must meet for the condition to apply to it.
        weight: how much the condition counts.
    """

    name: str
    limit: str
    bound: Any
    where: tuple[Condition | Alternatives, ...] = ()
    weight: int = 1

    @property
    def code(self) -> str:
        """The reason code of a document that does not meet the condition."""
        return f"{self.name}_{LIMIT_ENDS[self.limit]}"

    def names(self) -> Iterator[str]:
        """Yield the signals and columns that the condition needs."""
        yield self.name
        for one in self.where:
            yield from one.names()

    def fires(self, values: Values) -> NDArray[np.bool_]:
        """Return bool[n_rows], the documents that do not meet the condition."""
        column = values[self.name]
        if pa.types.is_null(column.type):
            return np.zeros(len(column), np.bool_)
        if self.limit == "min":
            found = pc.less(column, self.bound)
        elif self.limit == "max":
            found = pc.greater(column, self.bound)
        else:
            listed = pc.is_in(column, value_set=pa.array(self.bound, column.type))
            found = pc.and_(pc.is_valid(column), pc.invert(listed) if self.limit == "in" else listed)
        fired: NDArray[np.bool_] = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
        for one in self.where:
            fired = fired & ~one.fires(values)
        return fired

    def value(self, values: Values, row: int) -> str:
        """Return the value of one document, as the ledger shows it."""
        return value_text(values[self.name][row].as_py())

    def limit_text(self) -> str:
        """Return the limit, as the ledger shows it."""
        if isinstance(self.bound, tuple):
            return ("" if self.limit == "in" else "not ") + ", ".join(map(str, self.bound))
        return f"{self.limit} {value_text(self.bound)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternatives:
    """A group ``any``: a document must meet all conditions of at least one alternative."""

    code: str
    alternatives: tuple[tuple[Condition | Alternatives, ...], ...]

    @property
    def weight(self) -> int:
        """How much the group counts."""
        return 1

    def names(self) -> Iterator[str]:
        """Yield the signals and columns that the group needs."""
        for conditions in self.alternatives:
            for condition in conditions:
                yield from condition.names()

    def fires(self, values: Values) -> NDArray[np.bool_]:
        """Return bool[n_rows], the documents that meet no alternative."""
        failed = [np.any([one.fires(values) for one in some], axis=0) for some in self.alternatives]
        fired: NDArray[np.bool_] = np.all(failed, axis=0)
        return fired

    def value(self, values: Values, row: int) -> str:
        """Return the values of one document, as the ledger shows them."""
        names = dict.fromkeys(self.names())
        return ", ".join(f"{name} {value_text(values[name][row].as_py())}" for name in names)

    def limit_text(self) -> str:
        """Return the alternatives, as the ledger shows them."""
        return " or ".join(" and ".join(map(_alternative_text, some)) for some in self.alternatives)


def _alternative_text(one: Condition | Alternatives) -> str:
    return f"{one.name} {one.limit_text()}" if isinstance(one, Condition) else f"({one.limit_text()})"


def value_text(value: Any) -> str:
    """Return a value as the ledger shows it.

    >>> value_text(0.25), value_text(3.0), value_text(None)
    ('0.25', '3', 'null')
    """
    if value is None:
        return "null"
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def read_rules(rules: Mapping[str, Any]) -> tuple[tuple[Condition | Alternatives, ...], list[Fault]]:
    """Read rules, with the groups ``all`` and ``any`` among them; return conditions in order, and faults."""
    faults: list[Fault] = []
    found = tuple(_read(rules, "", faults))
    groups = [one for one in found if isinstance(one, Alternatives)]
    named = {
        id(one): Alternatives(
            code=f"{one.code}_{number}" if number > 1 else one.code, alternatives=one.alternatives
        )
        for number, one in enumerate(groups, start=1)
    }
    return tuple(named.get(id(one), one) for one in found), faults


def _read(rules: Mapping[str, Any], place: str, faults: list[Fault]) -> Iterator[Condition | Alternatives]:
    for name, written in rules.items():
        if written is None:
            continue
        where = f"{place}.{name}" if place else name
        if name in GROUPS:
            yield from _read_group(name, written, where, faults)
        else:
            yield from _read_limits(name, written, where, faults)


def _read_group(
    name: str, written: Any, where: str, faults: list[Fault]
) -> Iterator[Condition | Alternatives]:
    if not isinstance(written, (list, tuple)) or not all(isinstance(one, Mapping) for one in written):
        advice = f"write {name}: [{{words: {{min: 50}}}}, {{sentences: {{min: 3}}}}]"
        faults.append(Fault(where=where, what="a group must be a list of rules", advice=advice))
        return
    parts = [tuple(_read(one, f"{where}[{i}]", faults)) for i, one in enumerate(written)]
    parts = [part for part in parts if part]
    if name == "all":
        for part in parts:
            yield from part
    elif parts:
        yield Alternatives(code=NO_ALTERNATIVE, alternatives=tuple(parts))


def _read_limits(name: str, written: Any, where: str, faults: list[Fault]) -> Iterator[Condition]:
    if isinstance(written, (list, tuple)):
        written = {"in": written}
    if not isinstance(written, Mapping) or not _has_limits(written):
        advice = f"write {name}: {{min: 1}}, {{max: 1}}, {{in: [a, b]}} or {{not_in: [a, b]}}"
        faults.append(Fault(where=where, what="a rule must have limits", advice=advice))
        return
    needed = written.get(WHERE) or {}
    if not isinstance(needed, Mapping):
        what, advice = "`where` must have rules", "write where: {language: [en]}"
        faults.append(Fault(where=f"{where}.{WHERE}", what=what, advice=advice))
        return
    weight = written.get(WEIGHT, 1)
    if not isinstance(weight, int) or isinstance(weight, bool) or weight < 1:
        what = f"{weight!r} is not a positive integer"
        faults.append(Fault(where=f"{where}.{WEIGHT}", what=what, advice="give a number from 1 on"))
        return
    conditions = tuple(_read(needed, f"{where}.{WHERE}", faults))
    for limit in LIMIT_ENDS:
        bound = written.get(limit)
        if bound is None:
            continue
        is_list = isinstance(bound, (list, tuple))
        is_number = isinstance(bound, (int, float)) and not isinstance(bound, bool)
        if is_list if limit in ("in", "not_in") else is_number:
            bound = tuple(bound) if is_list else bound
            yield Condition(name=name, limit=limit, bound=bound, where=conditions, weight=weight)
        else:
            kind = "a list" if limit in ("in", "not_in") else "a number"
            what = f"{bound!r} is not {kind}"
            faults.append(Fault(where=f"{where}.{limit}", what=what, advice=f"give {kind}"))


def _has_limits(written: Mapping[str, Any]) -> bool:
    return bool(set(written) & set(LIMIT_ENDS)) and set(written) <= {*LIMIT_ENDS, WHERE, WEIGHT}
