"""Judge the records of a batch: read their values, check them against the contract, and tabulate them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from builder.domain.contract import judge
from builder.domain.contract.incoming import (
    incoming_values,
    with_null_for_nan,
    without_nulls,
)
from builder.domain.contract.mapping import shape_of
from builder.domain.contract.rename import rename_members
from builder.domain.contract.tabulate import tabulate
from builder.domain.contract.value_forms import ValueForms, reader_of
from builder.domain.json.exact import Broken, Parsed
from builder.domain.json.pointer import lists_of_records
from builder.domain.json.writer import preview
from builder.domain.record import RAW
from builder.domain.rejection import MAX_VALUE_CHARS, ContractFault
from builder.stages.validation.bad_values import BadValues, member_of, under_new_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from builder.domain.contract.contract import Contract
    from builder.domain.contract.value_forms import Read
    from builder.protocols import Resources
    from builder.stages.validation.carrying import Carrier
    from builder.stages.validation.lifting import Lifted


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRefusal:
    """The reason why one row leaves the chain, from which a rejection is created.

    ``may_be_null`` is true if the contract refused the record. The row is then checked again without its
    nulls, because a null in a column can also represent an absent member. ``cells`` are the faults of the
    cells that cannot be read; ``value`` is then the rest of the row.
    """

    reason: str
    failed: bool = False
    faults: tuple[ContractFault, ...] = ()
    message: str | None = None
    value: Any = None
    cells: tuple[ContractFault, ...] = ()
    may_be_null: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the records of one source are judged by.

    Attributes:
        notes: counts the values that were read again.
        declared: the members that the contract declares, if a record may wrap the list of records; else None.
    """

    contract: Contract
    verdict: judge.Judge
    renames: Mapping[str, str]
    read: Read | None
    reads_first: bool
    carrier: Carrier
    notes: Counter[str]
    declared: frozenset[str] | None

    @classmethod
    def of(cls, resources: Resources, source: str, carrier: Carrier) -> Rules:
        """Collect the rules for a source."""
        forms = resources.forms.get(source, ValueForms())
        return cls(
            contract=resources.contract,
            verdict=judge.judge_of(resources.contract),
            renames=resources.renames.get(source, {}),
            read=reader_of(resources.contract, forms),
            reads_first=forms.is_text,
            carrier=carrier,
            notes=Counter(),
            declared=frozenset(shape_of(resources.contract).properties) if forms.is_document else None,
        )

    def accepted(self, value: Any) -> tuple[dict[str, Any] | None, Any]:
        """Return the record if the contract accepts it, else None; and its values as they were read again."""
        if type(value) is not dict:
            return None, value
        if not self.reads_first and self.verdict.accepts(value):
            return value, value
        notes: Counter[str] = Counter()
        changed = value if self.read is None else self.read(value, notes)
        if (self.reads_first or changed is not value) and self.verdict.accepts(changed):
            self.notes.update(notes)
            return changed, changed
        return None, changed


def judge_rows(
    batch: pa.RecordBatch, *, rules: Rules, lifted: Lifted | None, bad: BadValues | None
) -> tuple[dict[int, dict[str, Any]], dict[int, RowRefusal]]:
    """Return the renamed records that meet the contract, by row, and the refusals of the other rows."""
    accepted: dict[int, dict[str, Any]] = {}
    refused: dict[int, RowRefusal] = {}
    shape = shape_of(rules.contract)
    incoming = lifted.values(shape) if lifted else incoming_values(batch, shape)
    for row, one in enumerate(incoming):
        judged = _judge(one, rules, row)
        if isinstance(judged, RowRefusal) and lifted and (whole := lifted.put_back(row, shape)) is not None:
            judged = _judge(whole, rules, row)
        if isinstance(judged, RowRefusal) and judged.may_be_null:
            judged = _without_nulls(batch, row, rules) or judged
        if isinstance(judged, RowRefusal) and bad:
            judged = _without_bad_values(batch, row, judged, rules, bad) or judged
        if isinstance(judged, RowRefusal):
            refused[row] = judged
        else:
            accepted[row] = judged
    return accepted, refused


def _judge(incoming: Parsed | Broken, rules: Rules, row: int) -> dict[str, Any] | RowRefusal:
    """Return the renamed record if it meets the contract, else the refusal."""
    if isinstance(incoming, Broken):
        return RowRefusal(
            reason=incoming.reason,
            failed=True,
            message=incoming.message,
            value=incoming.rest,
            cells=incoming.cells,
        )
    value, faults = incoming.value, incoming.faults
    if faults:
        return RowRefusal(reason=faults[0].keyword, faults=faults, value=value)
    if rules.renames and type(value) is dict:
        value, taken = rename_members(value, rules.renames)
        if taken is not None:
            message = f"the record already has a member {taken!r}: rename it too, or remove this rename"
            return RowRefusal(reason="rename_conflict", message=message, value=value)
    if type(value) is dict:
        value = rules.carrier.take(row, value)
    accepted, value = rules.accepted(value)
    if accepted is None:
        return _explain(value, rules.verdict)
    return _wrapper(accepted, rules) or accepted


