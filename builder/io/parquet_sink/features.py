"""The ``huggingface`` metadata of a Parquet file, from its Arrow schema.

With it ``load_dataset`` restores the columns as they were published.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from builder.domain.feature_types import feature_type
from builder.errors import ContractError, Fault


def huggingface_metadata(schema: pa.Schema) -> bytes:
    """Return the value of the key ``huggingface``, with sorted keys.

    Raises:
        ContractError: if ``load_dataset`` could not open a column of this type.
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
        raise ContractError(Fault(where=where, what=str(error), advice="publish it as JSON text")) from None
