"""Tests of the spool: rows by number over many parts, and parts that refer to the columns of others."""

from __future__ import annotations

import pickle
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapped_memory import resident_bytes

from builder.history.index import open_arrow
from builder.pipeline import spool as spool_module
from builder.pipeline.barriers import write_segment
from builder.pipeline.parts import Part, TaskParts
from builder.pipeline.spool import AT, Spool, sketch_name
from builder.protocols import Verdicts

PARTS = st.lists(st.lists(st.text(max_size=3), max_size=5), max_size=6)


def write_part(folder: Path, tables: dict[str, pa.RecordBatch]) -> Part:
    return TaskParts(folder).add(tables, n_records=tables["rows"].num_rows, counts={})


def spool_of(folder: Path, texts: list[list[str]]) -> Spool:
    """Write a part for each list of texts."""
    parts = []
    for number, some in enumerate(texts):
        rows = pa.record_batch(
            {"text": pa.array(some, pa.string()), "_key": pa.array(range(len(some)), pa.int64())}
        )
        tables = {"rows": rows, "rejected": rows.slice(0, 0)}
        parts.append(write_part(folder / f"{number}", tables))
    return Spool(parts, "text")


@given(PARTS, st.data())
def test_texts_are_in_the_order_of_the_requested_rows(texts: list[list[str]], data: st.DataObject) -> None:
    """Rows are numbered over all parts; a stage may request rows in any order, and a row more than once."""
    flat = [text for some in texts for text in some]
    rows = data.draw(st.lists(st.integers(0, max(len(flat) - 1, 0)), max_size=8 if flat else 0))
    with tempfile.TemporaryDirectory() as folder:
        taken = spool_of(Path(folder), texts).take(np.array(rows, np.int64))
        assert [one.decode() for one in taken.to_pylist()] == [flat[row] for row in rows]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such table")
def test_after_texts_are_copied_no_page_stays_in_memory(tmp_path: Path) -> None:
    """Otherwise the mapped files of all parts would fill the memory."""
    spool = spool_of(tmp_path, [["x" * 1_000_000] * 8, ["y" * 1_000_000] * 8])
    assert len(spool.take(np.arange(16))) == 16
    resident = [resident_bytes(Path(part.files["rows"].path)) for part in spool.parts]
    assert max(resident) < 1_000_000


@given(PARTS, st.integers(1, 12))
def test_pieces_contain_each_row_once(texts: list[list[str]], n_rows: int) -> None:
    """Pieces follow one another without a gap, and only the last one may be smaller than requested."""
    with tempfile.TemporaryDirectory() as folder:
        spool = spool_of(Path(folder), texts)
        pieces = [(one.parts, one.n_rows, first) for one, first in spool.in_pieces(n_rows)]
    assert [part for parts, _, _ in pieces for part in parts] == list(spool.parts)
    assert [first for _, _, first in pieces] == np.cumsum([0, *(n for _, n, _ in pieces)])[:-1].tolist()
    assert all(n >= n_rows for _, n, _ in pieces[:-1])


def test_public_columns_are_read_from_the_base_part(tmp_path: Path) -> None:
    """Underscore columns are the part's own; ``_at`` has the places of the public ones in the base part."""
    base = spool_of(tmp_path / "0", [["a", "b", "c"]]).parts[0]
    rows = pa.record_batch({"_key": pa.array([7, 8]), AT: pa.array([2, 0])})
    tables = {"rows": rows, "rejected": rows.slice(0, 0)}
    referring = replace(write_part(tmp_path / "1", tables), base=base.files["rows"])
    found = Spool([referring]).take_rows(np.array([0, 1]), ["text", "_key"])
    assert found.to_pydict() == {"text": ["c", "a"], "_key": [7, 8]}


def test_a_spool_is_pickled_without_its_maps(tmp_path: Path) -> None:
    """Workers receive paths and numbers only, even if this process has mapped the files."""
    spool = spool_of(tmp_path, [["a" * 1000] * 50])
    fresh = len(pickle.dumps(spool))
    spool.take(np.arange(50))
    again = pickle.loads(pickle.dumps(spool))
    assert len(pickle.dumps(spool)) == fresh < 1000
    assert again.column("text").to_pylist() == spool.column("text").to_pylist()


@given(PARTS, st.integers(1, 3), st.data())
def test_a_limit_of_maps_changes_no_row(texts: list[list[str]], max_maps: int, data: st.DataObject) -> None:
    """A process can map some 65,000 files, so a spool closes some maps before it opens others."""
    n_rows = sum(map(len, texts))
    rows = np.array(data.draw(st.lists(st.integers(0, max(n_rows - 1, 0)), max_size=8 if n_rows else 0)), int)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        whole = spool_of(Path(folder), texts)
        expected = whole.take(rows).to_pylist(), whole.column("_key").to_pylist()
        patch.setattr(spool_module, "MAX_MAPS", max_maps)
        limited = Spool(whole.parts, "text")
        assert (limited.take(rows).to_pylist(), limited.column("_key").to_pylist()) == expected
        assert len(limited._mapped) <= max_maps


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such table")
def test_a_column_of_many_files_holds_no_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column that refers to a map keeps it open, so the column of more files than that is a copy."""
    monkeypatch.setattr(spool_module, "MAX_MAPS", 4)
    spool = spool_of(tmp_path, [["a"]] * 20)
    column = spool.column("text")
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    assert len(column) == 20
    assert maps.count(str(tmp_path)) <= 4


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have another limit of maps")
def test_a_spool_of_70000_files_can_be_read(tmp_path: Path) -> None:
    """Linux lets a process map some 65,000 files."""
    spool = spool_of(tmp_path, [[str(number)] for number in range(70_000)])
    rows = np.arange(0, 70_000, 7)
    assert [int(one) for one in spool.take(rows).to_pylist()] == rows.tolist()
    assert len(spool.column("text")) == 70_000
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    assert maps.count(str(tmp_path)) <= spool_module.MAX_MAPS


class Keeps:
    """A corpus stage that remembers the key of each row that stayed."""

    name = "keeps"

    def remember(self, sketches, verdicts):  # type: ignore[no-untyped-def]
        stayed = np.flatnonzero(verdicts.keeper == np.arange(len(verdicts.keeper)))
        return pa.table({"row": pa.array(stayed), "key": sketches.column("key").take(pa.array(stayed))})


@pytest.mark.parametrize("n_rows", [1, 4, 100])
def test_a_segment_is_the_same_however_it_is_cut(
    n_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the keepers of all pieces, by their numbers in the first spool, and no merged row."""
    keeper = np.array([0, 0, 2, 5, -1, 5, 0, 7, -2])
    parts = []
    for number, rows in enumerate(np.split(np.arange(9), [3, 3, 4, 8])):
        batch = pa.record_batch(
            {sketch_name("keeps", "key"): pa.array(rows * 11), "_row": pa.array(rows * 2)}
        )
        tables = {"rows": batch, "rejected": batch.slice(0, 0)}
        parts.append(write_part(tmp_path / f"{number}", tables))
    monkeypatch.setattr(sys.modules["builder.pipeline.barriers"], "_SEGMENT_ROWS", n_rows)
    verdicts = Verdicts(keeper=keeper, similarity=np.full(9, np.nan), reason="")
    write_segment(tmp_path / "keeps.arrow", Keeps(), Spool(parts), verdicts)  # type: ignore[arg-type]
    found = open_arrow(tmp_path / "keeps.arrow").to_pydict()
    assert found == {"row": [0, 4, 10, 14], "key": [0, 22, 55, 77]}
