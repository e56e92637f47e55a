"""Write the ``huggingface`` metadata of a Parquet file from its Arrow schema.

``load_dataset`` uses it to restore the published columns. The library ``datasets`` could write it, but its
import takes more than a second. A test compares both results on every type that can be published.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from builder.domain.feature_types import feature_type
from builder.errors import ContractError, Fault


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
    try:
        return {"dtype": feature_type(kind), "_type": "Value"}
    except TypeError as error:
        advice = "publish the column as JSON text"
        raise ContractError(Fault(where=where, what=str(error), advice=advice)) from None
