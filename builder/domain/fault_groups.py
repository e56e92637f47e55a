"""Group the contract faults of many records by stage, rule and pointer, with one example each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from builder.domain.rejection import ContractFault

MAX_POINTERS = 5
"""Places that differ only in numbers and are listed one by one. More of them become one place with ``*``."""

MAX_GROUPS = 10_000
"""Groups that are counted; the keys of objects can make any number of places."""

_NUMBERS = re.compile(r"(?<=/)[0-9]+(?=/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultGroup:
    """The records that break one rule at one place.

    A record with several faults is in several groups, and in each group once.

    Attributes:
        rule: the reason code: the schema keyword in lower_snake_case.
        pointer: the place in the record; ``*`` represents any number, such as the number of an item.
        limit: the limit that the example breaks, such as the missing property.
        example: the value in the first record, as JSON; None if a value is missing.
        record_id: the first record.
    """

    stage: str
    rule: str
    pointer: str
    count: int
    limit: str | None = None
    example: str | None = None
    record_id: str = ""

    def document(self) -> dict[str, Any]:
        """Return the group as ``--json`` prints it."""
        return {name: getattr(self, name) for name in self.__slots__}


class _Place(NamedTuple):
    """Stage, rule, pointer with ``*`` for numbers, and the missing property of the rule ``required``."""

    stage: str
    rule: str
    pattern: str
    missing: str | None


_Example: TypeAlias = "tuple[str | None, str | None, str]"
"""Limit, value and record id."""


@dataclass(slots=True)
class _Counted:
    """The records of one place.

    Attributes:
        pointers: number of records and first example, by exact pointer; None if there are many pointers.
    """

    example: _Example
    n_records: int = 0
    pointers: dict[str, tuple[int, _Example]] | None = field(default_factory=dict)

    def add(self, pointer: str, n_records: int, example: _Example) -> None:
        if self.pointers is None:
            return
        before, first = self.pointers.get(pointer, (0, example))
        self.pointers[pointer] = before + n_records, first
        if len(self.pointers) > MAX_POINTERS:
            self.pointers = None


class FaultTally:
    """Counts the faults of records; tallies of several parts are added in the order of the input."""

    def __init__(self) -> None:
        self._counted: dict[_Place, _Counted] = {}

    def add(self, record_id: str, stage: str, faults: Iterable[ContractFault]) -> None:
        """Count one record."""
        self._add(record_id, stage, [(f.keyword, f.pointer, f.limit, f.value) for f in faults])

    def add_rejections(self, rejected: pa.RecordBatch) -> None:
        """Count the records of a batch of rejections that have faults."""
        rejected = rejected.filter(pc.greater(pc.fill_null(pc.list_value_length(rejected["faults"]), 0), 0))
        ids = pc.struct_field(rejected[RECORD], "id").to_pylist()
        stages = rejected["stage"].to_pylist()
        starts = rejected["faults"].offsets.to_pylist()
        names = ("keyword", "pointer", "limit", "value")
        columns = [pc.struct_field(rejected["faults"].values, name).to_pylist() for name in names]
        faults = [*zip(*columns, strict=True)]
        for row, (record_id, stage) in enumerate(zip(ids, stages, strict=True)):
            self._add(record_id, stage, faults[starts[row] : starts[row + 1]])

    def merge(self, other: FaultTally) -> None:
        """Add the counts of records that come after the counted ones."""
        for place, theirs in other._counted.items():
            if (counted := self._at(place, theirs.example)) is None:
                continue
            counted.n_records += theirs.n_records
            for pointer, (n_records, example) in (theirs.pointers or {}).items():
                counted.add(pointer, n_records, example)
            if theirs.pointers is None:
                counted.pointers = None

    def groups(self) -> list[FaultGroup]:
        """List the groups: most records first, then by stage, pointer and rule."""
        found = []
        for place, counted in self._counted.items():
            pointers = counted.pointers
            if pointers is None:
                pointers = {place.pattern: (counted.n_records, counted.example)}
            found += [_group(place, pointer, *counts) for pointer, counts in pointers.items()]
        return sorted(found, key=lambda one: (-one.count, one.stage, one.pointer, one.rule, one.limit or ""))

    def _add(
        self, record_id: str, stage: str, faults: Iterable[tuple[str, str, str | None, str | None]]
    ) -> None:
        """Count a record once at each place, and once at each pointer."""
        places: set[_Place] = set()
        pointers: set[tuple[_Place, str]] = set()
        for rule, pointer, limit, value in faults:
            place = _Place(stage, rule, _pattern(pointer), limit if rule == "required" else None)
            counted = self._at(place, (limit, value, record_id))
            if counted is None or (place, pointer) in pointers:
                continue
            counted.n_records += place not in places
            counted.add(pointer, 1, (limit, value, record_id))
            places.add(place)
            pointers.add((place, pointer))

    def _at(self, place: _Place, example: _Example) -> _Counted | None:
        counted = self._counted.get(place)
        if counted is None and len(self._counted) < MAX_GROUPS:
            counted = self._counted[place] = _Counted(example)
        return counted


@lru_cache(maxsize=1 << 16)
def _pattern(pointer: str) -> str:
    return _NUMBERS.sub("*", pointer)


def _group(place: _Place, pointer: str, count: int, example: _Example) -> FaultGroup:
    limit, value, record_id = example
    return FaultGroup(
        stage=place.stage,
        rule=place.rule,
        pointer=pointer,
        count=count,
        limit=limit,
        example=value,
        record_id=record_id,
    )
