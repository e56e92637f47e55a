"""Pages that programs saved: their address, MHTML, and mirrors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builder.engines.guard import NullGuard
from builder.io.html import HtmlSource
from builder.io.reading.html_sniff import is_html, is_mhtml
from builder.io.reading.saved_pages import saved_url

SINGLE_FILE = """<!DOCTYPE html> <html lang=en><!--
 Page saved with SingleFile
 url: https://a.example/x?y=1
 saved date: Fri Nov 27 2026 20:03:38 GMT+0000
--><meta charset=utf-8><link rel=canonical href="https://a.example/other"><p>Text"""
HTTRACK = "<html><!-- Mirrored from www.a.example/x/y.html by HTTrack Website Copier/3.x [XR&CO] -->"
MHTML = b"""From: <Saved by Blink>\r
Snapshot-Content-Location: https://a.example/x\r
Subject: Page\r
MIME-Version: 1.0\r
Content-Type: multipart/related;\r
\ttype="text/html";\r
\tboundary="--b"\r
\r
----b\r
Content-Type: text/css\r
Content-Location: https://a.example/x.css\r
\r
p {}\r
----b\r
Content-Type: text/html; charset=iso-8859-1\r
Content-Transfer-Encoding: quoted-printable\r
Content-Location: https://a.example/x?a=3D1\r
\r
<html><p>caf=E9 lang=3Den=\r
</p></html>\r
----b--\r
"""


def pages(path: Path, **options: Any) -> list[dict[str, Any]]:
    source = HtmlSource(path=str(path), **options)
    return [
        row
        for task in source.tasks()
        for reading in source.read(task, guard=NullGuard(), batch_rows=100)
        for row in reading.batch.to_pylist()
    ]


@pytest.mark.parametrize(
    ("page", "url"),
    [
        (SINGLE_FILE, "https://a.example/x?y=1"),
        (HTTRACK, "http://www.a.example/x/y.html"),
        ("<!-- saved from url=(0022)https://a.example/a?b --><html>", "https://a.example/a?b"),
        ("<!-- saved from url=(0014)about:internet --><html>", None),
        ("<!-- nothing --><html>", None),
        ("<p>saved from url=(0022)https://a.example/a", None),
    ],
)
def test_the_comment_of_the_program_has_the_address(page: str, url: str | None) -> None:
    """A browser, SingleFile, HTTrack."""
    assert saved_url(page) == url


def test_the_comment_comes_before_what_the_page_declares(tmp_path: Path) -> None:
    """The program knows from where it saved the page."""
    (tmp_path / "a.html").write_text(SINGLE_FILE)
    assert [page["url"] for page in pages(tmp_path)] == ["https://a.example/x?y=1"]


def test_the_main_page_of_mhtml_is_read(tmp_path: Path) -> None:
    """With its transfer encoding undone, its charset, and its address; the name does not matter."""
    for name in ("a.mhtml", "b"):
        (tmp_path / name).write_bytes(MHTML)
    found = pages(tmp_path)
    assert [(page["html"].strip(), page["url"]) for page in found] == [
        ("<html><p>café lang=en</p></html>", "https://a.example/x?a=3D1")
    ] * 2


def test_the_path_in_a_mirror_is_the_address_by_option(tmp_path: Path) -> None:
    """Not for a page that has one, and not without the option."""
    folder = tmp_path / "a.example" / "docs"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<p>one")
    (folder / "page.php?id=2").write_text("<html><p>two")
    (folder / "x.html").write_text('<link rel=canonical href="https://b.example/">')
    urls = [page["url"] for page in pages(tmp_path, url_from_path="https")]
    assert urls == ["https://a.example/docs/", "https://a.example/docs/page.php?id=2", "https://b.example/"]
    assert [page["url"] for page in pages(tmp_path)] == [None, None, "https://b.example/"]


@pytest.mark.parametrize(
    ("opening", "html"),
    [
        (b"<!DOCTYPE HTML>", True),
        (b"\xef\xbb\xbf\n <html>", True),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html>', True),
        (b"<!-- a --><!-- b --><body class=x>", True),
        (b"<p>x", True),
        (b"<param>", False),
        (b"<svg xmlns='x'>", False),
        (b"<?xml version='1.0'?><rss>", False),
        (b"p { color: red }", False),
        (b"var a = '<p>';", False),
        (b"\x89PNG<html>", False),
        (b"", False),
    ],
)
def test_html_is_recognised_by_its_first_bytes(opening: bytes, html: bool) -> None:
    """As the MIME Sniffing Standard does, with comments before it."""
    assert is_html(opening) == html
    assert not is_mhtml(opening)
