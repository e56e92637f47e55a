"""What `datasets` makes of a version folder and of a corpus folder with our cards."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from builder.card.facts import CardFacts


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Any]:
    """`load_dataset` with a cache of its own."""
    import datasets

    datasets.disable_progress_bars()

    def load_it(*args: Any, **options: Any) -> Any:
        return datasets.load_dataset(*map(str, args), cache_dir=str(tmp_path / "cache"), **options)

    return load_it


def ids(split: Any) -> list[str]:
    """List the ids of a split, streamed or not."""
    return [row["id"] for row in split]


@pytest.mark.parametrize("streaming", [False, True])
def test_corpus_folder(streaming: bool, write_corpus: Callable[..., Path], load: Callable[..., Any]) -> None:
    """A corpus folder loads its newest version (1.10.0 is newer than 1.9.0), and each one by its number."""
    root = write_corpus()

    newest = load(root, streaming=streaming)
    old = load(root, "1.0.0", streaming=streaming)

    assert {name: ids(split) for name, split in newest.items()} == {"train": list("012345678")}
    assert {name: ids(split) for name, split in old.items()} == {"train": list("0123"), "test": ["4"]}
    assert str(newest["train"].info.version) == "1.10.0"
    assert str(old["train"].info.version) == "1.0.0"


@pytest.mark.parametrize("streaming", [False, True])
def test_version_folder(streaming: bool, write_corpus: Callable[..., Path], load: Callable[..., Any]) -> None:
    """A version's own folder loads alone, its shards in their order."""
    loaded = load(write_corpus() / "1.9.0", streaming=streaming)

    assert {name: ids(split) for name, split in loaded.items()} == {"train": list("0123567"), "test": ["4"]}
    assert str(loaded["train"].info.version) == "1.9.0"


def test_a_yanked_version_is_not_the_default(
    write_corpus: Callable[..., Path], load: Callable[..., Any]
) -> None:
    """A version that was withdrawn is loaded only by who asks for it."""
    root = write_corpus(yanked={"1.10.0": "a page too much"})

    assert str(load(root)["train"].info.version) == "1.9.0"
    assert str(load(root, "1.10.0")["train"].info.version) == "1.10.0"


def test_if_all_are_yanked_one_must_be_named(
    write_corpus: Callable[..., Path], load: Callable[..., Any]
) -> None:
    """No version is given out by default when all were withdrawn."""
    root = write_corpus(yanked=dict.fromkeys(("1.0.0", "1.9.0", "1.10.0"), "no"))

    with pytest.raises(ValueError, match="Config name is missing"):
        load(root)
    assert str(load(root, "1.9.0")["train"].info.version) == "1.9.0"


@pytest.mark.parametrize("streaming", [False, True])
def test_nested_columns_come_back(
    streaming: bool,
    tmp_path: Path,
    write_version: Callable[..., CardFacts],
    load: Callable[..., Any],
) -> None:
    """Columns of unusual types and names are loaded as they were written."""
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("no", pa.int64()),
            ("a: b #c", pa.list_(pa.string())),
            ("author", pa.struct([("name", pa.string()), ("joined", pa.date32())])),
            ("files", pa.list_(pa.struct([("name", pa.large_string()), ("bytes", pa.uint16())]))),
            ("at", pa.timestamp("us", tz="UTC")),
        ]
    )
    row = {
        "id": "1",
        "no": 2**62,
        "a: b #c": ["x", None],
        "author": {"name": "Ö", "joined": dt.date(2020, 2, 29)},
        "files": [{"name": "a", "bytes": 65535}],
        "at": dt.datetime(1999, 1, 1, tzinfo=dt.UTC),
    }
    table = pa.Table.from_pylist([row, {"id": "2"}], schema=schema)
    write_version(tmp_path / "2.0.0", {"en.train_1": [table]}, columns=schema)

    loaded = load(tmp_path / "2.0.0", split="en.train_1", streaming=streaming)

    assert list(loaded) == [row, dict.fromkeys(schema.names) | {"id": "2"}]
