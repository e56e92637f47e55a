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
)
from builder.domain.contract.value_forms import ValueForms
from builder.domain.json import text as json_text
from builder.domain.record import PAGE_KEY, RAW, RECORD, RECORD_FIELD
from builder.domain.rejection import ContractFault, Rejection, rejection_batch
from builder.errors import Fault, RecipeError
from builder.protocols import Outcome
from builder.stages.validation.advice import advice_on_broken_json, advice_on_faults
from builder.stages.validation.bad_values import BadValues, used_columns
from builder.stages.validation.carrying import Carrier
from builder.stages.validation.judging import RowRefusal, Rules, judge_rows, tabulate_accepted
from builder.stages.validation.known_url import known_url
from builder.stages.validation.lifting import Lifted, lift, names_to_lift
from builder.stages.validation.page_keys import PAGE_KEY_FIELD, page_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from builder.protocols import Guard, Resources


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
        "wrapped_records": "The document of a `json` source is not a record, but wraps a list of records.",
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
        accepted, refused = judge_rows(used, rules=rules, lifted=lifted, bad=bad)
        _refuse(accepted, refused, carrier.arrays(list(accepted))[1])
        arrays = tabulate_accepted(accepted, refused, rules, bad)
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
            is_page = resources.contract.outgoing is not None
            advice = advice_on_faults(refusal.value, refusal.faults, kind=kind, forms=forms, is_page=is_page)
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
