"""Features in the card are those that `datasets` would write itself."""

from __future__ import annotations

from importlib.metadata import version

import pyarrow as pa
import pytest

from builder.card.features import yaml_features
from builder.errors import ContractError

SCALARS = [
    pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(),
    pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.date32(), pa.date64(), pa.time32("s"),
    pa.time32("ms"), pa.time64("us"), pa.time64("ns"), pa.timestamp("s"), pa.timestamp("us", tz="UTC"),
    pa.timestamp("ns", tz="Europe/Paris"), pa.duration("us"), pa.decimal128(38, 0), pa.decimal256(76, 2),
    pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(),
    pa.dictionary(pa.int32(), pa.string()),
]  # fmt: skip
OLD_DATASETS = tuple(map(int, version("datasets").split(".")[:2])) < (5, 1)
FIXED = pytest.param(
    pa.binary(16),
    marks=pytest.mark.skipif(OLD_DATASETS, reason="datasets before 5.1 lacks it; no contract maps to it"),
)
STRUCT = pa.struct([("x", pa.string())])
NESTED = [
    pa.list_(pa.string()),
    pa.list_(pa.string(), 3),
    pa.large_list(pa.int64()),
    pa.list_(pa.list_(pa.int64())),
    pa.list_(pa.list_(pa.int64(), 2), 3),
    pa.large_list(pa.list_(pa.string())),
    STRUCT,
    pa.list_(STRUCT),
    pa.list_(STRUCT, 2),
    pa.large_list(STRUCT),
    pa.struct(
        [("a", pa.int32()), ("b", pa.list_(pa.struct([("c", STRUCT), ("d", pa.list_(pa.float64()))])))]
    ),
]


@pytest.mark.parametrize("arrow_type", [*SCALARS, FIXED, *NESTED], ids=str)
def test_features_are_those_of_datasets(arrow_type: pa.DataType) -> None:
    """A type is described as `datasets` does, and `datasets` reads it back as the same feature."""
    import datasets

    schema = pa.schema([("a column", arrow_type)])

    described = yaml_features(schema)

    expected = datasets.Features.from_arrow_schema(schema)
    assert described == expected._to_yaml_list()
    assert datasets.Features._from_yaml_list(described) == expected


def test_all_columns_that_cannot_be_loaded_are_named() -> None:
    """A type that `load_dataset` cannot open is refused, each column with its name."""
    schema = pa.schema(
        [("id", pa.string()), ("m", pa.map_(pa.string(), pa.int64())), ("j", pa.list_(pa.json_()))]
    )

    with pytest.raises(ContractError) as caught:
        yaml_features(schema)

    assert [fault.where for fault in caught.value.faults] == ["/m", "/j"]
