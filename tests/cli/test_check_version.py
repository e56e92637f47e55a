"""`check` of a version: what would keep `load_dataset` from giving what the manifest tells."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder.build.check_version import _column_faults, check_version

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


def test_an_empty_shard_is_a_fault(version: Path) -> None:
    """`load_dataset` fails on a file without rows."""
    rewrite(version, lambda table: table.slice(0, 0))
    found = faults(version)
    assert "is empty" in found
    assert "has 0 rows, the manifest says 3" in found


def test_other_columns_are_a_fault(version: Path) -> None:
    """A column of another type, or another order, is not what was promised."""
    rewrite(version, lambda table: table.select([*table.column_names[1:], "id"]))
    assert faults(version) == ["has other columns than the manifest says"]


def test_a_missing_shard_is_a_fault(version: Path) -> None:
    """It is found from the manifest and from the card."""
    (version / SHARD).unlink()
    found = faults(version)
    assert "of split train cannot be opened" in found
    assert f"names {SHARD}, which cannot be opened" in found


def test_a_card_that_leads_elsewhere_is_a_fault(version: Path) -> None:
    """What counts is what the card's first config names, because that is what `load_dataset` follows."""
    card = version / "README.md"
    text = card.read_text()
    card.chmod(0o644)
    card.write_text(text.replace("split: train", "split: test"))
    assert faults(version) == ["gives the splits {'test': 3}, the manifest says {'train': 3}"]
    card.write_text("no front matter")
    assert faults(version) == ["names no files to load"]


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
    (fault,) = _column_faults(pa.schema([("good", pa.string()), ("bad", kind)]))
    assert fault.where == "/bad"
    assert says in fault.what
