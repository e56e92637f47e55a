"""Laws of the kernels that read a page into blocks and features."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from kernel_calls import fewer
from mutated_pages import BASES, PIECES, mutated
from reference_features import describe

from builder.kernels.html.feature_names import FEATURES
from builder.kernels.html.layout import B_END, B_START, BLOCKS, MAX_CLIMB, MAX_NODES, NODES, STEPS
from builder.stages.extraction.block_reader import BlockReader

READER = BlockReader()

pages = st.one_of(
    st.binary(max_size=60),
    st.lists(st.one_of(st.sampled_from(PIECES), st.just(b"word ")), max_size=40).map(b"".join),
)


def read(html: bytes) -> list[tuple[bytes, dict[str, int]]]:
    """Return text and features of each block, as the kernels find them."""
    page, around = READER.describe(html)
    return [
        (
            page.out[block[B_START] : block[B_END]].tobytes(),
            dict(zip(FEATURES, around.features[i].tolist(), strict=True)),
        )
        for i, block in enumerate(page.blocks[: page.state[BLOCKS]])
    ]


def expected(html: bytes) -> list[tuple[bytes, dict[str, int]]]:
    """Return the same from the slow twin."""
    reader, rows = describe(html)
    return [(bytes(block.text), row) for block, row in zip(reader.blocks, rows, strict=True)]


@given(pages)
@example(b"<script><!--<!--><script></script>A")
@example(b"<b>x<div>y</b>z</div><a href=1>p<p>q</a>r")
def test_the_kernels_equal_the_slow_twin(html: bytes) -> None:
    """Blocks and features are the same for any bytes, and no page leaves a trace in the next one."""
    assert read(html) == expected(html)


@pytest.mark.parametrize("html", BASES)
def test_the_kernels_equal_the_slow_twin_on_whole_pages(html: bytes) -> None:
    """Pages with an article, a forum, comments, lists, tables and several scripts."""
    assert read(html) == expected(html)
    assert len(read(html)) > 10


def test_the_kernels_equal_the_slow_twin_on_mutated_pages() -> None:
    """A few of the pages that the long test reads."""
    for html in mutated(1, fewer(300, 20)):
        assert read(html) == expected(html), html


@pytest.mark.long
def test_the_kernels_equal_the_slow_twin_on_20_000_mutated_pages() -> None:
    """Pages of up to 4 KB."""
    for html in mutated(2, fewer(20_000, 20)):
        assert read(html) == expected(html), html


@pytest.mark.parametrize(
    "unit",
    [
        b"<p",
        b"<p>",
        b"<a ",
        b'<a b="',
        b"<div>x",
        b"</div>",
        b"<svg>",
        b"<select><option>x",
        b"<script>",
        b"<!--",
        b"<title>",
        b"<b>x",
        b"<table><td>x",
        b"<li>x<ul>",
        b"<x-y class='a b'>",
        b"<div><section>x</div>",
        b"&",
        b"&#",
        b"&x;",
        b"<![CDATA[",
        b"<pre>\n",
        b"<span hidden>x",
        b"<rt>x",
        b"<br>x",
        b" a=b",
        b"\xff",
        b"x ",
    ],
)
@pytest.mark.parametrize(
    "before", [b"", b"<div>" * 99 + b"<table><td>" + b"<section>" * 98, b"<a ", b"<?xml?>"]
)
def test_the_steps_are_linear_in_the_bytes(before: bytes, unit: bytes) -> None:
    """Steps are counted instead of time: bytes that are read, and elements that a tag looks at."""
    size = fewer(200_000, 2_000)
    html = before + unit * (size // len(unit))
    page, _ = READER.describe(html)
    assert page.state[STEPS] <= len(html) + MAX_CLIMB * (html.count(b"<") + 1)
    assert page.state[NODES] <= html.count(b"<") + 1


def test_a_page_with_too_many_elements_keeps_its_text() -> None:
    """Further elements get no rows, so that memory does not grow with them."""
    n_items = fewer(MAX_NODES + 1_000, 1_000)
    page, around = BlockReader().describe(b"<p>x" * n_items + b"<p>end")
    assert page.state[BLOCKS] <= MAX_NODES and page.state[NODES] <= MAX_NODES
    assert len(around.features) <= MAX_NODES
    text = page.out[: page.blocks[page.state[BLOCKS] - 1, B_END]].tobytes()
    assert text == b"x\n" * n_items + b"end"


@pytest.mark.long
@pytest.mark.unmeasured
def test_a_million_mutated_pages_stay_within_the_arrays(tmp_path: Path) -> None:
    """Compiled code checks no index, so these run in a process that does."""
    program = Path(__file__).with_name("programs") / "checked_pages.py"
    folders = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
    checks = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(program), "1000000"],
        env={**os.environ, **checks, "PYTHONPATH": os.pathsep.join(folders)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "1000000 pages\n"), done.stderr
