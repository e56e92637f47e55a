"""`check` of a version finds what keeps `load_dataset` from returning the rows of the manifest."""

from __future__ import annotations

import shutil
import threading
import time
import weakref
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
    """A writable copy of the folder of a version."""
    shutil.copytree(start.folder / "my" / "corpus", tmp_path / "corpus", symlinks=True)
    return tmp_path / "corpus" / "1.0.0"


def faults(version: Path) -> list[str]:
    """Check the version and return the faults."""
    return [fault.what for fault in check_version(f"{version.parent}@1.0.0").faults]


def rewrite(version: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Replace the shard with another table."""
    shard = version / SHARD
    table = pq.read_table(shard)
    shard.chmod(0o644)
    pq.write_table(change(table), shard)


def test_a_version_as_built_has_no_faults(version: Path) -> None:
    """The rows are those that `load_dataset` returns."""
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
    """The manifest promises the types and the order of the columns."""
    rewrite(version, lambda table: table.select([*table.column_names[1:], "id"]))
    assert faults(version) == ["has other columns than the manifest says"]


def test_a_missing_shard_is_a_fault(version: Path) -> None:
    """Both the manifest and the card list it."""
    (version / SHARD).unlink()
    found = faults(version)
    assert "cannot be opened (split train)" in found
    assert f"names {SHARD}, which cannot be opened" in found


def test_a_card_that_lists_other_splits_or_files_is_a_fault(version: Path) -> None:
    """The first config of the card counts, because `load_dataset` uses it."""
    card = version / "README.md"
    text = card.read_text()
    card.chmod(0o644)
    card.write_text(text.replace("split: train", "split: test"))
    assert faults(version) == ["lists the splits {'test': 3}, but the manifest says {'train': 3}"]
    card.write_text("no front matter")
    (fault,) = faults(version)
    assert fault.startswith("does not name files to load")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (pa.null(), "type null"),
        (pa.list_(pa.null()), "type null"),
        (pa.struct([("a", pa.null())]), "type null"),
        (pa.month_day_nano_interval(), "cannot open"),
    ],
)
def test_columns_that_cannot_be_loaded_are_faults(kind: pa.DataType, message: str) -> None:
    """The fault names the column and its type."""
    (fault,) = column_faults(pa.schema([("good", pa.string()), ("bad", kind)]))
    assert fault.where == "/bad"
    assert message in fault.what


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("num_examples: 3", "num_examples: 4", "counts {'train': 4}, but the manifest says {'train': 3}"),
        ('version: "1.0.0"', 'version: "1.0.1"', "belongs to version 1.0.1"),
        ("config_name: default", 'config_name: "a/b"', "does not accept the config name 'a/b'"),
        ("dtype: string", "dtype: large_string", "lists other columns than the manifest"),
        ('- "n<1K"', "- few", "'few' is not one of"),
    ],
)
def test_a_card_that_contradicts_the_manifest_is_a_fault(
    version: Path, old: str, new: str, message: str
) -> None:
    """`load_dataset` trusts the card, so `check` compares the card with the manifest."""
    card = version / "README.md"
    text = card.read_text()
    assert old in text
    card.chmod(0o644)
    card.write_text(text.replace(old, new))
    assert [fault for fault in faults(version) if message in fault]


def test_an_error_of_load_dataset_is_a_fault(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault has the message that users would get; wrong row counts are faults too."""
    import datasets

    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("BatchSize must be\ngreater than 0")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    assert faults(version) == ["load_dataset fails: ValueError: BatchSize must be greater than 0"]
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: {"train": range(2)})
    assert faults(version) == ["load_dataset returns {'train': 2}, but the manifest says {'train': 3}"]


def test_check_waits_for_threads_that_use_a_shard(version: Path) -> None:
    """An Arrow thread that releases a file while the interpreter shuts down would crash the process."""
    with (version / SHARD).open("rb") as file:
        held = [file]
    held.append(held)  # a reference cycle keeps it alive after it is closed, as a traceback does
    del file
    timer = threading.Timer(0.3, held.clear)
    timer.start()
    before = time.monotonic()
    guard_load.wait_until_closed(version)
    assert time.monotonic() - before > 0.2
    timer.join()


def test_a_weak_proxy_of_a_dead_object_is_not_an_open_file(version: Path) -> None:
    """Any library may keep such a proxy, and even `isinstance` with it raises ReferenceError."""
    proxy = weakref.proxy(set())
    guard_load.wait_until_closed(version)
    with pytest.raises(ReferenceError):
        len(proxy)


def test_without_disk_space_rows_are_counted_by_streaming(
    version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache of a loaded dataset can be larger than the free space; streaming writes nothing."""
    monkeypatch.setattr(guard_load, "_ROOM", 1e15)
    check = check_version(version.parent)
    assert (check.faults, check.loaded) == ([], {"train": 3})


def test_the_viewers_limits_are_warnings(version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version that loads but that the viewer cannot show can be published."""
    from builder.hub import guard_viewer

    for name in ("MAX_GROUP_BYTES", "MAX_ROW_BYTES", "MAX_FILE_BYTES", "MAX_FOLDER_FILES", "MAX_SPLITS"):
        monkeypatch.setattr(guard_viewer, name, 0)
    monkeypatch.setattr(guard_viewer, "MAX_COLUMNS", 1)
    monkeypatch.setattr(guard_viewer, "MAX_NAME_CHARS", 9)
    check = check_version(version.parent)
    assert check.fit
    warnings = " ".join(warning.what for warning in check.warnings)
    for what in (
        "columns",
        "is longer",
        "splits",
        "files",
        "larger than",
        "row group of",
        "has rows of more",
    ):
        assert what in warnings


@pytest.mark.parametrize("split", ["train-clean", "all", "a b"])
def test_splits_that_cannot_be_loaded_are_faults(version: Path, split: str) -> None:
    """`load_dataset` accepts letters, digits and underscores."""
    import dataclasses

    from builder import Corpus
    from builder.hub.guard_card import name_faults

    manifest = Corpus(version.parent).manifest("1.0.0")
    assert list(name_faults(manifest)) == []
    renamed = dataclasses.replace(manifest, splits={split: manifest.splits["train"]})
    (fault,) = name_faults(renamed)
    assert fault.where == split
