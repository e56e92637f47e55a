"""Keep sketches of the records that leave a build before a stage that joins notes has seen them.

``opt_out`` decides about the pages that reach its barrier. The audit keeps texts of pages that an earlier
stage dropped, so these pages are joined as well, when the audit is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.contract.instants import instant_us
from builder.domain.contract.rename import rename_members
from builder.domain.record import RECORD
from builder.stages.binding.placed import inner_stage
from builder.stages.validate import Validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from builder.protocols import CorpusStage, Resources

_HEADERS = "headers"
_TIME = pa.timestamp("us", "UTC")


def left_name(stage: str) -> str:
    """Return the name of the file of a part that has the sketches for a stage."""
    return f"left-{stage}"


class LeftRecords:
    """Collects the sketches of the records that leave one batch.

    Args:
        stages: the stages that join notes at a later barrier.
    """

    def __init__(self, stages: Sequence[CorpusStage], resources: Resources) -> None:
        self._stages = {stage.name: inner_stage(stage) for stage in stages}
        self._resources = resources
        self._sketches: dict[str, list[pa.RecordBatch]] = {name: [] for name in self._stages}

    def add(self, batch: pa.RecordBatch, rejected: pa.RecordBatch, *, kind: str) -> None:
        """Add the rows that one stage dropped; ``batch`` came to the stage."""
        if not self._stages or not rejected.num_rows:
            return
        if kind == Validate.name:
            self.add_raw(rejected)
            return
        ids = pc.struct_field(rejected[RECORD], "id")
        at = pc.index_in(ids, value_set=pc.struct_field(batch[RECORD], "id"))
        self.add_rows(batch.take(at.drop_null()))

    def add_rows(self, rows: pa.RecordBatch) -> None:
        """Add rows with the columns of the contract."""
        if rows.num_rows and self._resources.columns.url in rows.schema.names:
            ids = pc.struct_field(rows[RECORD], "id")
            for name, stage in self._stages.items():
                sketch = stage.sketch(rows, resources=self._resources)
                self._sketches[name].append(sketch.add_column(0, "record_id", ids))

    def add_raw(self, rejected: pa.RecordBatch) -> None:
        """Add rejections with the records as they came, which may lack anything."""
        if self._stages and rejected.num_rows:
            self.add_rows(_raw_rows(rejected, self._resources))

    def files(self) -> dict[str, pa.RecordBatch]:
        """Return the files for the part of the batch; none without a record."""
        return {left_name(name): pa.concat_batches(some) for name, some in self._sketches.items() if some}


def _raw_rows(rejected: pa.RecordBatch, resources: Resources) -> pa.RecordBatch:
    """Return what a stage sketches of the records that can be read, or whose URL is known."""
    columns = resources.columns
    rows: list[dict[str, Any]] = []
    records = zip(*(rejected[name].to_pylist() for name in (RECORD, "url", "record")), strict=True)
    for record, url, raw in records:
        value = _value(raw, resources.renames.get(record["source"], {}))
        url = url or _text(value, columns.url)
        if url is not None:
            time, html = _text(value, columns.fetched_at), _text(value, columns.html)
            given = value.get(_HEADERS)
            headers = orjson.dumps(given).decode() if isinstance(given, dict) else None
            rows.append({"record": record, "url": url, "time": time, "html": html, "headers": headers})
    arrays: dict[str, pa.Array] = {
        RECORD: pa.array([row["record"] for row in rows], rejected.schema.field(RECORD).type),
        _HEADERS: _texts(rows, "headers"),
    }
    for name, key in ((columns.url, "url"), (columns.html, "html")):
        if name is not None:
            arrays[name] = _texts(rows, key)
    if columns.fetched_at is not None:
        arrays[columns.fetched_at] = _times(rows)
    return pa.RecordBatch.from_pydict(arrays)


def _value(raw: bytes | None, renames: Mapping[str, str]) -> dict[str, Any]:
    try:
        value = orjson.loads(raw or b"null")
    except orjson.JSONDecodeError:
        return {}
    return rename_members(value, renames)[0] if isinstance(value, dict) else {}


def _text(value: Mapping[str, Any], name: str | None) -> str | None:
    found = value.get(name) if name is not None else None
    return found if isinstance(found, str) else None


def _texts(rows: Iterable[Mapping[str, Any]], key: str) -> pa.Array:
    return pa.array([row[key] for row in rows], pa.string())


def _times(rows: Iterable[Mapping[str, Any]]) -> pa.Array:
    return pa.array([instant_us(row["time"]) if row["time"] else None for row in rows], _TIME)
