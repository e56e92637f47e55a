"""What a file or a member is by its bytes: refused by name, an archive in an archive, a page of any name."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard

from builder.engines.guard import NullGuard
from builder.io.csv import CsvSource
from builder.io.html import HtmlSource
from builder.io.json import JsonSource
from builder.io.jsonl import JsonlSource
from builder.io.parquet import ParquetSource

LINES = b'{"text": "a"}\n{"text": "b"}\n'
PAGE = b"<!DOCTYPE html><title>a</title><p>b"


def read(source: Any) -> tuple[list[dict[str, Any]], list[tuple[str, str, str]]]:
    """Return the rows, and id, reason and message of each failed record."""
    rows: list[dict[str, Any]] = []
    failed: list[tuple[str, str, str]] = []
    for task in source.tasks():
        for reading in source.read(task, guard=NullGuard(), batch_rows=100):
            rows += reading.batch.to_pylist()
            found = reading.rejected.to_pylist()
            failed += [(one["_record"]["path"], one["reason"], one["message"]) for one in found]
    return rows, failed


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return file.getvalue()


def tarred(mode: str = "w", **members: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name.replace("__", "."))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"7z\xbc\xaf\x27\x1c" + bytes(40), "7z"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(40), "RAR"),
        (b"\x1f\x9d\x90abc", "compress"),
        (lzma.compress(LINES, format=lzma.FORMAT_ALONE), "lzma"),
        (b"\xff\x06\x00\x00sNaPpY" + bytes(30), "snappy"),
        (zlib.compress(LINES), "zlib"),
        (gzip.compress(gzip.compress(LINES)), "gzip is compressed with gzip again"),
        (zstandard.compress(gzip.compress(LINES)), "gzip is compressed with zstd again"),
        (gzip.compress(zipped(a__jsonl=LINES)), "a zip archive is compressed with gzip"),
        (b"%PDF-1.7\n1 0 obj\n", "PDF"),
        (b"PAR1\x15\x04", "parquet source"),
        (LINES.decode().encode("utf-32"), "UTF-32"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40), "Excel"),
        (b"SQLite format 3\x00", "SQLite"),
    ],
    ids=lambda one: one if isinstance(one, str) else "bytes",
)
@pytest.mark.parametrize("kind", [JsonlSource, JsonSource, CsvSource])
def test_a_format_without_text_is_one_failed_record_that_names_it(
    tmp_path: Path, content: bytes, named: str, kind: Any
) -> None:
    """As lines, each of its line feeds would be a record that is not UTF-8, and nothing would say why."""
    (tmp_path / "a.data").write_bytes(content)
    rows, failed = read(kind(path=str(tmp_path / "*.data")))
    assert not rows
    ((path, reason, message),) = failed
    assert (path, reason) == ("a.data", "not_text")
    assert named in message
    assert "not_text" in kind.unreadable, "the gate --max-rejected counts the file as unreadable"


@pytest.mark.parametrize("header", [b"PAR1,PAR2", b"ORCID,name", b"Object,b"])
def test_text_that_begins_like_a_format_is_text(tmp_path: Path, header: bytes) -> None:
    """The bytes after the name decide."""
    (tmp_path / "a.csv").write_bytes(header + b"\n1,2\n")
    assert len(read(CsvSource(path=str(tmp_path / "a.csv")))[0]) == 1


def test_small_files_next_to_a_refused_one_are_read(tmp_path: Path) -> None:
    """A `json` source reads small files in groups."""
    for name in ("a", "c"):
        (tmp_path / f"{name}.json").write_bytes(b'{"text": "a"}')
    (tmp_path / "b.json").write_bytes(b"%PDF-1.7\n")
    rows, failed = read(JsonSource(path=str(tmp_path / "*.json")))
    assert [row["_record"]["path"] for row in rows] == ["a.json", "c.json"]
    assert [path for path, _, _ in failed] == ["b.json"]


def test_parquet_that_is_compressed_as_a_whole_says_so(tmp_path: Path) -> None:
    """The library only says that magic bytes are missing."""
    (tmp_path / "a.parquet").write_bytes(gzip.compress(b"PAR1PAR1"))
    _, ((_, _, message),) = read(ParquetSource(path=str(tmp_path / "a.parquet")))
    assert message == "the file is compressed with gzip as a whole: decompress it"


@pytest.mark.parametrize(
    "inner",
    [
        {"in__zip": zipped(a__jsonl=LINES)},
        {"in__jsonl": zipped(a__jsonl=LINES)},
        {"in__tar__gz": gzip.compress(tarred(a__jsonl=LINES))},
        {"in__jsonl": tarred(a__jsonl=LINES)},
    ],
)
@pytest.mark.parametrize("pack", [zipped, tarred, lambda **m: gzip.compress(tarred(**m))])
def test_an_archive_in_an_archive_is_refused_by_its_bytes(tmp_path: Path, inner: Any, pack: Any) -> None:
    """A member that has the name of lines would give records that are not UTF-8."""
    (tmp_path / "a").write_bytes(pack(**inner, b__jsonl=LINES))
    rows, failed = read(JsonlSource(path=str(tmp_path / "*")))
    assert {row["_record"]["path"] for row in rows} == {"a!/b.jsonl"}
    assert [reason for _, reason, _ in failed] == ["member_nested"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_pages_in_an_archive_of_a_mirror_are_found_by_their_content(tmp_path: Path, mode: str) -> None:
    """An archive is a folder, and in a folder a page may have any name."""
    members = {"about": PAGE, "page.php?id=2": PAGE, "style.css": b"p {}", "x.bin": bytes(512), "empty": b""}
    (tmp_path / "a.tar").write_bytes(tarred(mode, **members))
    (tmp_path / "a.zip").write_bytes(zipped(**members))
    rows, failed = read(HtmlSource(path=str(tmp_path / "*"), url_from_path="https"))
    assert sorted(row["_record"]["path"] for row in rows) == [
        f"a.{kind}!/{name}" for kind in ("tar", "zip") for name in ("about", "page.php?id=2")
    ]
    assert not failed
