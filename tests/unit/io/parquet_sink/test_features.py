"""The huggingface metadata equals that of the library `datasets`, for every published type."""

from __future__ import annotations

import json
import warnings
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from builder.errors import ContractError
from builder.io.parquet_sink.features import features, huggingface_metadata
from builder.io.parquet_sink.shards import write_shard

if TYPE_CHECKING:
    from pathlib import Path

TYPES = [
    pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(),
    pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.string(), pa.large_string(), pa.string_view(),
    pa.binary(), pa.large_binary(), pa.binary_view(), pa.date32(), pa.date64(),
    pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"), pa.timestamp("s"), pa.timestamp("us"),
    pa.timestamp("ns", "UTC"), pa.timestamp("us", "UTC"), pa.timestamp("us", "+02:00"),
    pa.duration("s"), pa.duration("us"),
    pa.decimal128(38, 0), pa.decimal128(10, 2), pa.decimal256(76, 3), pa.null(),
]  # fmt: skip
OLD_DATASETS = tuple(map(int, version("datasets").split(".")[:2])) < (5, 1)
FIXED = pytest.param(
    pa.binary(16),
    marks=pytest.mark.skipif(OLD_DATASETS, reason="datasets before 5.1 lacks it; no contract maps to it"),
)


def nested(kind: pa.DataType) -> list[pa.DataType]:
    return [
        kind,
        pa.list_(kind),
        pa.large_list(kind),
        pa.list_(kind, 3),
        pa.struct([("a", kind), ("b", pa.list_(kind))]),
        pa.list_(pa.struct([("a", pa.struct([("b", kind)]))])),
        pa.list_(pa.list_(kind)),
    ]


@pytest.fixture(scope="module")
def datasets_module() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets
    return datasets


@pytest.mark.parametrize("kind", [*TYPES, FIXED], ids=str)
def test_features_are_those_of_datasets(kind: pa.DataType, datasets_module: Any) -> None:
    """The reference is datasets.Features.to_dict, for each type alone and nested."""
    schema = pa.schema([(f"c{i}", one) for i, one in enumerate(nested(kind))])
    theirs = datasets_module.Features.from_arrow_schema(schema)
    assert features(schema) == theirs.to_dict()


def test_metadata_restores_the_features(datasets_module: Any) -> None:
    """datasets reads the metadata back to the features of the schema."""
    schema = pa.schema(
        [("id", pa.string()), ("at", pa.timestamp("us", "UTC")), ("é\n", pa.list_(pa.int64()))]
    )
    noted = schema.with_metadata({"huggingface": huggingface_metadata(schema)})
    assert datasets_module.Features.from_arrow_schema(noted) == datasets_module.Features.from_arrow_schema(
        schema
    )
    assert list(json.loads(huggingface_metadata(schema))["info"]["features"]) == schema.names


def test_shard_is_loaded_as_it_was_written(tmp_path: Path, datasets_module: Any) -> None:
    """load_dataset returns the rows and the features of a shard."""
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("n", pa.int32()),
            ("more", pa.struct([("l", pa.list_(pa.string()))])),
            ("day", pa.date32()),
        ]
    )
    table = pa.table(
        {"id": ["a", None], "n": [1, None], "more": [{"l": ["x", None]}, None], "day": [3, None]},
        schema=schema,
    )
    write_shard(tmp_path / "train.parquet", schema, [table])
    loaded = datasets_module.load_dataset(
        "parquet",
        data_files=str(tmp_path / "train.parquet"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    assert loaded.to_list() == table.to_pylist()
    assert loaded.features == datasets_module.Features.from_arrow_schema(schema)


@pytest.mark.parametrize("kind", [pa.map_(pa.string(), pa.int64()), pa.month_day_nano_interval()], ids=str)
def test_type_that_cannot_be_loaded_is_refused_with_its_place(kind: pa.DataType) -> None:
    """The error names the column by its pointer."""
    schema = pa.schema([("a", pa.struct([("b", pa.list_(kind))]))])
    with pytest.raises(ContractError, match="/a/b/-"):
        features(schema)
