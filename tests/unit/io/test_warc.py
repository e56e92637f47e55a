"""Records of an archive become pages, rejections or failures."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from collections import Counter
from pathlib import Path

import archives
import pytest
import zstandard

from builder.io import warc
from builder.io.reading.page_rows import PAGE_SCHEMA
from builder.io.warc import WarcSource

HTML = b"<html><p>One</p></html>"
PAGE = archives.http_response(HTML)


class Read:
    """All results of a source for one file or folder."""

    def __init__(self, path, *, batch_rows=1000, guard=None, **options):
        source = WarcSource(path=str(path), **options)
        self.tasks = source.tasks()
        self.pages, self.rejected, self.counts, self.n_records = [], [], Counter(), 0
        self.readings = []
        for task in self.tasks:
            for reading in source.read(task, guard=guard or archives.NoGuard(), batch_rows=batch_rows):
                assert reading.batch.schema.equals(PAGE_SCHEMA, check_metadata=True)
                assert reading.n_records == reading.batch.num_rows + reading.rejected.num_rows
                self.readings.append(reading)
                self.pages += reading.batch.to_pylist()
                self.rejected += reading.rejected.to_pylist()
                self.counts.update(reading.counts)
                self.n_records += reading.n_records
        assert {row["reason"] for row in self.rejected} <= set(WarcSource.reasons)

    @property
    def outcomes(self) -> list[str]:
        """Return the outcome of each record, in order."""
        rows = [(page["_record"]["ordinal"], "page") for page in self.pages]
        rows += [(row["_record"]["ordinal"], f"{row['outcome']} {row['reason']}") for row in self.rejected]
        return [what for _, what in sorted(rows)]


@pytest.fixture
def read(tmp_path):
    """Return a function that writes records to a file and reads the file."""

    def write_and_read(*records: bytes, name="a.warc", **options) -> Read:
        (tmp_path / name).write_bytes(b"".join(records))
        return Read(tmp_path / name, **options)

    return write_and_read


def zstd_with_dictionary(records, *, packed, damaged=()):
    """Compress records with one dictionary, which is in a skippable frame before them."""
    samples = [record + b"%d" % i for record in records for i in range(20)]
    dictionary = zstandard.train_dictionary(1000, samples)
    compressor = zstandard.ZstdCompressor(dict_data=dictionary)
    content = dictionary.as_bytes()
    content = zstandard.compress(content) if packed else content
    frames = [bytearray(compressor.compress(record)) for record in records]
    for i in damaged:
        frames[i][-1] ^= 0xFF
        frames[i][-20] ^= 0xFF
    return b"".join([b"\x5d\x2a\x4d\x18", len(content).to_bytes(4, "little"), content, *frames])


# -- pages -----------------------------------------------------------------------------------------


def test_a_response_is_a_page_with_its_columns(read):
    """URL, HTML, fetch time, status, type and headers come from the record; the text is null."""
    headers = (("Content-Type", "Text/HTML; charset=iso-8859-1"), ("X", "1"), ("x", "2"))
    body = archives.http_response(b"<p>caf\xe9</p>", headers=headers)
    record = archives.warc_record(
        body, uri="<http://a.example/>", date="2020-01-02T03:04:05.5Z", WARC_Record_ID="<urn:uuid:1>"
    )
    (page,) = read(record).pages
    assert json.loads(page.pop("headers")) == {"content-type": "Text/HTML; charset=iso-8859-1", "x": "1, 2"}
    assert page == {
        "_record": {
            "id": "warc/a.warc@0",
            "source": "warc",
            "path": "a.warc",
            "ordinal": 0,
            "offset": 0,
        },
        "url": "http://a.example/",
        "html": "<p>café</p>",
        "text": None,
        "fetched_at": "2020-01-02T03:04:05.5Z",
        "status": 200,
        "content_type": "text/html",
        "_aliases": ["urn:uuid:1", "http://a.example/ 2020-01-02T03:04:05.5Z"],
        "_note": None,
    }


def test_plain_text_is_in_the_text_column(read):
    """The HTML column is null."""
    body = archives.http_response(b"Hello", headers=(("Content-Type", "text/plain"),))
    (page,) = read(archives.warc_record(body)).pages
    assert (page["html"], page["text"]) == (None, "Hello")


def test_resources_and_conversions_are_pages_without_status_and_headers(read):
    """Their body is the page itself, not an HTTP message."""
    found = read(
        archives.warc_record(HTML, kind="resource", content_type="text/html"),
        archives.warc_record("größe".encode(), kind="conversion", content_type="text/plain"),
    )
    assert [(p["html"], p["text"], p["status"], p["headers"]) for p in found.pages] == [
        (HTML.decode(), None, None, None),
        (None, "größe", None, None),
    ]


@pytest.mark.parametrize("version", [1, 2])
def test_arc_records_are_pages(read, version):
    """The ARC line gives URL and date, and the type if HTTP does not; the first record is not a page."""
    bare = archives.http_response(HTML, headers=())
    found = read(
        archives.arc_header(version=version),
        archives.arc_record(bare, version=version, uri="http://a.example/x y"),
        archives.arc_record(b"1.2.3.4", version=version, uri="dns:a.example", media="text/dns"),
    )
    assert found.outcomes == ["rejected record_type", "page", "rejected crawler_record"]
    (page,) = found.pages
    assert (page["url"], page["fetched_at"]) == ("http://a.example/x y", "2020-01-01T00:00:00Z")
    assert (page["html"], page["content_type"]) == (HTML.decode(), "text/html")


def test_a_record_without_a_content_type_is_a_page_if_it_begins_like_html(read):
    """The header is often missing."""
    untyped = [archives.http_response(body, headers=()) for body in (b"\n<!DOCTYPE HTML>", b"GIF89a")]
    found = read(*(archives.warc_record(body) for body in untyped))
    assert found.outcomes == ["page", "rejected content_type"]
    assert found.pages[0]["content_type"] == "text/html"


def test_chunks_and_codings_are_decoded_and_faults_are_counted(read):
    """Tolerated faults and replaced characters have counts."""
    coded = gzip.compress(b"<meta charset=utf-8><p>\xff" + "ß".encode() * 50, mtime=0)
    headers = (("Content-Type", "text/html"), ("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked"))
    found = read(archives.warc_record(archives.http_response(coded, headers=headers)))
    assert found.pages[0]["html"].endswith("\ufffd" + "ß" * 50)
    assert found.counts == {"replaced_chars": 1, "not_chunked": 1}


def test_an_invalid_date_is_null(read):
    """The page is kept."""
    assert read(archives.warc_record(PAGE, date="2008-10-294T05:21:46-0700")).pages[0]["fetched_at"] is None


# -- rejected records ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["warcinfo", "request", "metadata", "continuation", "unknown", ""])
def test_other_types_of_records_are_rejected(read, kind):
    """Only response, resource and conversion can be pages."""
    (row,) = read(archives.warc_record(b"GET / HTTP/1.1\r\n\r\n", kind=kind)).rejected
    assert (row["reason"], row["outcome"], row["value"]) == ("record_type", "rejected", kind)
    assert row["record"] is None


def test_the_status_is_checked_before_the_content_type(read):
    """The ledger row gives the found value and the accepted ones."""
    png = (("Content-Type", "image/png"),)
    found = read(
        archives.warc_record(archives.http_response(b"x", status="404 Not Found", headers=png)),
        archives.warc_record(archives.http_response(b"x", headers=png)),
    )
    assert [(row["reason"], row["value"]) for row in found.rejected] == [
        ("http_status", "404"),
        ("content_type", "image/png"),
    ]
    assert found.rejected[0]["limit"] == "200"


def test_options_select_statuses_and_content_types(read):
    """Options can accept other values than the defaults."""
    xml = archives.http_response(b"<a/>", status="404 No", headers=(("Content-Type", "Application/XML"),))
    found = read(archives.warc_record(xml), status=["200", "404"], content_types=["application/xml"])
    assert found.outcomes == ["page"]
    assert read(archives.warc_record(PAGE), content_types=["application/xml"]).outcomes == [
        "rejected content_type"
    ]


def test_a_revisit_refers_to_the_names_that_its_original_has(read):
    """By id, by URL and date, or by digest."""
    original = archives.warc_record(
        PAGE, WARC_Record_ID="<urn:uuid:1>", WARC_Payload_Digest="sha1:AAA", date="2020-01-01T00:00:00Z"
    )
    by = [
        {"WARC_Refers_To": "<urn:uuid:1>"},
        {
            "WARC_Refers_To_Target_URI": "http://a.example/",
            "WARC_Refers_To_Date": "2020-01-01T00:00:00Z",
        },
        {"WARC_Payload_Digest": "sha1:AAA"},
        {},
    ]
    found = read(original, *(archives.warc_record(b"", kind="revisit", **names) for names in by))
    aliases = set(found.pages[0]["_aliases"])
    assert found.outcomes == ["page", *["rejected revisit"] * 4]
    assert [bool(aliases & set(row["refers_to"] or [])) for row in found.rejected] == [
        True,
        True,
        True,
        False,
    ]


# -- failed records --------------------------------------------------------------------------------


def coded(coding: str, body: bytes) -> bytes:
    return archives.http_response(body, headers=(("Content-Type", "text/html"), ("Content-Encoding", coding)))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"no response", "bad_http"),
        (b"HTTP/1.1 OK\r\n\r\n", "bad_http"),
        (coded("gzip", b"\x1f\x8b\x08\x00garbage that is long enough"), "content_coding"),
        (coded("compress", b"x"), "content_coding"),
        (coded("gzip", gzip.compress(bytes(9999))), "record_too_big"),
        (archives.http_response(b"x" * 5000), "record_too_big"),
    ],
)
def test_a_record_that_cannot_be_read_fails_with_its_bytes(read, body, reason):
    """The ledger row has a place, a reason and the bytes; neighbouring records are pages."""
    record = archives.warc_record(body)
    ok = archives.warc_record(PAGE)
    found = read(ok, record, ok, max_record_bytes=4000)
    assert found.outcomes == ["page", f"failed {reason}", "page"]
    (row,) = found.rejected
    assert row["_record"]["offset"] == len(ok)
    assert row["url"] == "http://a.example/"
    assert record.startswith(row["record"]) or reason == "record_too_big"


@pytest.mark.parametrize(
    ("headers", "length", "outcome"),
    [
        ((), "20", "page"),
        ((), "", "page"),
        ((("Content-Length", len(HTML)),), "20", "page"),
        ((("Content-Length", len(HTML)),), "5000", "page"),
        ((("Content-Length", len(HTML) + 9),), "20", "failed wrong_length"),
        ((("Transfer-Encoding", "chunked"),), "20", "page"),
    ],
)
def test_a_record_of_wrong_length_is_a_page_if_its_http_message_is_complete(read, headers, length, outcome):
    """The HTTP length decides; the page is counted."""
    body = archives.http_response(HTML, headers=(("Content-Type", "text/html"), *headers))
    found = read(archives.warc_record(body, length=length), archives.warc_record(PAGE))
    assert found.outcomes == [outcome, "page"]
    if outcome == "page":
        assert found.pages[0]["html"] == HTML.decode()
        assert found.counts["wrong_length"] == 1
    else:
        assert "20" in found.rejected[0]["message"]


def test_the_message_of_a_rejected_record_reports_a_wrong_length(read):
    """The rejection itself has another reason."""
    data = archives.warc_record(b"x" * 40, kind="warcinfo", length="20")
    (row,) = read(data, archives.warc_record(PAGE)).rejected
    assert (row["reason"], row["outcome"]) == ("record_type", "rejected")
    assert "length is '20'" in row["message"]


def test_a_truncated_text_fails_and_a_truncated_response_is_checked(read):
    """Without HTTP, nothing shows whether a truncated body is complete."""
    text = archives.warc_record(b"x" * 99, kind="conversion", content_type="text/plain")
    assert read(text[:-30]).outcomes == ["failed truncated"]
    sized = archives.http_response(
        HTML, headers=(("Content-Type", "text/html"), ("Content-Length", len(HTML)))
    )
    assert read(archives.warc_record(sized)[:-10]).outcomes == ["failed truncated"]
    assert read(archives.warc_record(sized, length="9999")).outcomes == ["page"]


def test_the_failure_of_a_damaged_member_gives_its_offsets(read):
    """The row has the offset in the archive, the message the offsets in the file."""
    packed = [gzip.compress(archives.warc_record(PAGE), mtime=0) for _ in range(3)]
    start = len(packed[0])
    packed[1] = packed[1][:-30] + bytes(9) + packed[1][-21:]
    found = read(*packed, name="a.warc.gz")
    assert found.outcomes == ["page", "failed gzip_corrupt", "page"]
    (row,) = found.rejected
    assert row["_record"]["offset"] == len(archives.warc_record(PAGE))
    assert f"bytes {start} to {start + len(packed[1])} of the compressed file" in row["message"]
    assert row["record"].startswith(b"WARC/1.0")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("damaged", [(), (3,)])
def test_frames_of_zstd_may_share_a_dictionary(read, packed, damaged):
    """The dictionary is in a first frame of its own, compressed or not; damage fails one record."""
    records = [
        archives.warc_record(archives.http_response(HTML * 9 + b"%d" % i), uri=f"http://a.example/{i}")
        for i in range(8)
    ]
    found = read(zstd_with_dictionary(records, packed=packed, damaged=damaged), name="a.warc.zst")
    assert found.outcomes == ["failed zstd_corrupt" if i in damaged else "page" for i in range(8)]


@pytest.mark.parametrize(
    "content", [b"", b"no dictionary", b"\x28\xb5\x2f\xfd no dictionary", b"\x37\xa4\x30\xec" + b"\1" * 90]
)
def test_an_invalid_dictionary_fails_only_the_frames_that_need_it(read, content):
    """Other frames are read."""
    frame = b"\x5d\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content
    record = archives.warc_record(PAGE)
    assert (
        read(frame, zstandard.compress(record), zstandard.compress(record), name="a.warc.zst").outcomes
        == ["page"] * 2
    )
    assert read(frame[:-1], name="b.warc.zst").outcomes == ["failed zstd_truncated"]


def test_a_record_that_the_guard_refuses_is_a_failed_record(read):
    """It is not decoded again; each native step is announced to the guard."""
    guard = archives.NoGuard(refused={1: "timeout"})
    found = read(*[archives.warc_record(PAGE)] * 3, guard=guard)
    assert found.outcomes == ["page", "failed timeout", "page"]
    assert guard.entered == [("warc", 0), ("warc", 1), ("warc", 2)]
    guard = archives.NoGuard()
    read(gzip.compress(archives.warc_record(PAGE), mtime=0), name="a.warc.gz", guard=guard)
    assert ("warc", -2) in guard.entered


def test_an_empty_file_has_no_records(read):
    """It gives one empty reading."""
    found = read(b"")
    assert (found.n_records, found.outcomes) == (0, [])


# -- tasks and readings ----------------------------------------------------------------------------


def test_readings_have_the_requested_size_and_consecutive_ordinals(read):
    """Ordinals continue over all readings of a task, and every record has its own id."""
    found = read(*[archives.warc_record(PAGE), archives.warc_record(b"", kind="request")] * 5, batch_rows=3)
    assert [reading.n_records for reading in found.readings][:3] == [3, 3, 3]
    assert found.n_records == 10
    rows = [row["_record"] for row in found.pages + found.rejected]
    assert sorted(row["ordinal"] for row in rows) == list(range(10))
    assert len({row["id"] for row in rows}) == 10


def test_a_reading_ends_before_failed_records_fill_the_memory(read, monkeypatch):
    """The bytes of failed records count too."""
    monkeypatch.setattr(warc, "BATCH_BYTES", 2000)
    found = read(*[archives.warc_record(b"garbage" * 100)] * 9)
    assert len(found.readings) >= 3


def test_a_large_uncompressed_file_is_several_tasks_and_a_compressed_one_is_one(tmp_path, monkeypatch):
    """The parts give the same records and ids as the whole; file names stay in order."""
    monkeypatch.setattr(warc, "PART_BYTES", 1000)
    data = b"".join(archives.warc_record(PAGE, uri=f"http://a.example/{n}") for n in range(30))
    (tmp_path / "b.warc").write_bytes(data)
    (tmp_path / "a.warc.gz").write_bytes(gzip.compress(data))
    (tmp_path / "c.txt").write_bytes(b"no archive")
    found = Read(tmp_path)
    assert [task.name for task in found.tasks][:2] == ["a.warc.gz", "b.warc"]
    assert len(found.tasks) == 2 + (len(data) - 1) // 1000
    for name in ("a.warc.gz", "b.warc"):
        mine = [page for page in found.pages if page["_record"]["path"] == name]
        assert [page["url"] for page in mine] == [f"http://a.example/{n}" for n in range(30)]
    offsets = {page["url"]: [] for page in found.pages}
    for page in found.pages:
        offsets[page["url"]].append(page["_record"]["offset"])
    assert all(one == other for one, other in offsets.values())


def test_the_name_of_the_source_is_part_of_its_record_ids(read):
    """A recipe with two archives can distinguish them."""
    assert read(archives.warc_record(PAGE), name="a.warc").pages[0]["_record"]["id"] == "warc/a.warc@0"


# -- real archives ---------------------------------------------------------------------------------

ODD = {
    "cc-whirlwind/LICENSE": ["failed bad_header"],
    "cc_net/sample.warc.txt": ["record_type", "page", "page", "page"],
    "ipwb/HTTP204.warc": ["record_type", "http_status", "page"],
    "ipwb/broken.warc": ["record_type", "record_type", "record_type", "page", "record_type", "content_type"],
    "ipwb/redirect.warc": ["record_type", "http_status"],
    "resiliparse/clipped.warc.gz": ["failed gzip_truncated"],
    "warcio/bad.arc": ["record_type", "failed wrong_length", "failed bad_http", "failed wrong_length"],
    "warcio/example-space-in-url.arc": ["record_type", "page"],
    "warcio/example-trunc.warc": ["record_type", "record_type", "page", "record_type"],
    "webarchive-commons/abcd.gz": ["failed bad_header"],
    "webarchive-commons/double-single-inflate-error.gz": ["failed gzip_corrupt"],
    "webarchive-commons/empty.gz": [],
    "webarchive-commons/forbidden-apis-signatures.txt": ["failed bad_header"],
    "webarchive-commons/hi-2.gz": ["failed bad_header"],
    "webarchive-commons/hi.gz": ["failed bad_header"],
}
"""Files that are not archives, or are damaged; each was inspected. All others have no failed record."""

N_RECORDS = {
    "resiliparse/warcfile.warc.lz4": 50,
    "resiliparse/block-sized-records.warc.lz4": 3,
    "resiliparse/clueweb-quirk.warc.gz": 30,
    "warcio/example-bad-non-chunked.warc.gz": 6,
    "warcio/example-bad.warc.gz.bad": 6,
    "warcio/example-wrong-chunks.warc.gz": 2,
    "webarchive-commons/IAH-20080430204825-00000-blackbook-truncated.arc": 9,
    "webarchive-commons/link-extraction-test.warc": 8,
}
"""Number of records of the files that warcio does not read to the end."""


def real_archives(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def by_warcio(path: Path) -> list:
    """Return what warcio reads: type, URL, status, content type and content of each record."""
    from warcio.archiveiterator import ArchiveIterator

    records = []
    with path.open("rb") as file, contextlib.redirect_stderr(io.StringIO()):
        for record in ArchiveIterator(file):
            head, fields = record.http_headers, record.rec_headers
            status = head.get_statuscode() if head else ""
            media = (head.get_header("content-type") or "") if head else ""
            url = fields.get_header("WARC-Target-URI") or fields.get_header("uri") or ""
            records.append((record.rec_type, url.strip("<>"), status, media, record.content_stream().read()))
    return records


@pytest.mark.corpora
def test_only_damaged_real_archives_have_failed_records(corpora):
    """Each record of each file has one row."""
    folder = corpora / "warc"
    for path in real_archives(folder):
        name = str(path.relative_to(folder))
        found = Read(path)
        assert len(found.outcomes) == found.n_records
        if name in ODD:
            outcomes = [what.removeprefix("rejected ") for what in found.outcomes]
            assert (name, outcomes) == (name, ODD[name])
        else:
            assert (name, [what for what in found.outcomes if what.startswith("failed")]) == (name, [])


@pytest.mark.corpora
def test_real_archives_give_the_same_records_as_warcio_where_warcio_is_right(corpora):
    """The number of records, and the content of each HTML response with status 200."""
    folder = corpora / "warc"
    n_found = n_wanted = 0
    for path in real_archives(folder):
        name = str(path.relative_to(folder))
        if name in ODD:
            continue
        found = Read(path)
        if name in N_RECORDS:
            assert (name, found.n_records) == (name, N_RECORDS[name])
            continue
        records = by_warcio(path)
        assert (name, found.n_records) == (name, len(records))
        wanted = [r for r in records if r[0] == "response" and r[2] == "200" and "html" in r[3].lower()]
        pages = Counter(page["url"] for page in found.pages)
        n_wanted += len(wanted)
        n_found += sum((pages & Counter(url or None for _, url, *_ in wanted)).values())
        contents = {content.decode("utf-8", "replace").strip("\ufeff") for *_, content in wanted}
        mine = {page["html"] for page in found.pages if page["html"] is not None}
        assert len([one for one in contents if "\ufffd" not in one and one not in mine]) == 0
    assert n_wanted > 90
    assert n_found == n_wanted


@pytest.mark.corpora
def test_a_real_archive_gives_the_same_rows_in_every_compression(corpora):
    """Plain, gzip and lz4 differ only in the name of the file."""
    rows = []
    for suffix in ("", ".gz", ".lz4"):
        found = Read(corpora / "warc" / "resiliparse" / f"warcfile.warc{suffix}")
        for row in found.pages + found.rejected:
            row["_record"] = {key: row["_record"][key] for key in ("ordinal", "offset")}
        rows.append((found.pages, found.rejected))
    assert rows[0] == rows[1]
    assert rows[0] == rows[2]
    assert len(rows[0][0]) == 16
