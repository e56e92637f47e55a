"""`check` of a version: what would keep `load_dataset` from giving what the manifest tells."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder.hub import guard_load
from builder.hub.guard import check_version
from builder.hub.guard_shards import column_faults

SHARD = "data/train-00000-of-00001.parquet"


@pytest.fixture
def version(start: Any, tmp_path: Path) -> Path:
    """The folder of a version that may be damaged."""
    shutil.copytree(start.folder / "my" / "corpus", tmp_path / "corpus", symlinks=True)
    return tmp_path / "corpus" / "1.0.0"


def faults(version: Path) -> list[str]:
    """Check the version, and return what was found."""
    return [fault.what for fault in check_version(f"{version.parent}@1.0.0").faults]


def rewrite(version: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Put another table in the place of the shard."""
    shard = version / SHARD
    table = pq.read_table(shard)
    shard.chmod(0o644)
    pq.write_table(change(table), shard)


def test_a_version_as_it_was_built_is_fit(version: Path) -> None:
    """Nothing is found, and the rows are those that `load_dataset` gives."""
    check = check_version(version.parent)
    assert (check.fit, check.version, check.rows, check.n_shards) == (True, "1.0.0", {"train": 3}, 1)
    assert (check.loaded, check.warnings) == (check.rows, [])


def test_an_empty_shard_is_a_fault(version: Path) -> None:
    """`load_dataset` fails on a file without rows."""
    rewrite(version, lambda table: table.slice(0, 0))
    found = faults(version)
    assert "has no rows" in found
    assert "has 0 rows, but the manifest says 3" in found


def test_other_columns_are_a_fault(version: Path) -> None:
    """A column of another type, or another order, is not what was promised."""
    rewrite(version, lambda table: table.select([*table.column_names[1:], "id"]))
    assert faults(version) == ["has other columns than the manifest says"]


def test_a_missing_shard_is_a_fault(version: Path) -> None:
    """It is found from the manifest and from the card."""
    (version / SHARD).unlink()
    found = faults(version)
    assert "cannot be opened (split train)" in found
    assert f"names {SHARD}, which cannot be opened" in found


def test_a_card_that_leads_elsewhere_is_a_fault(version: Path) -> None:
    """What counts is what the card's first config names, because that is what `load_dataset` follows."""
    card = version / "README.md"
    text = card.read_text()
    card.chmod(0o644)
    card.write_text(text.replace("split: train", "split: test"))
    assert faults(version) == ["lists the splits {'test': 3}, but the manifest says {'train': 3}"]
    card.write_text("no front matter")
    (fault,) = faults(version)
    assert fault.startswith("does not name files to load")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (pa.null(), "type null"),
        (pa.list_(pa.null()), "type null"),
        (pa.struct([("a", pa.null())]), "type null"),
        (pa.month_day_nano_interval(), "cannot open"),
    ],
)
def test_columns_that_cannot_be_loaded_are_faults(kind: pa.DataType, says: str) -> None:
    """A type without a meaning to readers is named with its column."""
    (fault,) = column_faults(pa.schema([("good", pa.string()), ("bad", kind)]))
    assert fault.where == "/bad"
    assert says in fault.what


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("num_examples: 3", "num_examples: 4", "counts {'train': 4}, but the manifest says {'train': 3}"),
        ('version: "1.0.0"', 'version: "1.0.1"', "belongs to version 1.0.1"),
        ("config_name: default", 'config_name: "a/b"', "does not accept the config name 'a/b'"),
        ("dtype: string", "dtype: large_string", "lists other columns than the manifest"),
        ('- "n<1K"', "- few", "'few' is not one of"),
    ],
)
def test_a_card_that_says_something_else_is_a_fault(version: Path, old: str, new: str, says: str) -> None:
    """`load_dataset` believes the card, so what it tells is compared with the manifest."""
    card = version / "README.md"
    text = card.read_text()
    assert old in text
    card.chmod(0o644)
    card.write_text(text.replace(old, new))
    assert [fault for fault in faults(version) if says in fault]


def test_what_load_dataset_says_is_a_fault(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever keeps it from loading is told as its users would meet it; other counts too."""
    import datasets

    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("BatchSize must be\ngreater than 0")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    assert faults(version) == ["load_dataset fails: ValueError: BatchSize must be greater than 0"]
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: {"train": range(2)})
    assert faults(version) == ["load_dataset returns {'train': 2}, but the manifest says {'train': 3}"]


def test_a_shard_that_a_thread_holds_is_waited_for(version: Path) -> None:
    """Threads of Arrow that let go of a file while the interpreter ends would take the process down."""
    with (version / SHARD).open("rb") as file:
        held = [file]
    held.append(held)  # closed and not gone, in a cycle, as a traceback and its frames are one
    del file
    timer = threading.Timer(0.3, held.clear)
    timer.start()
    before = time.monotonic()
    guard_load.wait_until_closed(version)
    assert time.monotonic() - before > 0.2
    timer.join()


def test_without_room_rows_are_counted_as_they_stream(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache of a loaded dataset may not fit on the disk; then nothing is written."""
    monkeypatch.setattr(guard_load, "_ROOM", 1e15)
    check = check_version(version.parent)
    assert (check.faults, check.loaded) == ([], {"train": 3})


def test_the_viewers_limits_are_warnings(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What loads and cannot be shown is told, and keeps nothing from being published."""
    from builder.hub import guard_viewer

    for name in ("MAX_GROUP_BYTES", "MAX_ROW_BYTES", "MAX_FILE_BYTES", "MAX_FOLDER_FILES", "MAX_SPLITS"):
        monkeypatch.setattr(guard_viewer, name, 0)
    monkeypatch.setattr(guard_viewer, "MAX_COLUMNS", 1)
    monkeypatch.setattr(guard_viewer, "MAX_NAME_CHARS", 9)
    check = check_version(version.parent)
    assert check.fit
    told = " ".join(warning.what for warning in check.warnings)
    for what in (
        "columns",
        "is longer",
        "splits",
        "files",
        "larger than",
        "row group of",
        "has rows of more",
    ):
        assert what in told


@pytest.mark.parametrize("split", ["train-clean", "all", "a b"])
def test_splits_that_cannot_be_loaded_are_faults(version: Path, split: str) -> None:
    """`load_dataset` takes letters, digits and underscores."""
    import dataclasses

    from builder import Corpus
    from builder.hub.guard_card import name_faults

    manifest = Corpus(version.parent).manifest("1.0.0")
    assert list(name_faults(manifest)) == []
    renamed = dataclasses.replace(manifest, splits={split: manifest.splits["train"]})
    (fault,) = name_faults(renamed)
    assert fault.where == split
