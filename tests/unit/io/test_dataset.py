"""The source of Hugging Face datasets; no test contacts the Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder.engines.guard import NullGuard
from builder.errors import RecipeError
from builder.io.dataset import N_PARTS, DatasetSource

if TYPE_CHECKING:
    from pathlib import Path

    from builder.protocols import Reading

datasets = pytest.importorskip("datasets")
TABLE = pa.table({"text": [f"t{i}" for i in range(100)], "_n": range(100)})


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a temporary cache, so that these tests leave no files."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "data"
    place.mkdir()
    pq.write_table(TABLE, place / "train.parquet")
    return place


def read(source: DatasetSource, *, batch_rows: int = 2) -> list[Reading]:
    return [r for task in source.tasks() for r in source.read(task, guard=NullGuard(), batch_rows=batch_rows)]


def check_rows(found: list[Reading]) -> None:
    rows = [row for one in found for row in one.batch.to_pylist()]
    assert [row["text"] for row in rows] == TABLE.column("text").to_pylist()
    assert [row["n"] for row in rows] == list(range(100))
    assert [row["_record"]["id"] for row in rows] == [f"dataset/train@{i}" for i in range(100)]
    assert sum(one.n_records for one in found) == 100


def test_the_rows_of_a_folder_are_split_into_tasks(folder: Path) -> None:
    """Each row is read once, and its id contains its number in the split."""
    source = DatasetSource(path=str(folder))
    assert len(source.tasks()) == N_PARTS
    check_rows(read(source))
    assert [found.name for found in source.inputs()] == ["train.parquet"]


@pytest.mark.parametrize("as_dict", [False, True])
def test_a_folder_of_save_to_disk_is_read(folder: Path, tmp_path: Path, as_dict: bool) -> None:
    """It may contain one split, or a dictionary of splits."""
    dataset = datasets.Dataset.from_parquet(str(folder / "train.parquet"))
    saved = datasets.DatasetDict({"train": dataset}) if as_dict else dataset
    saved.save_to_disk(str(tmp_path / "saved"))
    check_rows(read(DatasetSource(path=str(tmp_path / "saved"))))


def test_an_unknown_split_is_a_recipe_error(folder: Path) -> None:
    """The error lists the splits that exist."""
    with pytest.raises(RecipeError, match="train"):
        read(DatasetSource(path=str(folder), split="tset"))


def test_a_dataset_that_cannot_be_read_is_one_failed_record(folder: Path) -> None:
    """The number of tasks makes no difference."""
    data = bytearray((folder / "train.parquet").read_bytes())
    data[4:60] = b"\xff" * 56
    (folder / "train.parquet").write_bytes(data)
    (row,) = [row for one in read(DatasetSource(path=str(folder))) for row in one.rejected.to_pylist()]
    assert (row["outcome"], row["reason"]) == ("failed", "dataset_unreadable")


def test_a_dataset_on_the_hub_is_read_at_one_commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every task uses the commit of the revision at the start of the build."""
    asked: list[Any] = []

    class Info:
        sha = "c0ffee"

    def info(self: Any, name: str, *, revision: str | None) -> Info:
        asked.append((name, revision))
        return Info()

    def load(path: str, config: str | None, *, split: str, revision: str) -> Any:
        assert (path, config, split, revision) == ("user/name", None, "train", "c0ffee")
        return datasets.Dataset.from_parquet(str(folder / "train.parquet"))

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", info)
    monkeypatch.setattr(datasets, "load_dataset", load)
    source = DatasetSource(path="user/name", revision="v1")
    check_rows(read(source))
    assert [(found.path, found.name) for found in source.inputs()] == [("", "user/name@c0ffee")]
    assert set(asked) == {("user/name", "v1")}


def test_a_name_that_cannot_be_found_is_a_recipe_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub cannot be reached, or the name is not valid."""

    def refuse(*args: Any, **options: Any) -> None:
        raise ConnectionError("no route")

    with pytest.raises(RecipeError, match="no such folder"):
        DatasetSource(path="not/a/name").tasks()
    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", refuse)
    with pytest.raises(RecipeError, match="no route"):
        DatasetSource(path="user/name").tasks()
