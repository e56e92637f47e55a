"""The source of JSON lines."""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import threading
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from builder.engines.guard import NullGuard
from builder.io import jsonl
from builder.io.jsonl import JsonlSource

if TYPE_CHECKING:
    from builder.protocols import Reading


def readings(source: Any, *, guard: Any = None, batch_rows: int = 100) -> list[Reading]:
    """Return all readings of a source."""
    guard = guard or NullGuard()
    return [r for task in source.tasks() for r in source.read(task, guard=guard, batch_rows=batch_rows)]


def raw(found: list[Reading]) -> list[bytes]:
    return [line for reading in found for line in reading.batch.column("_raw").to_pylist()]


def failures(found: list[Reading]) -> list[tuple[str, int]]:
    rows = [row for reading in found for row in reading.rejected.to_pylist()]
    assert all(row["outcome"] == "failed" and row["stage"] == row["_record"]["source"] for row in rows)
    return [(row["reason"], row["_record"]["offset"]) for row in rows]


LINES = [json.dumps({"i": i, "text": "x" * (i % 50)}).encode() for i in range(1000)]


def test_lines_are_read_unchanged(tmp_path: Path) -> None:
    """Without line ends; blank lines are skipped; invalid JSON is left to ``validate``."""
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\n  \n{broken\n\xff\n{}')
    found = readings(JsonlSource(path=str(tmp_path / "a.jsonl")))
    assert raw(found) == [b'{"a": 1}', b"{broken", b"\xff", b"{}"]
    assert found[0].n_records == 4
    assert [r["offset"] for r in found[0].batch.column("_record").to_pylist()] == [3, 17, 25, 27]


@pytest.mark.parametrize("batch_rows", [1, 7, 5000])
def test_batches_have_at_most_the_given_number_of_rows(tmp_path: Path, batch_rows: int) -> None:
    """The lines are the same for every batch size."""
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(LINES))
    found = readings(JsonlSource(path=str(tmp_path)), batch_rows=batch_rows)
    assert raw(found) == LINES
    assert max(r.batch.num_rows for r in found) == min(batch_rows, len(LINES))


def test_a_large_uncompressed_file_is_split_into_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the size decides; each line is read once, and its id does not depend on the split."""
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(LINES))
    source = JsonlSource(path=str(tmp_path))
    whole = readings(source)
    monkeypatch.setattr(jsonl, "TASK_BYTES", 1000)
    tasks = source.tasks()
    size = (tmp_path / "a.jsonl").stat().st_size
    assert [task.start for task in tasks] == list(range(0, size, 1000))
    assert sum(task.size_bytes for task in tasks) == size
    found = readings(source)
    assert raw(found) == LINES
    ids = [r["id"] for one in found for r in one.batch.column("_record").to_pylist()]
    assert ids == [r["id"] for one in whole for r in one.batch.column("_record").to_pylist()]


def test_a_compressed_file_is_one_task_and_untrusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Native decompressors read bytes from unknown servers only under the guard."""
    monkeypatch.setattr(jsonl, "TASK_BYTES", 10)
    (tmp_path / "a.jsonl").write_bytes(b"{}\n" * 3)
    assert not JsonlSource(path=str(tmp_path)).untrusted
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"{}\n" * 100))
    source = JsonlSource(path=str(tmp_path))
    assert source.untrusted
    assert [task.name for task in source.tasks()] == ["a.jsonl", "b.jsonl.gz"]
    assert raw(readings(source)) == [b"{}"] * 103


