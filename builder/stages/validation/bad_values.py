"""Make bad values null: the policy ``on_bad_value: nullify``, and the columns that nothing uses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.domain.contract.contract import EXTRA
from builder.domain.contract.nulled import NULLED
from builder.domain.fault_order import pointer_of
from builder.domain.record import NOTE, RAW
from builder.domain.rejection import cut_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from builder.domain.contract.judge import Judge
    from builder.domain.rejection import ContractFault
    from builder.protocols import Resources

_SHOWN_CHARS = 80


def used_columns(batch: pa.RecordBatch, resources: Resources, renames: Mapping[str, str]) -> pa.RecordBatch:
    """Select the columns of a batch that the contract declares, a rename reads, or a stage may use.

    The other columns would go to ``extra``. If nothing uses ``extra``, they are not decoded, so a value
    without a JSON form in one of them costs nothing.
    """
    if resources.uses_extra or RAW in batch.schema.names:
        return batch
    used = {*resources.contract.columns.names, *renames, *(path.partition(".")[0] for path in renames)}
    names = [name for name in batch.schema.names if name.startswith("_") or name in used]
    return batch if len(names) == batch.num_columns else batch.select(names)


def under_new_names(
    faults: Collection[ContractFault], renames: Mapping[str, str]
) -> list[tuple[str, ContractFault]]:
    """Pair each fault of a record as it came with the members that have it after the renames.

    >>> from builder.domain.rejection import ContractFault
    >>> fault = ContractFault(pointer="/meta/date", keyword="duplicate_key", message="")
    >>> [name for name, _ in under_new_names([fault], {"meta.date": "date"})]
    ['date']
    """
    moved = [
        (pointer, name)
        for path, name in renames.items()
        for pointer in dict.fromkeys((pointer_of((path,)), pointer_of(path.split("."))))
    ]
    pairs = []
    for fault in faults:
        names = [
            name
            for pointer, name in moved
            if _is_within(fault.pointer, pointer) or _is_within(pointer, fault.pointer)
        ]
        pairs += [(name, fault) for name in names or [member_of(fault)]]
    return pairs


def member_of(fault: ContractFault) -> str:
    """Return the name of the record's member that has a fault; empty for a fault of the whole record."""
    first = fault.pointer.split("/", 2)[1] if fault.pointer else ""
    return first.replace("~1", "/").replace("~0", "~")


def _is_within(pointer: str, outer: str) -> bool:
    return pointer == outer or pointer.startswith(outer + "/")


@dataclass(slots=True, kw_only=True)
class BadValues:
    """Removes bad values from the records of one batch, and remembers which.

    Attributes:
        needed: columns whose bad values are never made null, because a stage needs them.
        counted: the columns whose nulls are counted; None means all members. Other members are left out
            without a count, because nothing uses them.
        removed: row -> member -> its first fault.
    """

    needed: frozenset[str]
    counted: frozenset[str] | None
    removed: dict[int, dict[str, ContractFault]] = field(default_factory=dict)

    @classmethod
    def of(cls, resources: Resources) -> BadValues:
        """Return the policy of a recipe, without any removed value."""
        declared = frozenset(resources.contract.columns.names) - {EXTRA}
        return cls(needed=resources.needed, counted=None if resources.uses_extra else declared)

    def repair(
        self,
        row: int,
        record: Any,
        faults: Collection[tuple[str, ContractFault]],
        *,
        verdict: Judge,
        is_json: bool,
    ) -> dict[str, Any] | None:
        """Return a record without its bad members; None if a stage or the contract needs one of them.

        Args:
            faults: the faults that are known, each with its member.
            is_json: whether the record came as JSON; if not, a null can also represent an absent member.
        """
        while type(record) is dict and (record := self._remove(row, record, faults)) is not None:
            if verdict.accepts(record):
                return record
            bare = {name: value for name, value in record.items() if value is not None}
            if not is_json and verdict.accepts(bare):
                return bare
            faults = [(member_of(fault), fault) for fault in verdict.explain(record)]
            faults = [(name, fault) for name, fault in faults if name in record]
        self.removed.pop(row, None)
        return None

    def _remove(
        self, row: int, record: dict[str, Any], faults: Collection[tuple[str, ContractFault]]
    ) -> dict[str, Any] | None:
        found: dict[str, ContractFault] = {}
        for name, fault in faults:
            if name in self.needed:
                return None
            if name:
                found.setdefault(name, fault)
        if not found:
            return None
        self.removed[row] = {**self.removed.get(row, {}), **found}
        return {name: value for name, value in record.items() if name not in found}

    def counts(self) -> Counter[str]:
        """Count the cells that were made null, by ``NULLED`` and the pointer of the column."""
        return Counter(
            NULLED + pointer_of((name,)) for faults in self.removed.values() for name in self._counted(faults)
        )

    def note(self, kept: pa.RecordBatch, rows: Sequence[int]) -> pa.RecordBatch:
        """Add a remark to each row of the kept batch that lost a value; the ledger shows it.

        Args:
            rows: the number of each row of ``kept`` in the batch that was judged.
        """
        texts = [self._text(self.removed.get(row, {})) for row in rows]
        if not any(texts):
            return kept
        at = kept.schema.get_field_index(NOTE)
        if at >= 0:
            before = kept.column(at).to_pylist()
            texts = ["; ".join(filter(None, pair)) for pair in zip(before, texts, strict=True)]
            kept = kept.remove_column(at)
        column = pa.array([text or None for text in texts], pa.string())
        return kept.add_column(max(at, 1), pa.field(NOTE, pa.string()), column)

    def _counted(self, faults: Mapping[str, ContractFault]) -> list[str]:
        return [name for name in faults if self.counted is None or name in self.counted]

    def _text(self, faults: Mapping[str, ContractFault]) -> str:
        return "; ".join(
            f"{pointer_of((name,))} was made null ({faults[name].keyword}"
            + (f": {shown})" if (shown := cut_text(faults[name].value, chars=_SHOWN_CHARS)) else ")")
            for name in self._counted(faults)
        )
