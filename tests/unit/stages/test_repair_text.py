"""``repair_text``: repairs, counts, and texts that stay unchanged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from reference import white_space

from builder.errors import RecipeError
from builder.protocols import Columns, Resources
from builder.stages.repair_text import RepairText


@pytest.mark.parametrize(
    ("given", "repaired", "counted"),
    [
        ("schÃ¶n", "schön", {"mojibake_fixed"}),
        ("&lt;b&gt; &amp;", "<b> &", {"entities"}),
        ("<p> &amp;", "<p> &amp;", set()),
        ("e\u0301", "é", {"nfc"}),
        ("a\x00b\x1b[31mc", "abc", {"control_chars"}),
        ("a\x85b\u2028c\r\nd", "a…b\nc\nd", {"mojibake_fixed", "line_ends"}),
        ("a  \n\n\n\nb\n", "a\n\nb", {"whitespace"}),
        ("a\fb", "a\nb", {"control_chars"}),
        ("“quotes” ﬁ ＡＢＣ　ｱ", "“quotes” ﬁ ＡＢＣ　ｱ", set()),
        ("  indented\n\tcode", "  indented\n\tcode", set()),
    ],
)
def test_each_fault_is_repaired_and_counted(
    given: str, repaired: str, counted: set[str], pages: Any, resources: Any, guard: Any
) -> None:
    """Text without a fault stays unchanged."""
    outcome = RepairText().apply(pages(text=[given]), resources=resources, guard=guard)
    assert outcome.kept["text"].to_pylist() == [repaired]
    assert {name for name, n in outcome.counts.items() if n} - {"repaired"} == counted
    assert outcome.counts["repaired"] == (given != repaired)
    assert outcome.rejected.num_rows == 0


def test_options_enable_the_repairs_that_are_off_by_default(pages: Any, resources: Any, guard: Any) -> None:
    """Curly quotes, widths and ligatures are not faults."""
    stage = RepairText(uncurl_quotes=True, fix_character_width=True, fix_latin_ligatures=True)
    outcome = stage.apply(pages(text=["“a” ﬁ ＡＢＣ"]), resources=resources, guard=guard)
    assert outcome.kept["text"].to_pylist() == ['"a" fi ABC']
    assert outcome.counts == {"repaired": 1, "quotes": 1, "ligatures": 1, "width": 1}


def test_null_and_the_order_of_rows_stay(pages: Any, resources: Any, guard: Any) -> None:
    """A repaired row has the position of the original row, in slices too."""
    batch = pages(text=["x", None, "b ", "", "schÃ¶n", "c"]).slice(1)
    outcome = RepairText().apply(batch, resources=resources, guard=guard)
    assert outcome.kept["text"].to_pylist() == [None, "b", "", "schön", "c"]
    assert outcome.kept.schema == batch.schema


def test_a_text_that_is_empty_after_the_repair_is_rejected(pages: Any, resources: Any, guard: Any) -> None:
    """A document must have text."""
    outcome = RepairText().apply(
        pages(url=["http://a/", None], text=[" \x00\n", "b"]), resources=resources, guard=guard
    )
    rejected = outcome.rejected.to_pylist()
    assert [(r["reason"], r["outcome"], r["url"]) for r in rejected] == [("no_text", "rejected", "http://a/")]
    assert outcome.kept["text"].to_pylist() == ["b"]


@pytest.mark.parametrize("text", ["a" + "\u0301\u0316" * 600, "&#x301;&#x316;" * 600])
def test_too_many_combining_marks_fail(text: str, pages: Any, resources: Any, guard: Any) -> None:
    """The marks can be characters or entities."""
    outcome = RepairText().apply(pages(text=[text]), resources=resources, guard=guard)
    (rejected,) = outcome.rejected.to_pylist()
    assert (rejected["reason"], rejected["outcome"], rejected["limit"]) == (
        "too_many_marks",
        "failed",
        "1000",
    )


def test_white_space_is_removed_except_indentation() -> None:
    """Blanks at line ends and surplus blank lines have no meaning."""
    assert white_space("\n \n  a\u3000\n\n\n \nb\xa0\t\n\n") == "  a\n\nb"


def test_a_contract_without_text_is_refused() -> None:
    """The chain is checked before any record is read."""
    resources = Resources(contract=None, columns=Columns(text=None))  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="extract_text"):
        RepairText().bind(pa.schema([("html", pa.string())]), resources)


def test_soft_hyphens_go_and_a_vertical_tab_leaves_a_space(pages: Any, resources: Any, guard: Any) -> None:
    """A soft hyphen is where a browser may break a word; a vertical tab separates words."""
    batch = pages(text=["Donau\xaddampf\xadschiff", "one\x0btwo\x0b\nthree", "Ã\xad", "e\xad\u0301"])
    outcome = RepairText().apply(batch, resources=resources, guard=guard)
    assert outcome.kept["text"].to_pylist() == ["Donaudampfschiff", "one two\nthree", "í", "é"]
    assert outcome.counts["control_chars"] == 3


def test_entities_that_a_reader_sees_are_not_decoded(pages: Any, resources: Any, guard: Any) -> None:
    """In the text of a page with HTML, in plain text as it was served, and nowhere with `entities: false`."""
    escaped = "Write &lt; for the less-than sign"
    batch = pages(text=[escaped, escaped], html=["<p>Write &amp;lt;", None])
    name = batch["_record"][0]["source"].as_py()
    kept = RepairText().apply(batch, resources=resources, guard=guard).kept
    assert kept["text"].to_pylist() == [escaped, "Write < for the less-than sign"]
    kept = RepairText(entities=False).apply(batch, resources=resources, guard=guard).kept
    assert kept["text"].to_pylist() == [escaped, escaped]
    for kind in ("warc", "html", "text"):
        served = replace(resources, kinds={name: kind})
        kept = RepairText().apply(batch, resources=served, guard=guard).kept
        assert kept["text"].to_pylist() == [escaped, escaped]
