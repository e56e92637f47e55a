"""Observe what sources give to ``validate``: a stage of ``builder check`` that changes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RAW, RECORD
from builder.domain.rejection import no_rejections
from builder.protocols import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from builder.protocols import Guard, Resources

MAX_OBSERVED_ROWS = 100
"""Rows of a batch that are observed; parsing more of them costs more than it shows."""

SEEN, MEMBER, RENAME, ONLY_HTML, MATCH = "seen", "member", "rename", "only_html", "match"
"""The kinds of counts: observed records, records with a member, with a renamed path, with HTML and no text,
and with a listed value of a column."""

_BETWEEN = "\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Count what the records of each source have, before ``validate`` judges them.

    Attributes:
        listed: by source, the column and the values that the source's options list.
    """

    listed: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    name: ClassVar[str] = "observe"
    untrusted: ClassVar[bool] = False
    reasons: ClassVar[Mapping[str, str]] = {}

    def bind(self, schema: pa.Schema, resources: Resources) -> pa.Schema:  # noqa: ARG002
        """Return the schema as it is."""
        return schema

    def apply(self, batch: pa.RecordBatch, *, resources: Resources, guard: Guard) -> Outcome:  # noqa: ARG002
        """Return all rows, and the counts of the first ones."""
        if not batch.num_rows:
            return Outcome(kept=batch, rejected=no_rejections())
        source = batch.column(RECORD)[0]["source"].as_py()
        counts: Counter[str] = Counter()
        for record in _records(batch.slice(0, MAX_OBSERVED_ROWS)):
            counts.update(key(*one) for one in self._facts(record, source, resources))
        return Outcome(kept=batch, rejected=no_rejections(), counts=counts)

    def _facts(
        self, record: dict[str, Any], source: str, resources: Resources
    ) -> Iterator[tuple[str, str, str]]:
        yield SEEN, source, ""
        renames, roles = resources.renames.get(source, {}), resources.columns
        names = {path: path for path in record}
        for path, name in renames.items():
            if _at(record, path) is not None:
                yield RENAME, source, path
                names.pop(path.partition(".")[0], None)
                record[name] = _at(record, path)
                names[name] = name
        for name in names:
            if record[name] is not None:
                yield MEMBER, source, name
        if roles.html and _is_text(record.get(roles.html)) and not _is_text(record.get(roles.text or "")):
            yield ONLY_HTML, source, ""
        for column, value in self.listed.get(source, ()):
            found = record.get(column)
            if found is not None and str(found).partition(";")[0].strip().lower() == value.lower():
                yield MATCH, source, f"{column}={value}"


def key(kind: str, source: str, name: str) -> str:
    """Return the name of a count."""
    return _BETWEEN.join((kind, source, name))


def observed(counts: Mapping[str, int]) -> dict[tuple[str, str, str], int]:
    """Return the counts of a build's observer, by kind, source and name."""
    start = Observer.name + "."
    found = {}
    for name, n in counts.items():
        if name.startswith(start):
            kind, source, what = name.removeprefix(start).split(_BETWEEN, 2)
            found[kind, source, what] = n
    return found


def _records(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Yield the rows that are objects; a cell that cannot be read counts as present."""
    if RAW in batch.schema.names:
        for raw in batch.column(RAW):
            try:
                value = orjson.loads(memoryview(raw.as_buffer()))
            except ValueError:
                continue
            if isinstance(value, dict):
                yield value
        return
    names = [name for name in batch.schema.names if not name.startswith("_")]
    columns = {name: batch.column(name) for name in names}
    present = {name: pc.is_valid(column).to_pylist() for name, column in columns.items()}
    for row in range(batch.num_rows):
        yield {name: _cell(columns[name], row) if present[name][row] else None for name in names}


def _cell(column: pa.Array, row: int) -> Any:
    try:
        return column[row].as_py()
    except (ValueError, OverflowError, NotImplementedError, pa.ArrowException):
        return ""


def _at(record: Any, path: str) -> Any:
    """Return the value at a dotted path; a member with exactly that name comes first."""
    if not isinstance(record, dict):
        return None
    if path in record:
        return record[path]
    first, _, rest = path.partition(".")
    return _at(record.get(first), rest) if rest else None


def _is_text(value: Any) -> bool:
    return isinstance(value, (str, bytes)) and bool(value.strip())
