"""Write the ``huggingface`` metadata of a Parquet file from its Arrow schema.

``load_dataset`` uses it to restore the published columns. The library ``datasets`` could write it, but its
import takes more than a second. A test compares both results on every type that can be published.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.types as pat

from builder.errors import ContractError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def huggingface_metadata(schema: pa.Schema) -> bytes:
    """Return the value of the metadata key ``huggingface``.

    Raises:
        ContractError: if ``load_dataset`` cannot open a column of this type.
    """
    document = {"info": {"features": features(schema)}}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def features(schema: pa.Schema) -> dict[str, Any]:
    """Describe columns as ``datasets.Features.to_dict`` does.

    >>> features(pa.schema([("tags", pa.list_(pa.string()))]))
    {'tags': {'feature': {'dtype': 'string', '_type': 'Value'}, '_type': 'List'}}
    """
    return {field.name: _feature(field.type, where=f"/{field.name}") for field in schema}


def _feature(kind: pa.DataType, *, where: str) -> dict[str, Any]:
    if pat.is_struct(kind):
        return {part.name: _feature(part.type, where=f"{where}/{part.name}") for part in kind}
    if pat.is_list(kind):
        return {"feature": _feature(kind.value_type, where=f"{where}/-"), "_type": "List"}
    if pat.is_fixed_size_list(kind):
        item = _feature(kind.value_type, where=f"{where}/-")
        return {"feature": item, "length": kind.list_size, "_type": "List"}
    if pat.is_large_list(kind):
        return {"feature": _feature(kind.value_type, where=f"{where}/-"), "_type": "LargeList"}
    return {"dtype": _dtype(kind, where=where), "_type": "Value"}


def _dtype(kind: pa.DataType, *, where: str) -> str:
    if kind in _NAMES:
        return _NAMES[kind]
    for matches, name in _PATTERNS:
        if matches(kind):
            return name(kind)
    what = f"load_dataset cannot open a column of type {kind}"
    raise ContractError(Fault(where=where, what=what, advice="publish the column as JSON text"))


_NAMES: Mapping[pa.DataType, str] = {
    pa.null(): "null",
    pa.bool_(): "bool",
    pa.float16(): "float16",
    pa.float32(): "float32",
    pa.float64(): "float64",
    pa.date32(): "date32",
    pa.date64(): "date64",
    pa.string(): "string",
    pa.large_string(): "large_string",
    pa.string_view(): "string_view",
    pa.binary(): "binary",
    pa.large_binary(): "large_binary",
    pa.binary_view(): "binary_view",
}

_PATTERNS: Sequence[tuple[Callable[[pa.DataType], bool], Callable[[pa.DataType], str]]] = (
    (lambda t: pat.is_integer(t) or pat.is_time(t) or pat.is_duration(t) or pat.is_timestamp(t), str),
    (
        lambda t: pat.is_decimal128(t) or pat.is_decimal256(t),
        lambda t: f"decimal{t.bit_width}({t.precision}, {t.scale})",
    ),
    (pat.is_fixed_size_binary, lambda t: f"fixed_size_binary[{t.byte_width}]"),
)
