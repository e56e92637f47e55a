"""Sources whose files are one record each: text and HTML."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from builder.engines.guard import NullGuard
from builder.io.html import HtmlSource
from builder.io.reading import file_source
from builder.io.text import TextSource

if TYPE_CHECKING:
    from pathlib import Path

    from builder.protocols import Reading

each_source = pytest.mark.parametrize(("source", "suffix"), [(TextSource, ".txt"), (HtmlSource, ".html")])


def readings(source: Any, *, batch_rows: int = 100) -> list[Reading]:
    return [r for task in source.tasks() for r in source.read(task, guard=NullGuard(), batch_rows=batch_rows)]


def ids(found: list[Reading]) -> list[str]:
    """Return the ids of all records, failed or not, in the order of each task."""
    out: list[str] = []
    for reading in found:
        rows = reading.batch.column("_record").to_pylist() + reading.rejected.column("_record").to_pylist()
        assert len(rows) == reading.n_records
        out += [row["id"] for row in sorted(rows, key=lambda row: row["ordinal"])]
    return out


def failures(found: list[Reading]) -> list[tuple[str, str]]:
    rows = [row for reading in found for row in reading.rejected.to_pylist()]
    return [(row["_record"]["path"], row["reason"]) for row in rows]


@each_source
def test_each_file_is_one_record(tmp_path: Path, source: Any, suffix: str) -> None:
    """Its name is its path below the folder; records are in the order of the names, whatever the content."""
    (tmp_path / "b").mkdir()
    (tmp_path / f"b/x{suffix}").write_bytes(b"")
    (tmp_path / f"a{suffix}").write_bytes(b"{}")
    (tmp_path / f"c{suffix}.gz").write_bytes(gzip.compress(b"[]"))
    (tmp_path / "other").write_bytes(b"")
    found = readings(source(path=str(tmp_path)))
    kind = source.kind
    assert ids(found) == [f"{kind}/a{suffix}@0", f"{kind}/b/x{suffix}@0", f"{kind}/c{suffix}.gz@0"]


@each_source
def test_small_files_are_read_together(
    tmp_path: Path, source: Any, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task ends before its limit of files or bytes; the records do not depend on the grouping."""
    for i in range(10):
        (tmp_path / f"{i}{suffix}").write_bytes(b"x" * 100)
    reader = source(path=str(tmp_path))
    whole = readings(reader)
    for n_files, n_bytes, expected in ((3, 1 << 20, [3, 3, 3, 1]), (99, 450, [4, 4, 2]), (99, 50, [1] * 10)):
        monkeypatch.setattr(file_source, "GROUP_FILES", n_files)
        monkeypatch.setattr(file_source, "GROUP_BYTES", n_bytes)
        assert [len(task.files) for task in reader.tasks()] == expected
        assert ids(readings(reader, batch_rows=2)) == ids(whole)


@each_source
def test_a_file_over_the_limit_fails_without_being_read(
    tmp_path: Path, source: Any, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size of an uncompressed file is known; decompression of another stops at the limit."""
    (tmp_path / f"a{suffix}").write_bytes(b"x" * 101)
    (tmp_path / f"b{suffix}.gz").write_bytes(gzip.compress(b"x" * (64 << 20)))
    (tmp_path / f"c{suffix}").write_bytes(b"x" * 100)
    found = readings(source(path=str(tmp_path), max_record_bytes=100))
    assert failures(found) == [(f"a{suffix}", "record_too_big"), (f"b{suffix}.gz", "record_too_big")]
    assert len(ids(found)) == 3


@each_source
def test_a_damaged_file_is_one_failed_record(tmp_path: Path, source: Any, suffix: str) -> None:
    """The readable part is kept, and the next file is read."""
    text = b"some words " * 50_000
    (tmp_path / f"a{suffix}.gz").write_bytes(gzip.compress(text, 0)[:200_000])
    (tmp_path / f"b{suffix}").write_bytes(b"{}")
    found = readings(source(path=str(tmp_path)))
    assert failures(found) == [(f"a{suffix}.gz", "gzip_truncated")]
    (kept,) = [row for reading in found for row in reading.rejected.column("record").to_pylist()]
    assert text.startswith(kept)
    assert len(kept) > 100_000
    assert len(ids(found)) == 2


@each_source
def test_only_compressed_files_make_a_source_untrusted(tmp_path: Path, source: Any, suffix: str) -> None:
    """Native decompressors read bytes from unknown servers only under the guard."""
    (tmp_path / f"a{suffix}").write_bytes(b"")
    assert not source(path=str(tmp_path)).untrusted
    (tmp_path / f"b{suffix}.zst").write_bytes(b"")
    assert source(path=str(tmp_path)).untrusted


def test_text_is_decoded_and_replaced_bytes_are_counted(tmp_path: Path) -> None:
    """A byte order mark decides first and is not part of the text."""
    (tmp_path / "a.txt").write_bytes("Größe".encode("utf-16"))
    (tmp_path / "b.txt").write_bytes(b"\xef\xbb\xbfok \xff")
    (found,) = readings(TextSource(path=str(tmp_path)))
    assert found.batch.column("text").to_pylist() == ["Größe", "ok \ufffd"]
    assert found.batch.column("html").null_count == 2
    assert found.counts == {"replaced_chars": 1}


def test_html_has_the_url_that_it_declares(tmp_path: Path) -> None:
    """From its head, else null; the meta tag is used for the charset."""
    page = '<meta charset=koi8-r><link rel=canonical href="https://a.example/x">мир'
    (tmp_path / "a.html").write_bytes(page.encode("koi8-r"))
    (tmp_path / "b.HTM").write_bytes(b"<p>x")
    (found,) = readings(HtmlSource(path=str(tmp_path)))
    assert found.batch.column("html").to_pylist() == [page, "<p>x"]
    assert found.batch.column("url").to_pylist() == ["https://a.example/x", None]


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("source", "path"),
    [
        (TextSource, "utf8tests/**"),
        (HtmlSource, "chardet-encodings/**"),
        (HtmlSource, "html5lib-tests/**"),
        (HtmlSource, "wcxb/html"),
    ],
)
def test_every_real_file_is_one_record(corpora: Path, source: Any, path: str) -> None:
    """No file is lost, and none ends the reading."""
    reader = source(path=str(corpora / path))
    assert len(ids(readings(reader))) == len(reader.inputs()) > 0
