"""``validate``: check raw records against the contract and convert them to typed columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from builder.domain.contract import arrow_values, canonical_record, judge
from builder.domain.contract.incoming import (
    as_it_came,
    incoming_values,
    with_null_for_nan,
    without_nulls,
)
from builder.domain.contract.mapping import shape_of
from builder.domain.contract.rename import rename_members
from builder.domain.contract.tabulate import tabulate
from builder.domain.contract.value_forms import ValueForms, reader_of
from builder.domain.json import text as json_text
from builder.domain.json.exact import Broken, Parsed
from builder.domain.json.writer import canonical_text, preview
from builder.domain.record import PAGE_KEY, RAW, RECORD, RECORD_FIELD
from builder.domain.rejection import MAX_VALUE_CHARS, ContractFault, Rejection, rejection_batch
from builder.errors import Fault, RecipeError
from builder.protocols import Outcome
from builder.stages.validation.advice import advice_on_broken_json, advice_on_faults
from builder.stages.validation.bad_values import BadValues, member_of, under_new_names, used_columns
from builder.stages.validation.carrying import Carrier
from builder.stages.validation.known_url import known_url
from builder.stages.validation.lifting import Lifted, lift, names_to_lift

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.domain.contract.contract import Contract
    from builder.domain.contract.value_forms import Read
    from builder.protocols import Columns, Guard, Resources

PAGE_KEY_TYPE = pa.binary(16)
PAGE_KEY_FIELD = pa.field(PAGE_KEY, PAGE_KEY_TYPE, nullable=False)


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
class Validate:
    """Check each record against the contract and convert it to typed columns.

    It is the first stage of every chain, even if the recipe does not list it, because sources return raw
    records. A record that cannot be parsed (broken JSON, NaN, nesting deeper than 1,024 levels) is
    ``failed``, and its stage is the kind of its source. A record that does not meet the contract, or that the
    columns cannot store without a change, is ``rejected`` with all its faults; the audit keeps the raw
    record. If the contract is open, members that it does not declare go to the column ``extra`` as JSON text.

    Before a record is refused, its values are read again as the contract asks: instants in the forms that
    scrapers write, HTTP headers as a list of pairs, lists of one element (source option ``unwrap_lists``)
    and, in CSV, numbers, booleans, arrays and objects. The counts ``instants_read``, ``pairs_read``,
    ``unwrapped``, ``values_read`` and ``json_read`` report what was read. ``instants_local`` counts instants
    without a zone, ``instants_day`` those without a time, ``instants_epoch_s``, ``_ms``, ``_us`` and ``_ns``
    the numbers by their unit, ``instants_cut`` those with digits below a microsecond.
    """

    name: ClassVar[str] = "validate"
    untrusted: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ()
    rules: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ("jsonschema-rs",)
    reasons: ClassVar[Mapping[str, str]] = {
        **judge.REASONS,
        **canonical_record.REASONS,
        **json_text.REASONS,
        **arrow_values.REASONS,
        "rename_conflict": "The `rename` option of the source would overwrite another member of the record.",
    }

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:
        """Return the contract's columns and the internal columns of the build."""
        columns = resources.contract.columns
        if "id" in columns.names:
            what = f"{resources.contract} has a column 'id', which is reserved for the document id"
            advice = "it describes published rows: use page-1, or a contract of your own without 'id'"
            raise RecipeError(Fault(where="contract", what=what, advice=advice))
        build = [f for f in schema if f.name.startswith("_") and f.name not in (RAW, RECORD, PAGE_KEY)]
        carried = [column.field for column in resources.carried]
        return pa.schema([RECORD_FIELD, *build, *columns, *carried, PAGE_KEY_FIELD])

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Split the records of one source into those that are now columns and those that are refused."""
        columns = resources.contract.columns
        source = batch.column(RECORD)[0]["source"].as_py() if batch.num_rows else ""
        renames = resources.renames.get(source, {})
        carrier = Carrier(batch, resources.carried, renames)
        rules = Rules.of(resources, source, carrier)
        used = used_columns(carrier.rest, resources, renames)
        lifted = _lift(used, resources, source)
        bad = BadValues.of(resources) if resources.nullifies else None
        accepted, refused = _judge_rows(used, rules=rules, lifted=lifted, bad=bad)
        _refuse(accepted, refused, carrier.arrays(list(accepted))[1])
        arrays = _tabulate(accepted, refused, rules, bad)
        if lifted:
            kept_rows = list(accepted)
            arrays = [lifted.fill(f.name, kept_rows, a) for f, a in zip(columns, arrays, strict=True)]
        keys = page_keys(arrays, list(accepted.values()), columns, resources.columns)
        carried, _ = carrier.arrays(list(accepted))
        schema = pa.schema([*columns, *(column.field for column in resources.carried)])
        kept = _assemble(batch, list(accepted), [*arrays, *carried], keys, schema)
        rejected = rejection_batch(_rejections(batch, refused, resources, source))
        counts = Counter(rules.notes)
        if bad and bad.removed:
            kept = bad.note(kept, list(accepted))
            counts.update(bad.counts())
        return Outcome(kept=kept, rejected=rejected, counts=dict(counts))


def _refuse(
    accepted: dict[int, dict[str, Any]],
    refused: dict[int, RowRefusal],
    faults: Mapping[int, tuple[ContractFault, ...]],
) -> None:
    """Refuse accepted rows with faults, given by their position among the accepted rows."""
    rows = list(accepted)
    for i, found in faults.items():
        value = accepted.pop(rows[i])
        refused[rows[i]] = RowRefusal(reason=found[0].keyword, faults=found, value=value)


def _lift(batch: pa.RecordBatch, resources: Resources, source: str) -> Lifted | None:
    """Take the long texts out of a batch, unless the source renames members."""
    if resources.renames.get(source):
        return None
    return lift(batch, names_to_lift(resources.contract, resources.columns))


def page_keys(
    arrays: Sequence[pa.Array], records: Sequence[dict[str, Any]], columns: pa.Schema, roles: Columns
) -> pa.Array:
    """Digest the content of each page: its HTML, else its text, else the canonical JSON of the record."""
    from blake3 import blake3

    keys: list[bytes | None] = [None] * len(records)
    for role in (roles.html, roles.text):
        if role in columns.names and columns.field(role).type == pa.string():
            _digest_column(arrays[columns.names.index(role)], keys)
    for row, key in enumerate(keys):
        if key is None:
            keys[row] = blake3(canonical_text(records[row]).encode()).digest(length=PAGE_KEY_TYPE.byte_width)
    return pa.array(keys, PAGE_KEY_TYPE)


def _digest_column(array: pa.StringArray, keys: list[bytes | None]) -> None:
    """Fill in missing keys from the bytes of a column, where the column is not null."""
    from blake3 import blake3

    _, offset_buffer, data_buffer = array.buffers()
    data = memoryview(data_buffer or b"")
    offsets = np.frombuffer(offset_buffer, np.int32)[array.offset :].tolist() if len(array) else []
    for row, valid in enumerate(array.is_valid().to_pylist()):
        if valid and keys[row] is None:
            content = data[offsets[row] : offsets[row + 1]]
            keys[row] = blake3(content).digest(length=PAGE_KEY_TYPE.byte_width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the records of one source are judged by; ``notes`` counts the values that were read again."""

    contract: Contract
    verdict: judge.Judge
    renames: Mapping[str, str]
    read: Read | None
    reads_first: bool
    carrier: Carrier
    notes: Counter[str]

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


