"""Laws of the scanner that measures pages before a parser sees them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reference_html import measure_page

from builder.kernels.html.scan import measure

WORDS = r"""
<div> </div> <DIV\x20> <p> <li/> <svg> </svg> <path/> <path\x20d=1/> </font>
<font\x20a=b\x20c> <script> </script>
</scripts> <style\x20a=' '> <!-- --> --!> - ! > < / = " ' \x20 \n \x0b a <x\x20a=b=c\x20d\x20=\x20'e'\x20/f>
<!doctype\x20html> <?x?> </\x20> <title> </TITLE\n> <b/> <math/> \xff\x00 \xc3\xa9 </div
<a\x00b> <img\x20src=x> <rt> <ruby> </ruby> <option> <select> </select> <body\x20a> <HTML\x20a=1>
"""
_PIECES = [piece.encode().decode("unicode_escape").encode("latin-1") for piece in WORDS.split()]
pages = st.one_of(st.binary(max_size=60), st.lists(st.sampled_from(_PIECES), max_size=25).map(b"".join))


def measured(texts: list[bytes], *, dtype: type = np.int64) -> list[tuple[int, int]]:
    """Run the kernel as the stage does: with one buffer, and offsets that do not begin at 0."""
    data = np.frombuffer(b"<i>" + b"".join(texts) + b"<i>", dtype=np.uint8)
    offsets = (np.cumsum([0, *map(len, texts)]) + 3).astype(dtype)
    depth, attributes = np.empty(len(texts), dtype=np.int64), np.empty(len(texts), dtype=np.int64)
    measure(data, offsets, depth, attributes)
    return list(zip(depth.tolist(), attributes.tolist(), strict=True))


@given(st.lists(pages, max_size=4))
@example([b"<!-->", b"<!--->x", b"<!----", b"<!--a--!><b>", b"</"])
@example([b"<svg><path/><path/><div><path/><title><b></title>"])
def test_the_kernel_equals_the_reference(texts: list[bytes]) -> None:
    """This holds for any bytes, and for each page of a batch independently."""
    assert [measure_page(text) for text in texts] == measured(texts)


@pytest.mark.parametrize(
    ("page", "depth", "attributes"),
    [
        (b"<div>" * 300, 300, 0),
        (b"<p><font a=1>" * 300, 300, 1),
        (b"<div></x>" * 300, 300, 0),
        (b"<div></div>" * 300, 1, 0),
        (b"<ul>" + b"<li>x" * 300, 1, 0),
        (b"<script>" + b"<div>" * 300 + b"</script>", 0, 0),
        (b"<!--" + b"<div>" * 300 + b"-->", 0, 0),
        (b"<a title='" + b"<div>" * 300 + b"'>", 0, 1),
        (b"<svg>" + b"<path/>" * 300, 1, 0),
        (b"<svg>" + b"<div/>" * 300, 301, 0),
        (b"<svg><div>" + b"<x-y/>" * 300, 302, 0),
        (b"<b" + b" a" * 300 + b">", 1, 300),
        (b"<body a>" * 300, 0, 300),
        (b"<ruby>x" + b"<rt>y" * 300, 1, 0),
        (b"<rt>y" * 300, 300, 0),
        (b"<select>" + b"<option>y" * 300, 1, 0),
        (b"<option><p>y" * 300, 300, 0),
    ],
)
def test_pages_that_would_hang_a_parser_are_measured(page: bytes, depth: int, attributes: int) -> None:
    """Nesting counts where a parser nests, and not in lists, comments, scripts and values."""
    assert measured([page], dtype=np.int32) == [(depth, attributes)]


def test_too_many_element_names_never_make_a_page_look_flat() -> None:
    """A page with more element names than the table holds is measured as too deep, never as too flat."""
    page = b"".join(b"<x%d></x%d>" % (i, i) for i in range(1500))
    assert measured([page]) == [measure_page(page)] == [(1500 - 1024 + 1 - 1, 0)]