def test_a_damaged_gzip_file_fails_the_line_with_the_damage(tmp_path: Path) -> None:
    """All lines before it are read, and the readable part of it is kept."""
    packed = gzip.compress(b"\n".join(LINES))
    (tmp_path / "a.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "b.jsonl").write_bytes(b"{}")
    found = readings(JsonlSource(path=str(tmp_path)))
    lines = raw(found)
    assert lines[:-1] == LINES[: len(lines) - 1]
    assert lines[-1] == b"{}"
    assert failures(found) == [("gzip_truncated", sum(len(line) + 1 for line in lines[:-1]))]
    (row,) = [row for reading in found for row in reading.rejected.to_pylist()]
    assert LINES[len(lines) - 1].startswith(row["record"])
    assert sum(r.n_records for r in found) == len(lines) + 1


def test_a_line_over_the_limit_fails_and_the_others_are_read(tmp_path: Path) -> None:
    """A line of exactly the limit is accepted; the line end does not count."""
    (tmp_path / "a.jsonl").write_bytes(b"12345\r\n123456\n12345\n")
    found = readings(JsonlSource(path=str(tmp_path), max_record_bytes=5))
    assert raw(found) == [b"12345", b"12345"]
    assert failures(found) == [("record_too_big", 7)]
    assert found[0].rejected.column("record").to_pylist() == [b"12345"]


def test_a_line_over_the_limit_is_not_held_in_memory(tmp_path: Path) -> None:
    """With a compressed line of 200 MB, memory stays at a few blocks and the limit."""
    with gzip.open(tmp_path / "a.jsonl.gz", "wb", compresslevel=1) as file:
        for _ in range(200):
            file.write(b"a" * 1_000_000)
        file.write(b"\n{}\n")
    source = JsonlSource(path=str(tmp_path), max_record_bytes=1 << 20)
    readings(JsonlSource(path=str(tmp_path), max_record_bytes=1))
    tracemalloc.start()
    found = readings(source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (raw(found), failures(found)) == ([b"{}"], [("record_too_big", 0)])
    assert peak < 32 << 20


class Refusing(NullGuard):
    """A guard whose third chunk stopped a worker before."""

    def enter(self, stage: str, unit: int, *, limit_s: float = 60.0) -> str | None:
        return "crash" if unit == 2 else None


def test_a_chunk_that_crashed_a_worker_ends_the_file(tmp_path: Path) -> None:
    """The data before it are read; the rest is one failed record."""
    packed = [gzip.compress(b'{"a": 1}\n' * 100)] * 5
    (tmp_path / "a.jsonl.gz").write_bytes(b"".join(packed))
    found = readings(JsonlSource(path=str(tmp_path)), guard=Refusing())
    assert raw(found) == [b'{"a": 1}'] * 200
    assert failures(found) == [("crash", 1800)]


ARRAYS = (
    b'[\n{"a": 1},\n{"a": 2}\n]',
    b'[{"a": 1}]',
    b' \n[\n  {\n    "a": 1\n  }\n]\n',
    b'\xef\xbb\xbf[{"a": 1},\n{"a": 2}][{"a": 3}]',
    '[{"a": 1}]'.encode("utf-16"),
)


@pytest.mark.parametrize("data", ARRAYS)
def test_an_array_is_one_failed_record_that_names_the_source_to_use(tmp_path: Path, data: bytes) -> None:
    """Its last line alone can be an object, which would be read as the only record of the file."""
    (tmp_path / "a.jsonl").write_bytes(data)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(data))
    found = readings(JsonlSource(path=str(tmp_path)))
    assert raw(found) == []
    assert failures(found) == [("json_array", 0)] * 2
    (row, _) = [row for reading in found for row in reading.rejected.to_pylist()]
    assert "json source, - json: {path: ...}" in row["message"]


@pytest.mark.parametrize("data", [b"[\n" + b'{"a": 1},\n' * 9, '{"a": 1}\n'.encode("utf-16") * 9])
def test_a_file_in_another_form_is_not_read_in_parts(
    tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its first bytes show that it is an array, or in UTF-16."""
    monkeypatch.setattr(jsonl, "TASK_BYTES", 20)
    (tmp_path / "a.jsonl").write_bytes(data)
    (tmp_path / "b.jsonl").write_bytes(b'{"a": 1}\n' * 5)
    names = [task.name for task in JsonlSource(path=str(tmp_path)).tasks()]
    assert names == ["a.jsonl", "b.jsonl", "b.jsonl", "b.jsonl"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_with_its_mark_is_read(tmp_path: Path, encoding: str) -> None:
    """PowerShell writes it; half of a surrogate pair fails its line only."""
    lines = ['{"a": "é 🌊"}\r\n'.encode(encoding), b"{\0\0\xd8\n\0", '{"b": 1}'.encode(encoding)]
    if encoding == "utf-16-be":
        lines[1] = b"\0{\xd8\0\0\n"
    (tmp_path / "a.jsonl").write_bytes("\ufeff".encode(encoding) + b"".join(lines))
    assert raw(readings(JsonlSource(path=str(tmp_path)))) == ['{"a": "é 🌊"}'.encode(), b"{\xff", b'{"b": 1}']


def test_an_empty_file_has_no_record(tmp_path: Path) -> None:
    """No row and no failure."""
    (tmp_path / "a.jsonl").write_bytes(b"")
    assert readings(JsonlSource(path=str(tmp_path))) == []


def test_a_source_is_named_by_its_kind_unless_it_has_a_name(tmp_path: Path) -> None:
    """The name is part of every record's id."""
    (tmp_path / "a.jsonl").write_bytes(b"{}")
    for name, expected in ((None, "jsonl/a.jsonl@0"), ("feed", "feed/a.jsonl@0")):
        (found,) = readings(JsonlSource(path=str(tmp_path / "a.jsonl"), name=name))
        assert found.batch.column("_record").to_pylist()[0]["id"] == expected


@pytest.mark.corpora
def test_every_line_of_real_feeds_is_a_record(corpora: Path) -> None:
    """The count equals that of a plain loop over the lines."""
    path = str(corpora / "**" / "*.jsonl*")
    expected = 0
    for found in JsonlSource(path=path).inputs():
        with (gzip.open if found.path.endswith(".gz") else open)(found.path, "rb") as file:
            expected += sum(1 for line in file if line.strip())
    assert sum(r.n_records for r in readings(JsonlSource(path=path))) == expected > 0


def test_lines_are_read_from_a_web_server(tmp_path: Path) -> None:
    """A source accepts any fsspec address, also ``http:``, and compressed files there."""
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(LINES))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"\n".join(LINES)))
    handler = functools.partial(QuietHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            for name in ("a.jsonl", "b.jsonl.gz"):
                assert (
                    raw(readings(JsonlSource(path=f"http://127.0.0.1:{server.server_port}/{name}"))) == LINES
                )
        finally:
            server.shutdown()
            thread.join()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """A handler that prints nothing on stderr."""

    def log_message(self, *_: Any) -> None:
        """Print nothing."""
