"""HTTP messages as they are found in archives."""

from __future__ import annotations

import gzip
import json
import zlib

import brotli
import pytest
import zstandard

from builder.io.archive import http
from builder.io.archive.content_coding import undo_codings

PAGE = "<html><p>Größe</p></html>".encode() * 40
MAX_BYTES = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    coder = zlib.compressobj(wbits=-15)
    return coder.compress(data) + coder.flush()


CODERS = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "x-gzip": lambda data: gzip.compress(data[:99], mtime=0) + gzip.compress(data[99:], mtime=0),
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=3),
    "zstd": zstandard.ZstdCompressor().compress,
}


def decoded(headers: str, body: bytes, *, max_bytes=MAX_BYTES):
    head = http.parse_head(f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode())
    assert head is not None
    return http.decode_body(head, body, max_bytes=max_bytes)


# -- the head --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("HTTP/1.1 200 OK", 200),
        ("HTTP/1.1 200 ", 200),
        ("HTTP/1.1 200", 200),
        ("HTTP/2 404", 404),
        ("http/1.0  301 Moved", 301),
        ("HTTP 200 OK", 200),
        ("ICY 200 OK", 200),
        ("\r\nHTTP/1.1 200 OK", 200),
    ],
)
def test_status_lines_are_read_as_servers_write_them(line, status):
    """Lower case, a missing reason or version, and blank lines before it are accepted."""
    head = http.parse_head(line.encode() + b"\r\nA: b\r\n\r\nbody")
    assert (head.status, head.headers) == (status, {"a": "b"})


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"HTTP/1.1 OK", b"HTTP/1.1 2000 OK", b"GET / HTTP/1.1\r\n\r\n"]
)
def test_data_without_a_status_line_are_not_a_response(data):
    """Such a body has no head."""
    assert http.parse_head(data) is None


def test_broken_headers_are_read_and_bad_lines_are_counted():
    """LF line ends, folded lines and repeated names are accepted; a line without a colon is counted."""
    data = b"HTTP/1.1 200 OK\nX-Long: a\n  b\nSet-Cookie: 1\nset-cookie: 2\nnonsense\nE:\n\n"
    head = http.parse_head(data + b"x")
    assert head.headers == {"x-long": "a b", "set-cookie": "1, 2", "e": ""}
    assert (head.n_bad_lines, head.whole, head.n_bytes) == (1, True, len(data))


def test_a_head_without_a_blank_line_has_no_body():
    """The head is marked as incomplete."""
    data = b"HTTP/1.1 200 OK\r\nA: b\r\n"
    head = http.parse_head(data)
    assert (head.whole, head.n_bytes, head.headers) == (False, len(data), {"a": "b"})


def test_a_head_over_its_limit_is_not_accepted():
    """The blank line is searched for in the first megabyte only."""
    assert http.parse_head(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200_000) is None


def test_headers_of_any_bytes_are_text():
    """Header bytes that are not UTF-8 are read as Latin-1, so that they can be written as JSON."""
    head = http.parse_head(b"HTTP/1.1 200 OK\r\nA: caf\xe9\r\n\r\n")
    assert json.loads(json.dumps(head.headers)) == {"a": "café"}


@pytest.mark.parametrize(
    ("header", "media", "charset"),
    [
        ("text/html", "text/html", None),
        ("Text/HTML ; Charset = UTF-8", "text/html", "UTF-8"),
        ('text/html; charset="shift_jis"', "text/html", "shift_jis"),
        ("text/html, text/html; charset=utf-8", "text/html", "utf-8"),
        ("text/html charset=koi8-r", "text/html", "koi8-r"),
        (";charset=utf-8", None, "utf-8"),
        ("", None, None),
    ],
)
def test_content_types_are_split_into_media_type_and_charset(header, media, charset):
    """For every common way to write the header."""
    assert (http.media_type(header), http.charset(header)) == (media, charset)


@pytest.mark.parametrize(
    ("headers", "n_bytes"),
    [
        ("Content-Length: 12", 12),
        ("Content-Length: 12, 12", 12),
        ("Content-Length: -1", None),
        ("Content-Length: x", None),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", None),
    ],
)
def test_only_a_valid_content_length_is_used(headers, n_bytes):
    """It is ignored if it is not a number, or if the body is chunked."""
    assert http.parse_head(f"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n".encode()).body_bytes == n_bytes


