"""Convert an Arrow schema to the list of features in a card's ``dataset_info``.

The format is the one that `datasets` writes; a test compares the two for every type that can be loaded.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from builder.errors import ContractError, Fault

_PLAIN = {
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


def yaml_features(schema: pa.Schema) -> list[dict[str, Any]]:
    """Describe the columns of a schema as ``dataset_info.features``.

    Raises:
        ContractError: names each column of a type that `load_dataset` cannot open.
    """
    features, faults = [], []
    for field in schema:
        try:
            features.append({"name": field.name, **_feature(field.type)})
        except TypeError as error:
            advice = 'publish it as JSON text: add "x-arrow": "json" to the property in the contract'
            faults.append(Fault(where=f"/{field.name}", what=str(error), advice=advice))
    if faults:
        raise ContractError(*faults)
    return features


def dtype_name(arrow_type: pa.DataType) -> str:
    """Return the name that `datasets` gives a type without inner types.

    >>> dtype_name(pa.timestamp("us", tz="UTC"))
    'timestamp[us, tz=UTC]'
    """
    if arrow_type in _PLAIN:
        return _PLAIN[arrow_type]
    if pat.is_integer(arrow_type) or pat.is_timestamp(arrow_type) or pat.is_time(arrow_type):
        return str(arrow_type)
    if pat.is_duration(arrow_type):
        return f"duration[{arrow_type.unit}]"
    if pat.is_decimal128(arrow_type) or pat.is_decimal256(arrow_type):
        return f"decimal{arrow_type.bit_width}({arrow_type.precision}, {arrow_type.scale})"
    if pat.is_fixed_size_binary(arrow_type):
        return f"fixed_size_binary[{arrow_type.byte_width}]"
    if pat.is_dictionary(arrow_type):
        return dtype_name(arrow_type.value_type)
    raise TypeError(f"load_dataset cannot open a column of type {arrow_type}")


def _feature(arrow_type: pa.DataType) -> dict[str, Any]:
    if pat.is_struct(arrow_type):
        return {"struct": [{"name": part.name, **_feature(part.type)} for part in arrow_type]}
    if pat.is_large_list(arrow_type):
        return {"large_list": _inner(arrow_type.value_type)}
    if pat.is_fixed_size_list(arrow_type):
        return {"list": _inner(arrow_type.value_type), "length": arrow_type.list_size}
    if pat.is_list(arrow_type):
        return {"list": _inner(arrow_type.value_type)}
    return {"dtype": dtype_name(arrow_type)}


def _inner(value_type: pa.DataType) -> Any:
    """Return the short form of a list's item, as `datasets` does: a type name or the parts of a struct."""
    feature = _feature(value_type)
    if len(feature) == 1:
        return feature.get("dtype") or feature.get("struct") or feature
    return feature
