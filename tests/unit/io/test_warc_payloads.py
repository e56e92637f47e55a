"""Which records of an archive are pages: own records of crawlers, rules of sites, payloads, odd messages."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import archives
import pytest

from builder.domain.ledger import CRAWLERS, SITE_RECORDS
from builder.engines.guard import NullGuard
from builder.io.archive.own_records import is_crawler_record, is_site_record
from builder.io.archive.payload import binary_type
from builder.io.warc import WarcSource

HTML = b"<html><p>One</p></html>"
PAGE = archives.http_response(HTML)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"

Found = tuple[list[dict[str, Any]], list[dict[str, Any]], Counter[str]]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Found]:
    """Return a function that reads records and returns pages, rejections and counts."""

    def write_and_read(*records: bytes, **options: Any) -> Found:
        (tmp_path / "a.warc").write_bytes(b"".join(records))
        source = WarcSource(path=str(tmp_path / "a.warc"), **options)
        pages, rejected, counts = [], [], Counter[str]()
        for task in source.tasks():
            for reading in source.read(task, guard=NullGuard(), batch_rows=100):
                pages += reading.batch.to_pylist()
                rejected += reading.rejected.to_pylist()
                counts.update(reading.counts)
        return pages, rejected, counts

    return write_and_read


OWN = [
    "metadata://gnu.org/software/wget/warc/wget.log",
    "urn:X-wpull:log",
    "urn:text:https://a.example/",
    "urn:pageinfo:https://a.example/",
    "dns:a.example",
    "whois:a.example",
    "screenshot:https://a.example/",
]


@pytest.mark.parametrize("url", OWN)
def test_a_record_that_is_not_an_address_of_the_web_is_the_crawlers_own(read: Any, url: str) -> None:
    """It is rejected without its content, which can have a password; an option makes it a page."""
    record = archives.warc_record(b"--password=hunter2", kind="resource", uri=url, content_type="text/plain")
    pages, (rejected,), _ = read(record)
    assert (pages, rejected["reason"], rejected["record"]) == ([], "crawler_record", None)
    pages, rejected, _ = read(record, crawler_records=True)
    assert (len(pages), rejected) == (1, [])


@pytest.mark.parametrize(
    "url", ["http://a/", "HTTPS://a/", "ftp://a/x", "file:///x", "//a/b", "a/b.html", None]
)
def test_addresses_of_pages_are_not_the_crawlers_own(url: str | None) -> None:
    """Addresses without a scheme, too."""
    assert not is_crawler_record(url)


@pytest.mark.parametrize(
    "path", ["robots.txt", "ai.txt", ".well-known/tdmrep.json", "robots.txt?x=1", "ROBOTS.TXT"]
)
@pytest.mark.parametrize("status", ["200 OK", "404 Not Found", "503 Unavailable"])
def test_the_rules_of_a_site_are_rejected_and_kept(tmp_path: Path, path: str, status: str) -> None:
    """They are decoded, whatever their content type and status, up to 500 KiB."""
    rules = b"User-agent: *\nDisallow: /\n" * 30_000
    headers = (("Content-Type", "application/json"), ("Content-Encoding", "gzip"))
    body = archives.http_response(gzip.compress(rules), headers=headers, status=status)
    (tmp_path / "a.warc").write_bytes(archives.warc_record(body, uri=f"https://A.example:443/{path}"))
    source = WarcSource(path=str(tmp_path / "a.warc"), incomplete=False)
    (task,) = source.tasks()
    (reading,) = source.read(task, guard=NullGuard(), batch_rows=100)
    (rejected,), (noted,) = reading.rejected.to_pylist(), reading.noted[SITE_RECORDS].to_pylist()
    assert (rejected["reason"], rejected["outcome"]) == ("site_record", "rejected")
    assert rejected["record"] is None
    assert noted["body"] == rules[: 500 << 10]
    assert (noted["host"], noted["size_bytes"]) == ("a.example", len(rules))
    assert str(noted["status"]) == status[:3]
    assert json.loads(noted["headers"])["content-type"] == "application/json"
    assert noted["_record"] == rejected["_record"]


def test_what_a_crawler_says_of_itself_is_noted_without_its_arguments(tmp_path: Path) -> None:
    """The arguments of wget can hold a password."""
    body = (
        b"software: Wget/1.21 (linux-gnu)\r\nformat: WARC File Format 1.0\r\n"
        b"http-header-user-agent: Mozilla/5.0 (a bot)\r\nrobots: classic\r\n"
        b'wget-arguments: "--password=hunter2"\r\n'
    )
    record = archives.warc_record(body, kind="warcinfo", uri=None, content_type="application/warc-fields")
    (tmp_path / "a.warc").write_bytes(record)
    source = WarcSource(path=str(tmp_path / "a.warc"))
    (reading,) = source.read(source.tasks()[0], guard=NullGuard(), batch_rows=100)
    (noted,) = reading.noted[CRAWLERS].to_pylist()
    assert {name: noted[name] for name in ("software", "user_agent", "robots")} == {
        "software": "Wget/1.21 (linux-gnu)",
        "user_agent": "Mozilla/5.0 (a bot)",
        "robots": "classic",
    }
    assert "hunter2" not in str(noted)


@pytest.mark.parametrize(
    "url", ["https://a.example/robots.txt/x", "https://a.example/x/ai.txt", "https://a/robots"]
)
def test_other_pages_are_not_rules(url: str) -> None:
    """The rules are at the root of a site."""
    assert not is_site_record(url)


@pytest.mark.parametrize(
    ("body", "identified", "value"),
    [
        (PDF, None, "application/pdf"),
        (PDF, "application/pdf", "application/pdf"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", None, "image/jpeg"),
        (b"PK\x03\x04\x14\x00", None, "application/zip"),
        (b"anything", "image/webp", "image/webp"),
        (gzip.compress(gzip.compress(HTML, mtime=0), mtime=0), None, "application/gzip"),
    ],
)
@pytest.mark.parametrize("declared", ["text/html", "text/plain", None])
def test_a_payload_that_is_not_text_is_rejected(
    read: Any, body: bytes, identified: str | None, value: str, declared: str | None
) -> None:
    """The bytes and the type that the crawler identified decide, not the header of the server."""
    headers = (("Content-Type", declared),) if declared else ()
    message = archives.http_response(body, headers=headers)
    record = archives.warc_record(message, WARC_Identified_Payload_Type=identified)
    pages, (rejected,), _ = read(record)
    expected = ("not_text", value) if declared else ("content_type", None)
    assert (pages, rejected["reason"], rejected["value"]) == ([], *expected)


def test_html_with_a_wrong_identified_type_is_a_page(read: Any) -> None:
    """The bytes decide where they are clear."""
    pages, _, _ = read(archives.warc_record(PAGE, WARC_Identified_Payload_Type="application/pdf"))
    assert [page["html"] for page in pages] == [HTML.decode()]


@pytest.mark.parametrize("declared", [False, True])
def test_undeclared_gzip_is_undone_once(read: Any, declared: bool) -> None:
    """Some servers compress twice and declare it once."""
    body, headers = gzip.compress(HTML), (("Content-Type", "text/html"),)
    if declared:
        body, headers = gzip.compress(body), (*headers, ("Content-Encoding", "gzip"))
    pages, _, counts = read(archives.warc_record(archives.http_response(body, headers=headers)))
    assert [page["html"] for page in pages] == [HTML.decode()]
    assert counts["undeclared_gzip"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "Ça va\x07 bien\x00".encode() * 9,
        "text".encode("utf-16-le") * 50,
        "\ufefftext".encode("utf-16"),
        "текст".encode("cp1251") * 50,
        "日本語".encode("iso-2022-jp") * 50,
        b"%PDF is a format",
        b"ID3 tags",
        b"GIF is a format",
        b"<p>\x00\x01\x02\x03\x04\x05",
        b"",
    ],
)
def test_text_in_any_charset_is_not_binary(text: bytes) -> None:
    """Control characters in a page are a fault of the page."""
    assert binary_type(text) is None


INTERIM = [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nDate: x\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: y\r\n\r\n",
    b"HTTP/1.0 200 Connection established\r\n\r\n",
    b"HTTP/1.1 200 Connection Established\r\nProxy-Agent: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
]


@pytest.mark.parametrize("before", INTERIM)
def test_interim_responses_are_passed_over(read: Any, before: bytes) -> None:
    """The status is that of the response."""
    ((page,), _, _) = read(archives.warc_record(before + PAGE))
    assert (page["status"], page["html"]) == (200, HTML.decode())


def test_a_page_whose_body_looks_like_a_response_is_not_passed_over(read: Any) -> None:
    """Only interim responses are."""
    body = b"HTTP/1.1 404 Not Found\r\n\r\n"
    ((page,), _, _) = read(archives.warc_record(archives.http_response(body)))
    assert page["html"] == body.decode().replace("\r\n", "\r\n")


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("<http://a.example/x>", "http://a.example/x"),
        ("http://a.example/?q=<b>", "http://a.example/?q=<b>"),
        ("http://a.example/?a>", "http://a.example/?a>"),
        ("<http://a.example/?q=<b>>", "http://a.example/?q=<b>"),
    ],
)
def test_only_a_pair_of_brackets_around_a_url_is_removed(read: Any, uri: str, url: str) -> None:
    """A URL comes out as it came."""
    ((page,), _, _) = read(archives.warc_record(PAGE, uri=uri))
    assert page["url"] == url


def test_lower_case_version_lines_are_read(read: Any) -> None:
    """In the middle of an archive, too."""
    records = [archives.warc_record(PAGE, uri=f"http://a.example/{n}") for n in range(3)]
    lower = [record.replace(b"WARC/1.0", b"warc/1.0", 1) for record in records]
    for mixed in ([*lower], [records[0], lower[1], records[2]]):
        pages, rejected, _ = read(*mixed)
        assert ([page["url"][-1] for page in pages], rejected) == (["0", "1", "2"], [])


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"WARC_Truncated": "length"}, "warc_truncated"), ({"WARC_Segment_Number": "1"}, "segmented")],
)
def test_records_that_the_crawler_cut_are_counted_and_can_be_refused(
    read: Any, fields: dict[str, str], name: str
) -> None:
    """They are pages by default."""
    record = archives.warc_record(PAGE, **fields)
    pages, _, counts = read(record)
    assert (len(pages), counts[name]) == (1, 1)
    pages, (rejected,), _ = read(record, incomplete=False)
    assert (pages, rejected["reason"]) == ([], name)