def _judge_rows(
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
    return _explain(value, rules.verdict) if accepted is None else accepted


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


def _tabulate(
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


def _assemble(
    batch: pa.RecordBatch, rows: list[int], arrays: list[pa.Array], keys: pa.Array, columns: pa.Schema
) -> pa.RecordBatch:
    """Combine the internal columns of ``rows`` with the columns of the contract."""
    build = [f for f in batch.schema if f.name.startswith("_") and f.name not in (RAW, PAGE_KEY)]
    at = pa.array(np.asarray(rows, np.int64))
    whole = len(rows) == batch.num_rows
    taken = [batch.column(f.name) if whole else batch.column(f.name).take(at) for f in build]
    schema = pa.schema([*build, *columns, PAGE_KEY_FIELD])
    return pa.RecordBatch.from_arrays([*taken, *arrays, keys], schema=schema)


def _rejections(
    batch: pa.RecordBatch, refused: Mapping[int, RowRefusal], resources: Resources, source: str
) -> Iterator[Rejection]:
    url_column = resources.columns.url
    kind, forms = resources.kinds.get(source, source), resources.forms.get(source, ValueForms())
    for row in sorted(refused):
        refusal = refused[row]
        first = refusal.faults[0] if refusal.faults else None
        url = refusal.value.get(url_column) if isinstance(refusal.value, dict) else None
        if url is None and url_column is not None:
            url = known_url(batch, row, url_column, resources.renames.get(source, {}))
        raw = as_it_came(batch, row)
        if refusal.failed:
            advice = advice_on_broken_json(raw, kind=kind)
        else:
            advice = advice_on_faults(refusal.value, refusal.faults, kind=kind, forms=forms)
        message = first.message if first else refusal.message
        yield Rejection(
            record=batch.column(RECORD)[row].as_py(),
            outcome="failed" if refusal.failed else "rejected",
            stage=kind if refusal.failed else Validate.name,
            reason=refusal.reason,
            url=url if isinstance(url, str) else None,
            pointer=first.pointer if first else None,
            value=first.value if first else None,
            limit=first.limit if first else None,
            message="; ".join(filter(None, (message, advice))) or None,
            faults=refusal.faults,
            raw=raw,
        )
