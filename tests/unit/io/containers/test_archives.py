"""Zip and tar archives are read as folders; hostile ones give rows of the ledger, and write nothing."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import archives
import lz4.frame
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from builder.engines.guard import NullGuard
from builder.io.containers import members
from builder.io.csv import CsvSource
from builder.io.html import HtmlSource
from builder.io.jsonl import JsonlSource
from builder.io.parquet import ParquetSource
from builder.io.streams import limits
from builder.io.warc import WarcSource

LINES = b'{"text": "a"}\n{"text": "b"}\n'
PACK = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
    "lz4": lz4.frame.compress,
}


class Read:
    """Everything that a source gives for its files."""

    def __init__(self, source: Any, *, batch_rows: int = 100) -> None:
        self.rows: list[dict[str, Any]] = []
        self.failed: list[tuple[str, str]] = []
        self.counts: Counter[str] = Counter()
        for task in source.tasks():
            n_records = 0
            for reading in source.read(task, guard=NullGuard(), batch_rows=batch_rows):
                assert reading.n_records == reading.batch.num_rows + reading.rejected.num_rows
                both = [*reading.batch.to_pylist(), *reading.rejected.to_pylist()]
                ordinals = sorted(row["_record"]["ordinal"] for row in both)
                assert ordinals == list(range(n_records, n_records + reading.n_records))
                n_records += reading.n_records
                self.rows += reading.batch.to_pylist()
                self.failed += [(r["_record"]["id"], r["reason"]) for r in reading.rejected.to_pylist()]
                self.counts.update(reading.counts)
        assert {reason for _, reason in self.failed} <= set(type(source).reasons)
        assert len(set(self.ids)) == len(self.ids)

    @property
    def ids(self) -> list[str]:
        return [row["_record"]["id"] for row in self.rows] + [name for name, _ in self.failed]


def zipped(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def tarred(files: dict[str, bytes], *, kind: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def jsonl(tmp_path: Path, data: bytes, *, name: str) -> Read:
    (tmp_path / name).write_bytes(data)
    return Read(JsonlSource(path=str(tmp_path / name)))


# -- compression by content ------------------------------------------------------------------------


@pytest.mark.parametrize("codec", sorted(PACK))
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.xz", "a.data"])
def test_the_bytes_decide_how_a_file_is_compressed(tmp_path: Path, codec: str, name: str) -> None:
    """The name does not matter, not even another codec in it."""
    found = jsonl(tmp_path, PACK[codec](LINES), name=name)
    assert ([row["_raw"] for row in found.rows], found.failed) == ([b'{"text": "a"}', b'{"text": "b"}'], [])


def test_a_plain_file_with_the_name_of_a_compressed_one_is_plain(tmp_path: Path) -> None:
    """A download may have been decompressed without a new name."""
    assert len(jsonl(tmp_path, LINES, name="a.jsonl.gz").rows) == 2


def test_a_damaged_first_byte_does_not_make_a_file_plain(tmp_path: Path) -> None:
    """The name decides where the bytes are neither compressed nor text."""
    found = jsonl(tmp_path, b"\x00" + gzip.compress(LINES)[1:], name="a.jsonl.gz")
    assert [reason for _, reason in found.failed] == ["gzip_corrupt"]


def test_a_large_compressed_file_without_its_suffix_is_read_once(tmp_path: Path) -> None:
    """Its tasks are cut by its size, as if it were plain; all but the first read nothing."""
    data = gzip.compress(os.urandom(17 << 20).hex().encode() + b"\n" + LINES, compresslevel=0)
    (tmp_path / "a.jsonl").write_bytes(data)
    source = JsonlSource(path=str(tmp_path / "a.jsonl"))
    assert len(source.tasks()) == 3
    assert len(Read(source).rows) == 3


def test_a_frame_with_a_large_window_is_refused_by_its_name(tmp_path: Path) -> None:
    """A window of 256 MiB must be allocated to read any byte."""
    parameters = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    pack = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = pack.compress(LINES) + pack.flush()
    assert [reason for _, reason in jsonl(tmp_path, data, name="a.jsonl.zst").failed] == ["zstd_window"]


# -- archives as folders ---------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["", *sorted(PACK)])
@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_archive_is_read_as_a_folder(tmp_path: Path, codec: str, kind: int) -> None:
    """Whatever its compression and its name; members may be compressed too, and have long names."""
    long = f"{'d' * 90}/{'e' * 60}.jsonl"
    files = {"a/x.jsonl": LINES, "b.jsonl.gz": gzip.compress(LINES), long: LINES, "readme.txt": b"no"}
    data = tarred(files, kind=kind)
    found = jsonl(tmp_path, PACK[codec](data) if codec else data, name="e.data")
    prefix = "jsonl/e.data!/"
    assert found.ids == [f"{prefix}{n}@{at}" for n in ("a/x.jsonl", "b.jsonl.gz", long) for at in (0, 14)]
    assert found.counts == {"passed_over_members": 1}


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_a_zip_archive_is_read_as_a_folder(tmp_path: Path, method: int) -> None:
    """The record ids have the member's name; hidden names are passed over and counted."""
    files = {"x.jsonl": LINES, "__MACOSX/x.jsonl": b"junk", ".hidden.jsonl": b"junk", "d/y.ndjson": LINES}
    found = jsonl(tmp_path, zipped(files, method=method), name="a.zip")
    assert found.ids == [f"jsonl/a.zip!/{name}@{at}" for name in ("x.jsonl", "d/y.ndjson") for at in (0, 14)]
    assert found.counts == {"passed_over_members": 2}


