"""Parts of a task: attempts continue what others have finished, and two at once do no harm."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.pipeline.parts import Part, TaskParts
from builder.protocols import RefusedUnit

HERE = Path(__file__).parent


def add(task: TaskParts, number: int, n_rows: int = 3) -> Part:
    """Add a part whose rows are copies of its number."""
    rows = pa.record_batch({"x": pa.array([f"part {number}"] * n_rows)})
    refused = [RefusedUnit(stage="extract_text", unit=number, reason="timeout")]
    tables = {"rows": rows, "rejected": rows.slice(0, 1)}
    return task.add(tables, n_records=n_rows, counts={"read": n_rows}, refused=refused)


def numbers(task: TaskParts) -> list[int]:
    """Return the numbers of the parts, as their rows have them."""
    return [int(part.table("rows")["x"][0].as_py().split()[1]) for part in task.parts]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_each_attempt_continues_after_the_parts_of_the_ones_before(added: list[int]) -> None:
    """An attempt may end after any number of parts; the next one finds all parts in their order."""
    with tempfile.TemporaryDirectory() as folder:
        n_parts = 0
        for n_more in added:
            task = TaskParts(Path(folder))
            assert numbers(task) == list(range(n_parts))
            assert task.finished() is None
            for _ in range(n_more):
                add(task, n_parts)
                n_parts += 1
        finished = TaskParts(Path(folder)).finish(3 * n_parts)
        again = TaskParts(Path(folder))
        assert again.finished() == finished
        assert [part.refused for part in again.parts] == [
            [["extract_text", n, "timeout"]] for n in range(n_parts)
        ]
        assert all(part.open_rows().equals(part.files["rows"].read()) for part in again.parts)


def test_an_attempt_does_not_see_what_another_one_adds_later(tmp_path: Path) -> None:
    """Both write all parts; a third attempt takes the parts of one of them, each part once."""
    one, two = TaskParts(tmp_path), TaskParts(tmp_path)
    for number in range(3):
        add(one, number)
        add(two, number)
    assert numbers(TaskParts(tmp_path)) == [0, 1, 2]
    assert not {part.files["rows"].path for part in one.parts} & {
        part.files["rows"].path for part in two.parts
    }


def test_a_finished_task_counts_the_records_of_its_reader(tmp_path: Path) -> None:
    """A task with other parts than it had when it was finished is not finished."""
    task = TaskParts(tmp_path)
    add(task, 0)
    task.finish(3)
    assert TaskParts(tmp_path).finished() is not None
    (tmp_path / "done").write_bytes(orjson.dumps({"n_parts": 1, "n_records": 4}))
    assert TaskParts(tmp_path).finished() is None


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [(["a", "b", "c"], [0, 1, 2]), (["a", "x", "c"], [0]), (["a"], [0]), (["x", "a", "b", "c"], [])],
)
def test_parts_that_were_made_from_other_rows_are_not_kept(
    tmp_path: Path, wanted: list[str], kept: list[int]
) -> None:
    """After damage, an earlier pass can have cut its rows into other parts."""
    task = TaskParts(tmp_path)
    for number, source in enumerate("abc"):
        rows = pa.record_batch({"x": pa.array([f"part {number}"])})
        task.add({"rows": rows, "rejected": rows}, n_records=1, counts={}, made_from=source)
    again = TaskParts(tmp_path)
    again.keep_made_from(wanted)
    assert numbers(again) == kept
    for source in wanted[len(kept) :]:
        again.add({"rows": rows, "rejected": rows}, n_records=1, counts={}, made_from=source)
    assert [part.made_from for part in again.parts] == wanted


ATTEMPT = """
import sys, json
sys.path[:0] = json.loads(sys.argv[1])
from pathlib import Path
import numpy as np
import pyarrow as pa
from test_parts import add
from builder.io.parquet_sink.shards import write_shard
from builder.io.streams.replacing import save_array
from builder.pipeline.parts import TaskParts

folder, n_rounds = Path(sys.argv[2]), int(sys.argv[3])
rows = pa.table({"x": pa.array(["a", "b"] * 50)})
for round in range(n_rounds):
    task = TaskParts(folder / str(round))
    for number in range(len(task.parts), 3):
        add(task, number, 100)
    task.finish(300)
    save_array(folder / "array.npy", np.arange(5_000))
    write_shard(folder / "shard.parquet", rows.schema, [rows])
"""


@pytest.mark.parametrize("n_rounds", [40, pytest.param(1_000, marks=pytest.mark.long)])
def test_two_attempts_at_once_and_a_reader_see_whole_files(tmp_path: Path, n_rounds: int) -> None:
    """A reader that has mapped a file keeps its bytes; neither writer removes a file of the other one."""
    paths = json.dumps([str(HERE), *sys.path])
    command = [sys.executable, "-c", ATTEMPT, paths, str(tmp_path), str(n_rounds)]
    attempts = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    n_read = 0
    while any(attempt.poll() is None for attempt in attempts):
        n_read += _read_all(tmp_path, n_rounds)
    assert [attempt.communicate()[1] for attempt in attempts] == ["", ""]
    assert [attempt.returncode for attempt in attempts] == [0, 0]
    assert n_read
    assert _read_all(tmp_path, n_rounds) == 3 * n_rounds
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def _read_all(folder: Path, n_rounds: int) -> int:
    """Read what is there by map, and check it; return the number of parts."""
    import numpy as np
    import pyarrow.parquet as pq

    n_parts = 0
    for number in range(n_rounds):
        for place, part in enumerate(TaskParts(folder / str(number)).parts):
            assert part.open_rows().column("x").to_pylist() == [f"part {place}"] * 100
            n_parts += 1
    if (array := folder / "array.npy").exists():
        assert np.load(array, mmap_mode="r").sum() == sum(range(5_000))
    if (shard := folder / "shard.parquet").exists():
        assert pq.read_table(shard, memory_map=True).num_rows == 100
    return n_parts