def _wrapper(record: dict[str, Any], rules: Rules) -> RowRefusal | None:
    """Refuse an object that the contract accepts because it has none of the declared members, but a list.

    A contract without required members would accept the document that wraps the records as one record.
    """
    if rules.declared is None or not rules.declared.isdisjoint(record) or not lists_of_records(record):
        return None
    message = "the record has no member of the contract, only a list of objects"
    return RowRefusal(reason="wrapped_records", message=message, value=record)


def _without_nulls(batch: pa.RecordBatch, row: int, rules: Rules) -> dict[str, Any] | None:
    """Treat the nulls of a row as absent members; return None if the contract refuses that record too."""
    record = without_nulls(batch, row)
    if record is None:
        return None
    renamed, taken = rename_members(record, rules.renames)
    return rules.accepted(renamed)[0] if taken is None else None


def _without_bad_values(
    batch: pa.RecordBatch, row: int, refusal: RowRefusal, rules: Rules, bad: BadValues
) -> dict[str, Any] | None:
    """Return a refused row without its bad values; None if the contract or a stage needs one of them."""
    value, faults = refusal.value, refusal.cells or refusal.faults
    if refusal.reason == "not_a_number" and not faults:
        parsed = with_null_for_nan(batch, row)
        value, faults = (parsed.value, parsed.faults) if isinstance(parsed, Parsed) else (None, ())
    named = [(member_of(fault), fault) for fault in faults]
    notes: Counter[str] = Counter()
    if not refusal.may_be_null and type(value) is dict:  # value and faults are as they came
        named = under_new_names(faults, rules.renames)
        value, taken = rename_members(value, rules.renames)
        named = named if taken is None else []
        value = rules.carrier.take(row, value)
        value = value if rules.read is None else rules.read(value, notes)
    is_json = RAW in batch.schema.names
    repaired = bad.repair(row, value, named, verdict=rules.verdict, is_json=is_json)
    if repaired is not None:
        rules.notes.update(notes)
    return repaired


def tabulate_accepted(
    accepted: dict[int, dict[str, Any]],
    refused: dict[int, RowRefusal],
    rules: Rules,
    bad: BadValues | None,
) -> list[pa.Array]:
    """Convert the accepted records to columns; move those without a canonical form to ``refused``.

    An instant with digits below a microsecond is read again without them.
    """
    columns = rules.contract.columns
    arrays, faults = tabulate(list(accepted.values()), columns)
    if _read_instants_again(accepted, faults, rules):
        arrays, faults = tabulate(list(accepted.values()), columns)
    rows, is_complete = list(accepted), True
    for i, found in faults.items():
        row, value = rows[i], accepted[rows[i]]
        named = [(member_of(fault), fault) for fault in found]
        rest = bad.repair(row, value, named, verdict=rules.verdict, is_json=True) if bad else None
        if rest is not None:
            accepted[row], is_complete = rest, False
            continue
        refused[row] = RowRefusal(reason=found[0].keyword, faults=found, value=accepted.pop(row))
    return arrays if is_complete else tabulate(list(accepted.values()), columns)[0]


def _read_instants_again(
    accepted: dict[int, dict[str, Any]], faults: Mapping[int, tuple[ContractFault, ...]], rules: Rules
) -> bool:
    """Read pages again whose instants have too many digits; return whether one has changed."""
    rows = list(accepted)
    has_changed = False
    if (
        rules.contract.outgoing is None
    ):  # for a contract of the user's own, what has no exact form is rejected
        return False
    for i, found in faults.items():
        if rules.read is not None and any(fault.keyword == "instant_range" for fault in found):
            before = accepted[rows[i]]
            accepted[rows[i]] = rules.read(before, rules.notes)
            has_changed |= accepted[rows[i]] is not before
    return has_changed


def _explain(value: Any, verdict: judge.Judge) -> RowRefusal:
    faults = verdict.explain(value)
    if not faults:
        shown = preview(value, chars=MAX_VALUE_CHARS + 1)
        message = "a record must be an object"
        faults = (ContractFault(pointer="", keyword="type", value=shown, limit="object", message=message),)
    return RowRefusal(reason=faults[0].keyword, faults=faults, value=value, may_be_null=True)