# -- chunks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "body", "state"),
    [
        (b"3\r\nabc\r\n0\r\n\r\n", b"abc", "whole"),
        (b"3\nabc\n0\n\n", b"abc", "whole"),
        (b"3;ext=1\r\nabc\r\n2 \r\nde\r\n00\r\nA: b\r\n\r\n", b"abcde", "whole"),
        (b"0\r\n\r\n", b"", "whole"),
        (b"5\r\nabc", b"abc", "cut"),
        (b"3\r\nabc\r\nxyz", b"abcxyz", "wrong"),
        (b"3\r\nabc\r\n", b"abc", "cut"),
        (b"3\r\nabcdef\r\n0\r\n\r\n", b"abcdef\r\n0\r\n\r\n", "wrong"),
        (b"<html>", b"<html>", "none"),
        (b"", b"", "none"),
    ],
)
def test_chunks_are_joined_and_wrong_chunks_are_tolerated(data, body, state):
    """Extensions and trailers are ignored; after a wrong chunk size the rest is kept unchanged."""
    assert http.undo_chunks(data) == (body, state)


@pytest.mark.parametrize(
    ("data", "note"),
    [(b"5\r\nabc", "chunks_cut"), (b"1\r\nabc", "chunks_wrong"), (b"<p>", "not_chunked")],
)
def test_wrong_chunks_are_counted(data, note):
    """Each tolerated fault has a name to count it by."""
    assert decoded("Transfer-Encoding: chunked", data).notes == (note,)


# -- content codings -------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", list(CODERS))
def test_each_content_coding_is_decoded(coding):
    """The result is the content before the coding."""
    content = decoded(f"Content-Encoding: {coding}", CODERS[coding](PAGE))
    assert (content.data, content.state, content.notes) == (PAGE, "whole", ())


def test_deflate_is_decoded_with_and_without_the_zlib_header():
    """Servers send both forms."""
    assert decoded("Content-Encoding: deflate", raw_deflate(PAGE)).data == PAGE


def test_codings_are_decoded_from_the_outermost():
    """The header lists them in the order of their application; chunks are joined first."""
    body = gzip.compress(brotli.compress(PAGE), mtime=0)
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert decoded("Content-Encoding: br\r\nTransfer-Encoding: gzip, chunked", body).data == PAGE


@pytest.mark.parametrize("coding", list(CODERS))
def test_a_body_that_is_not_coded_is_kept_unchanged(coding):
    """Crawlers decode bodies and keep the header."""
    content = decoded(f"Content-Encoding: {coding}", PAGE)
    assert (content.data, content.notes) == (PAGE, ("content_not_coded",))


@pytest.mark.parametrize("coding", list(CODERS))
def test_a_truncated_coded_body_gives_the_bytes_before_the_end(coding):
    """The beginning of a page is useful; the truncation is counted."""
    page = b"".join(b"<p>%d</p>" % n for n in range(50_000))
    coded = CODERS[coding](page)
    content = decoded(f"Content-Encoding: {coding}", coded[: len(coded) // 2], max_bytes=1 << 24)
    assert (content.state, content.notes) == ("cut", ("content_cut",))
    assert content.data
    assert page.startswith(content.data)


@pytest.mark.parametrize("coding", list(CODERS))
def test_the_failure_of_a_damaged_body_names_the_coding(coding):
    """A coded body of which no byte can be decoded has no content."""
    coded = CODERS[coding](bytes(range(256)) * 40)
    damage = b"\x07" if coding == "deflate" else b"\xff"
    n_kept = 2 if coding == "deflate" else 8
    content = decoded(f"Content-Encoding: {coding}", coded[:n_kept] + damage * len(coded))
    assert (content.state, content.data) == ("corrupt", b"")
    assert coding in content.message


@pytest.mark.parametrize("coding", list(CODERS))
def test_a_body_is_never_decoded_beyond_the_limit(coding):
    """Decoding of a decompression bomb stops at the limit."""
    bomb = CODERS[coding](bytes(16 << 20))
    content = decoded(f"Content-Encoding: {coding}", bomb, max_bytes=1 << 20)
    assert (content.state, content.data) == ("too_big", b"")


def test_unsupported_codings_are_reported_and_invalid_names_are_ignored():
    """``compress`` is a coding; ``utf-8`` is not one, and is counted."""
    assert decoded("Content-Encoding: compress", PAGE).state == "unknown"
    content = decoded("Content-Encoding: utf-8", PAGE)
    assert (content.data, content.notes) == (PAGE, ("unknown_content_coding",))
    assert decoded("Content-Encoding: identity, none", PAGE).data == PAGE


def test_too_many_codings_are_refused():
    """A body with ten nested codings is not a page."""
    assert undo_codings(PAGE, ["gzip"] * 10, max_bytes=MAX_BYTES).state == "unknown"


def test_an_empty_body_is_an_empty_page():
    """It stays empty whatever coding the header names."""
    assert decoded("Content-Encoding: gzip", b"").data == b""
