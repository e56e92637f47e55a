"""The tags that say how a text may be used: the kernel finds what its slow twin finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reference_notable import notable

from builder.kernels.html.notable import MAX_NOTABLE, NOTABLE_COLUMNS, find_notable

PIECES = [
    *("<meta name=robots content='noai'>", '<META NAME="ROBOTS">', "<link rel=license href=x>"),
    *("<script type=application/ld+json>", "</script>", "<!--", "-->", "<!-->", "<", ">", '"', "'", "=", " "),
    *("<head>", "</head>", "<body>", "<footer>", "</footer>", "<article class=a>", "</ARTICLE>", "<main>"),
    *("<a href='//creativecommons.org/x'>", "<span itemprop=license>", "<title>", "</title", "licen", "<p>"),
    *('<meta content="a>b" name=rights>', "<style>", "</style>", "</", "tdm-", "\0", "é"),
]
PAGES = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


def rows(page: bytes) -> list[list[int]]:
    found = np.empty((MAX_NOTABLE, NOTABLE_COLUMNS), np.int64)
    data = np.frombuffer(b"<meta none>" + page + b"<meta none>", np.uint8)
    n = find_notable(data, 11, 11 + len(page), found)
    found[:n, :3] -= 11
    return found[:n].tolist()


@given(PAGES)
@example("<!--->-->")
@example("<head/><meta none")
def test_the_kernel_finds_what_the_twin_finds(page: str) -> None:
    """Any order of pieces; bytes around the page are not looked at."""
    assert rows(page.encode()) == notable(page.encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_alike(page: bytes) -> None:
    """Pages that are cut, and bytes that are not HTML."""
    assert rows(page) == notable(page)


@pytest.mark.parametrize(
    "filler", [b"<", b"<!--", b"<meta ", b"<script ", b"<a licen='", b'="', b"<meta none>"]
)
def test_a_hostile_page_is_read_in_one_pass(filler: bytes) -> None:
    """Half a megabyte of one piece; at most 200 tags are found."""
    assert len(rows(filler * (500_000 // len(filler)))) <= MAX_NOTABLE