def test_pages_of_an_archive_and_files_next_to_it_are_in_one_task(tmp_path: Path) -> None:
    """Their ordinals are consecutive, and the pages of an archive are read together."""
    (tmp_path / "a.html").write_bytes(b"<p>a")
    (tmp_path / "b.zip").write_bytes(zipped({f"{n}.html": b"<p>%d" % n for n in range(300)}))
    (tmp_path / "c.html").write_bytes(b"<p>c")
    source = HtmlSource(path=str(tmp_path / "*"))
    (task,) = source.tasks()
    assert len(list(source.read(task, guard=NullGuard(), batch_rows=1000))) <= 4
    found = Read(source)
    assert len(found.rows) == 302
    assert (found.ids[0], found.ids[1], found.ids[-1]) == (
        "html/a.html@0",
        "html/b.zip!/0.html@0",
        "html/c.html@0",
    )


def test_other_sources_read_members(tmp_path: Path) -> None:
    """CSV, Parquet (which seeks) and web archives; tabs for `.tsv`."""
    table = io.BytesIO()
    pq.write_table(pa.table({"n": range(1000)}), table)
    record = archives.warc_record(archives.http_response(b"<p>x"))
    files = {"t.tsv": b"a\tb\n1\t2\n", "p.parquet": table.getvalue(), "w.warc.gz": gzip.compress(record)}
    for pack, name in ((zipped, "a.zip"), (tarred, "a.tar"), (lambda f: gzip.compress(tarred(f)), "a.tgz")):
        (tmp_path / name).write_bytes(pack(files))
        path = str(tmp_path / name)
        (row,) = Read(CsvSource(path=path)).rows
        assert (row["a"], row["b"], row["_record"]["id"]) == ("1", "2", f"csv/{name}!/t.tsv@4")
        assert [row["n"] for row in Read(ParquetSource(path=path)).rows] == list(range(1000))
        assert [row["html"] for row in Read(WarcSource(path=path)).rows] == ["<p>x"]


@pytest.mark.parametrize("scheme", ["zip", "tar"])
def test_a_chain_selects_members(tmp_path: Path, scheme: str) -> None:
    """The pattern is that of a glob; the archive is the input."""
    files = {"archive/x.warc": archives.warc_record(archives.http_response(b"<p>x")), "indexes/y.warc": b"no"}
    (tmp_path / "c.wacz").write_bytes(zipped(files) if scheme == "zip" else tarred(files))
    source = WarcSource(path=f"{scheme}://archive/*.warc::{tmp_path / 'c.wacz'}")
    assert [found.name for found in source.inputs()] == ["c.wacz"]
    assert Read(source).ids == ["warc/c.wacz!/archive/x.warc@0"]


# -- hostile archives ------------------------------------------------------------------------------

