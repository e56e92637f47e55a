"""Lines: for any bytes, chunks and tasks, the source gives the lines of a naive reader."""

from __future__ import annotations

from itertools import pairwise
from unittest import mock

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from builder.engines.guard import NullGuard
from builder.io.jsonl import JsonlSource
from builder.io.reading import lines as lines_module
from builder.protocols import Task

BOM = b"\xef\xbb\xbf"
pieces = st.sampled_from([b"\n", b"\r\n", b"\r", b" ", b"\t", b"{}", b"ab", b"\xff", BOM, b"x" * 9, b"\0"])
contents = st.lists(pieces | st.binary(max_size=3), max_size=30).map(b"".join)


def naive(data: bytes, limit: int) -> list[tuple[int, bytes, bool]]:
    """Return offset, content and whether it fails, for each line that is too long or not blank."""
    offset = len(BOM) if data.startswith(BOM) else 0
    found = []
    for line in data[offset:].split(b"\n"):
        content = line.removesuffix(b"\r")
        if content.strip(b" \t\r") or len(content) > limit:
            found.append((offset, content[:limit], len(content) > limit))
        offset += len(line) + 1
    return found


def read(
    data: bytes, cuts: list[int], *, limit: int, chunk: int, block: int
) -> list[tuple[int, bytes, bool]]:
    """Return the same from the source, one task for each range; check the order within readings."""
    source = JsonlSource(path="x", max_record_bytes=limit)
    edges = [0, *sorted(cuts), None]

    def chunks(found, *, start, **_):
        return (data[at : at + chunk] for at in range(start, len(data), chunk))

    out: list[tuple[int, bytes, bool]] = []
    with (
        mock.patch("builder.io.reading.record_source.guarded_chunks", chunks),
        mock.patch.object(lines_module, "LINES_BLOCK_BYTES", block),
    ):
        for start, stop in pairwise(edges):
            task = Task(source="jsonl", path="x", name="x", size_bytes=0, start=start or 0, stop=stop)
            n_records = 0
            for reading in source.read_file(task, guard=NullGuard(), batch_rows=3):
                rows = [(r["_record"], r["_raw"], False) for r in reading.batch.to_pylist()]
                rows += [(r["_record"], r["record"], True) for r in reading.rejected.to_pylist()]
                rows.sort(key=lambda row: row[0]["ordinal"])
                assert [r["ordinal"] for r, _, _ in rows] == list(
                    range(n_records, n_records + reading.n_records)
                )
                assert all(r["id"] == f"jsonl/x@{r['offset']}" for r, _, _ in rows)
                n_records += reading.n_records
                out += [(r["offset"], raw, bad) for r, raw, bad in rows]
    return out


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, list[int]]:
    """Return a file and the offsets of its cuts: at line ends, one byte next to them, or anywhere."""
    data = draw(st.sampled_from([b"", BOM])) + draw(contents)
    feeds = [at for at, byte in enumerate(data) if byte == 0x0A]
    near = [at + step for at in [0, *feeds] for step in (0, 1, 2)]
    return data, draw(st.lists(st.sampled_from(near) | st.integers(1, 60), max_size=4))


@settings(max_examples=500)
@given(
    file=files(), limit=st.integers(1, 12), chunk=st.integers(1, 20), block=st.sampled_from([1, 5, 40, 999])
)
@example(file=(BOM + b"a\nb", [1, 2, 3]), limit=5, chunk=1, block=1)
@example(file=(b"12345\r\n123456\r\n", []), limit=5, chunk=1, block=1)
@example(file=(b"12345\r\n123456\r\n", []), limit=5, chunk=6, block=999)
@example(file=(BOM + b"\r \t\n ", [1, 8]), limit=1, chunk=3, block=5)
@example(file=(b"x" * 40 + b"\n{}\n", [3, 20, 41]), limit=5, chunk=7, block=8)
def test_any_bytes_in_any_chunks_and_tasks_give_the_lines_of_a_naive_reader(
    file: tuple[bytes, list[int]], limit: int, chunk: int, block: int
) -> None:
    """Each line belongs to exactly one task, has its offset, and fails exactly if it is too long."""
    data, cuts = file
    assume(data[:2] not in (b"\xff\xfe", b"\xfe\xff"))  # the mark of UTF-16
    assert read(data, cuts, limit=limit, chunk=chunk, block=block) == naive(data, limit)
