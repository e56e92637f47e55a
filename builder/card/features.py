"""Convert an Arrow schema to the list of features in a card's ``dataset_info``.

The format is the one that `datasets` writes; a test compares the two for every type that can be loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.types as pat

from builder.domain.feature_types import feature_type
from builder.errors import ContractError, Fault

if TYPE_CHECKING:
    import pyarrow as pa


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


def _feature(arrow_type: pa.DataType) -> dict[str, Any]:
    if pat.is_struct(arrow_type):
        return {"struct": [{"name": part.name, **_feature(part.type)} for part in arrow_type]}
    if pat.is_large_list(arrow_type):
        return {"large_list": _inner(arrow_type.value_type)}
    if pat.is_fixed_size_list(arrow_type):
        return {"list": _inner(arrow_type.value_type), "length": arrow_type.list_size}
    if pat.is_list(arrow_type):
        return {"list": _inner(arrow_type.value_type)}
    if pat.is_dictionary(arrow_type):
        return {"dtype": feature_type(arrow_type.value_type)}
    return {"dtype": feature_type(arrow_type)}


def _inner(value_type: pa.DataType) -> Any:
    """Return the short form of a list's item, as `datasets` does: a type name or the parts of a struct."""
    feature = _feature(value_type)
    if len(feature) == 1:
        return feature.get("dtype") or feature.get("struct") or feature
    return feature