HOSTILE = [
    "../x.jsonl",
    "/etc/x.jsonl",
    "a/../../x.jsonl",
    "..\\x.jsonl",
    "C:\\x.jsonl",
    "a\x1b[0m.jsonl",
    "a\n.jsonl",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_member_with_a_hostile_name_is_refused(tmp_path: Path, name: str, pack: Any) -> None:
    """It is a failed record, the others are read, and nothing is written."""
    before = sorted(tmp_path.rglob("*"))
    found = jsonl(tmp_path, pack({name: LINES, "good.jsonl": LINES}), name="a.bin")
    assert [reason for _, reason in found.failed] == ["member_name"]
    assert len(found.rows) == 2
    assert found.failed[0][0].isprintable()
    assert sorted(tmp_path.rglob("*")) == [*before, tmp_path / "a.bin"]


def test_links_and_devices_are_passed_over_and_counted(tmp_path: Path) -> None:
    """A link could lead to a file of this machine."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind in (
            ("l.jsonl", tarfile.SYMTYPE),
            ("h.jsonl", tarfile.LNKTYPE),
            ("d.jsonl", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("good.jsonl")
        info.size = len(LINES)
        archive.addfile(info, io.BytesIO(LINES))
    found = jsonl(tmp_path, out.getvalue(), name="a.tar")
    assert (len(found.rows), found.counts) == (2, {"passed_over_links": 2, "passed_over_devices": 1})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zip_archive:
        link = zipfile.ZipInfo("l.jsonl")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        zip_archive.writestr(link, "/etc/passwd")
        zip_archive.writestr("good.jsonl", LINES)
    found = jsonl(tmp_path, out.getvalue(), name="a.zip")
    assert (len(found.rows), found.counts) == (2, {"passed_over_links": 1})


def test_an_archive_inside_of_an_archive_is_refused(tmp_path: Path) -> None:
    """One level is read."""
    found = jsonl(tmp_path, zipped({"inner.zip": zipped({"x.jsonl": LINES}), "x.jsonl": LINES}), name="a.zip")
    assert (len(found.rows), found.failed) == (2, [("jsonl/a.zip!/inner.zip@0", "member_nested")])


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    """The flag is in both headers."""
    data = bytearray(zipped({"x.jsonl": LINES, "y.jsonl": LINES}))
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + at] |= 1
    found = jsonl(tmp_path, bytes(data), name="a.zip")
    assert (len(found.rows), found.failed) == (2, [("jsonl/a.zip!/x.jsonl@0", "member_encrypted")])


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    """Many entries for the same bytes multiply what an archive expands to."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("x.jsonl", LINES)
        info = archive.infolist()[0]
        for n in range(3):
            other = zipfile.ZipInfo(f"{n}.jsonl")
            other.header_offset, other.CRC = info.header_offset, info.CRC
            other.compress_size, other.file_size = info.compress_size, info.file_size
            archive.filelist.append(other)
    found = jsonl(tmp_path, out.getvalue(), name="a.zip")
    assert (found.rows, found.failed) == ([], [("jsonl/a.zip@0", "archive_overlap")])


def test_a_damaged_member_fails_and_the_next_is_read(tmp_path: Path) -> None:
    """The lines before the damage are kept; a checksum is compared at the end."""
    data = zipped({"x.jsonl": LINES * 100, "y.jsonl": LINES}, method=zipfile.ZIP_STORED)
    data = data.replace(b'"text": "b"', b'"text": "c"', 1)
    found = jsonl(tmp_path, data, name="a.zip")
    assert [reason for _, reason in found.failed] == ["member_corrupt"]
    assert sum("y.jsonl" in name for name in found.ids) == 2


@pytest.mark.parametrize("codec", ["", "gz"])
def test_a_cut_tar_archive_gives_the_members_before(tmp_path: Path, codec: str) -> None:
    """The end is a failed record."""
    data = tarred({f"{n}.jsonl": os.urandom(600).hex().encode() + b"\n" for n in range(10)})
    data = gzip.compress(data) if codec else data
    found = jsonl(tmp_path, data[: len(data) * 6 // 10], name="a.tar")
    assert len(found.rows) >= 4
    assert "archive_corrupt" in [reason for _, reason in found.failed]


def test_bytes_that_are_not_a_header_in_the_middle_of_a_tar_archive_are_reported(tmp_path: Path) -> None:
    """The library would end there without a word."""
    data = tarred({"a.jsonl": LINES, "b.jsonl": LINES})
    data = data[:1024] + b"garbage!" * 64 + data[1536:]
    found = jsonl(tmp_path, data, name="a.tar")
    assert (len(found.rows), found.failed) == (2, [("jsonl/a.tar@0", "archive_corrupt")])


def test_an_archive_that_swells_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The declared sizes are added up, because no member can give more than it declares."""
    monkeypatch.setattr(limits, "SWELLING_BYTES", 1 << 20)
    line = b'{"text": "' + b"x" * ((1 << 19) - 13) + b'"}\n'
    files = {f"{n}.jsonl": line for n in range(3)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    assert 1_000 * len(out.getvalue()) < 1 << 20
    found = jsonl(tmp_path, out.getvalue(), name="a.zip")
    assert (len(found.rows), found.failed) == (2, [("jsonl/a.zip!/2.jsonl@0", "swelling")])


@pytest.mark.parametrize(("n_members", "failed"), [(3, []), (4, ["too_many_members"])])
def test_an_archive_has_at_most_a_number_of_members(
    tmp_path: Path, n_members: int, failed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the limit all are read; above it, the first ones, and one failed record for the rest."""
    monkeypatch.setattr(members, "MAX_MEMBERS", 3)
    for pack in (zipped, tarred):
        found = jsonl(tmp_path, pack({f"{n}.jsonl": LINES for n in range(n_members)}), name="a.bin")
        assert ([reason for _, reason in found.failed], len(found.rows)) == (failed, 6)


def test_a_name_that_is_used_twice_gives_two_members(tmp_path: Path) -> None:
    """A tar archive to which files were appended has old and new ones."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for _ in range(2):
            info = tarfile.TarInfo("x.jsonl")
            info.size = len(LINES)
            archive.addfile(info, io.BytesIO(LINES))
    found = jsonl(tmp_path, out.getvalue(), name="a.tar")
    assert found.ids[2] == "jsonl/a.tar!/x.jsonl#2@0"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"PK\x03\x04" + b"\x00" * 100, "archive_corrupt"),
        (zipped({}), "no_member"),
        (zipped({"a.txt": b"x"}), "no_member"),
        (zipped({"a.jsonl": LINES})[:-20], "archive_corrupt"),
    ],
    ids=["no directory", "empty", "other names", "cut"],
)
def test_an_archive_without_a_member_to_read_is_a_failed_record(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    """It is never read as lines."""
    found = jsonl(tmp_path, data, name="a.zip")
    assert (found.rows, found.failed) == ([], [("jsonl/a.zip@0", reason)])
