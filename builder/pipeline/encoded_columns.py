"""Decode HTML and text that came as bytes in a table, or as base64 in any record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RAW, RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.errors import Fault, RecipeError
from builder.io.reading.page_bytes import decode_base64_page, decode_page
from builder.protocols import Outcome
from builder.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from builder.io.reading.page_bytes import DecodedPage
    from builder.protocols import Guard, Reading, Resources, Source

_CONTENT_TYPE = "content_type"
_UTC = "UTC"
REPLACED = "replaced_chars"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base64Columns:
    """The stage after ``validate`` that decodes base64; the ledger names the source as the stage.

    Attributes:
        names: the columns of each source that has the option ``base64``, by the name of the source.
    """

    name: ClassVar[str] = "base64"
    untrusted: ClassVar[bool] = False
    names: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, sources: Sequence[Source]) -> Base64Columns | None:
        """Return the stage for all sources; None if no source has the option."""
        names = {source.label: tuple(found) for source in sources if (found := getattr(source, "base64", ()))}
        return cls(names=names) if names else None

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:  # noqa: ARG002
        """Check that the columns exist, and are text.

        Raises:
            RecipeError: if one does not exist or has another type.
        """
        faults = []
        for source, names in self.names.items():
            for name in names:
                if name not in schema.names:
                    what = f"the contract has no column {name!r}, which the option base64 names"
                    faults.append(
                        Fault(where=f"sources: {source}", what=what, advice=nearest(name, schema.names))
                    )
                elif schema.field(name).type != pa.string():
                    what = f"the column {name!r} is not text, so it cannot be base64"
                    advice = "declare it with `type: string` in the contract, or remove it from base64"
                    faults.append(Fault(where=f"sources: {source}", what=what, advice=advice))
        if faults:
            raise RecipeError(*faults)
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Decode the columns of a batch of one source, and refuse the rows whose value is not base64."""
        source = batch.column(RECORD)[0]["source"].as_py() if batch.num_rows else ""
        columns = self.names.get(source, ())
        return _decode(batch, columns, source, resources, decode=decode_base64_page)


def with_decoded_bytes(reading: Reading, source: Source, resources: Resources) -> Reading:
    """Decode the columns of bytes that the contract declares as text, before the contract judges them."""
    batch = reading.batch
    if RAW in batch.schema.names or not batch.num_rows:
        return reading
    renames: Mapping[str, str] = getattr(source, "rename", {})
    declared = resources.contract.columns
    columns = [
        field.name
        for field in batch.schema
        if _is_bytes(field.type)
        and (name := renames.get(field.name, field.name)) in declared.names
        and declared.field(name).type == pa.string()
        and not declared.field(name).metadata
    ]
    if not columns:
        return reading
    outcome = _decode(batch, columns, source.label, resources, decode=decode_page, renames=renames)
    rejected = [one for one in (reading.rejected, outcome.rejected) if one.num_rows]
    counts = dict(reading.counts)
    for name, n in outcome.counts.items():
        counts[name] = counts.get(name, 0) + n
    return replace(
        reading,
        batch=outcome.kept,
        rejected=pa.concat_batches(rejected) if rejected else reading.rejected,
        counts=counts,
    )


def with_time_zone(reading: Reading, source: Source, columns: pa.Schema) -> Reading:
    """Read timestamps without a zone, in columns that the contract declares, in the zone of the source.

    A time that the clocks of a zone have twice is the earlier one; one that they skip is the time after.
    """
    zone, batch = getattr(source, "timezone", _UTC), reading.batch
    if zone.upper() == _UTC or RAW in batch.schema.names:
        return reading
    renames: Mapping[str, str] = getattr(source, "rename", {})
    for at, field in enumerate(batch.schema):
        if not pa.types.is_timestamp(field.type) or field.type.tz is not None:
            continue
        name = renames.get(field.name, field.name)
        if name in columns.names and pa.types.is_timestamp(columns.field(name).type):
            zoned = pc.assume_timezone(batch.column(at), zone, ambiguous="earliest", nonexistent="latest")
            batch = batch.set_column(at, field.name, zoned)
    return replace(reading, batch=batch)


def _decode(
    batch: pa.RecordBatch,
    columns: Sequence[str],
    source: str,
    resources: Resources,
    *,
    decode: Callable[..., DecodedPage],
    renames: Mapping[str, str] | None = None,
) -> Outcome:
    refused: dict[int, DecodedPage] = {}
    n_replaced = 0
    types = _content_types(batch)
    for name in columns:
        is_html = (renames or {}).get(name, name) == resources.columns.html
        texts: list[str | None] = []
        for row, value in enumerate(batch.column(name)):
            if (raw := value.as_py()) is None:
                texts.append(None)
                continue
            page = decode(raw, content_type=types[row], is_html=is_html)
            texts.append(page.text)
            n_replaced += page.n_replaced
            if page.reason is not None:
                refused.setdefault(row, page)
        batch = batch.set_column(batch.schema.names.index(name), name, pa.array(texts, pa.string()))
    kept = [row not in refused for row in range(batch.num_rows)]
    return Outcome(
        kept=batch.filter(pa.array(kept, pa.bool_())) if refused else batch,
        rejected=rejection_batch(
            Rejection(
                record=batch.column(RECORD)[row].as_py(),
                stage=resources.kinds.get(source, source),
                reason=page.reason or "",
                url=_url(batch, row, resources),
                value=page.value,
            )
            for row, page in sorted(refused.items())
        ),
        counts={REPLACED: n_replaced} if n_replaced else {},
    )


def _content_types(batch: pa.RecordBatch) -> list[str | None]:
    if _CONTENT_TYPE in batch.schema.names and batch.schema.field(_CONTENT_TYPE).type == pa.string():
        found: list[str | None] = batch.column(_CONTENT_TYPE).to_pylist()
        return found
    return [None] * batch.num_rows


def _url(batch: pa.RecordBatch, row: int, resources: Resources) -> str | None:
    name = resources.columns.url
    if name is None or name not in batch.schema.names or batch.schema.field(name).type != pa.string():
        return None
    url: str | None = batch.column(name)[row].as_py()
    return url


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    )
