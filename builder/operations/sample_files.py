"""Read a sample of files, and find the source and the options that read each of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from builder.domain.contract.incoming import raw_records
from builder.domain.json.exact import Broken
from builder.domain.json.pointer import lists_of_records
from builder.domain.json.text import parse
from builder.domain.record import JSON_FIELD, RAW
from builder.engines.guard import NullGuard
from builder.errors import Fault, RecipeError
from builder.io.streams.codecs import MAX_ZSTD_LONG
from builder.io.streams.paths import Found
from builder.operations.formats import kind_of_file
from builder.registry import source_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from builder.protocols import Source

MAX_SAMPLE_RECORDS = 10_000
"""Records of each file that are looked at."""

_BATCH_ROWS = 1_000
_OF_A_RECORD = ("url", "html", "text", "body", "content", "markdown")
"""Members that a record has, and a document that wraps records has not."""

_TABLES = frozenset(("parquet", "dataset"))
_PLAIN = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string)
_PLAIN_TOO = (pa.types.is_large_string, pa.types.is_timestamp, pa.types.is_date, pa.types.is_null)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledFile:
    """The first records of a file.

    Attributes:
        kind: the kind of the source that reads it.
        options: the options of the source, without its path.
        carried: columns of a table whose type no contract has; ``publish`` can publish them.
    """

    path: Path
    kind: str
    options: Mapping[str, Any]
    records: list[dict[str, Any]]
    carried: tuple[str, ...] = ()


def sample_file(path: Path) -> SampledFile:
    """Read the first records of a file.

    Raises:
        RecipeError: if the file does not exist, or no record of it can be read.
    """
    if not path.is_file():
        advice = "name files that exist, after --from"
        raise RecipeError(Fault(where=str(path), what="is not a file", advice=advice))
    kind = kind_of_file(Found(path=str(path), name=path.name, size_bytes=path.stat().st_size))
    tried = [_read(path, kind, {})]
    if not tried[0].records and any("zstd_long" in message for message in tried[0].messages):
        tried.append(_read(path, kind, {"zstd_long": MAX_ZSTD_LONG}))
    elif not tried[0].records and kind == "jsonl":
        tried.append(_read(path, "json", {}))
    if tried[-1].kind == "json" and (pointer := _pointer(tried[-1].records)) is not None:
        tried.append(_read(path, "json", {"records": pointer}))
    found = next((one.file for one in reversed(tried) if one.records), None)
    if found is None:
        raise RecipeError(
            Fault(
                where=str(path),
                what=f"has no record that a source of kind {kind} can read{tried[0].why()}",
                advice="write a recipe by hand: docs/exports.md has one for each kind of export",
            )
        )
    return found


@dataclass(slots=True)
class _Read:
    path: Path
    kind: str
    options: dict[str, Any]
    records: list[dict[str, Any]] = field(default_factory=list)
    carried: dict[str, None] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    @property
    def file(self) -> SampledFile:
        return SampledFile(
            path=self.path,
            kind=self.kind,
            options=self.options,
            records=self.records,
            carried=tuple(self.carried),
        )

    def why(self) -> str:
        return f": {self.messages[0]}" if self.messages else ""


def _read(path: Path, kind: str, options: dict[str, Any]) -> _Read:
    read = _Read(path, kind, options)
    source: Source = source_class(kind)(path=str(path), **options)
    read.records = list(islice(_records(source, read), MAX_SAMPLE_RECORDS))
    return read


def _records(source: Source, read: _Read) -> Iterator[dict[str, Any]]:
    for task in source.tasks():
        for reading in source.read(task, guard=NullGuard(), batch_rows=_BATCH_ROWS):
            read.messages += [one for one in reading.rejected["message"].to_pylist() if one]
            if RAW not in reading.batch.schema.names:
                yield from _of_table(reading.batch, read)
                continue
            for raw in raw_records(reading.batch.column(RAW)):
                parsed = parse(raw)
                if not isinstance(parsed, Broken) and isinstance(parsed.value, dict):
                    yield parsed.value


def _of_table(batch: pa.RecordBatch, read: _Read) -> Iterator[dict[str, Any]]:
    names = [name for name in batch.schema.names if name != "_record"]
    if read.kind in _TABLES:
        odd = [name for name in names if not _has_json_type(batch.schema.field(name).type)]
        read.carried |= dict.fromkeys(odd)
        names = [name for name in names if name not in odd]
    else:
        names = [name for name in names if not name.startswith("_")]
    as_json = [name for name in names if batch.schema.field(name).metadata == JSON_FIELD]
    for row in batch.select(names).to_pylist():
        for name in as_json:
            parsed = parse((row[name] or "null").encode())
            row[name] = None if isinstance(parsed, Broken) else parsed.value
        yield row


def _has_json_type(kind: pa.DataType) -> bool:
    """Return whether a contract can declare a column of this type."""
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _has_json_type(kind.value_type)
    if pa.types.is_struct(kind):
        return all(_has_json_type(field.type) for field in kind)
    return any(fits(kind) for fits in (*_PLAIN, *_PLAIN_TOO))


def _pointer(records: list[dict[str, Any]]) -> str | None:
    """Return the pointer to the records of a document that wraps them; None if it is a record itself."""
    if len(records) != 1 or any(isinstance(records[0].get(name), str) for name in _OF_A_RECORD):
        return None
    pointers = lists_of_records(records[0])
    return pointers[0] if len(pointers) == 1 else None
