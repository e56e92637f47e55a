"""Charts: numbers are in the drawing, in its description and in a table, and thresholds are drawn in."""

from __future__ import annotations

import base64
import hashlib
import re

from builder.charts.bars import Bar, BarChart, bar_table
from builder.charts.funnel import Funnel, FunnelStep, funnel_table
from builder.charts.histogram import Histogram, Threshold, histogram
from builder.charts.page import HtmlPage, PagePart, render_page

SIMILARITIES = Histogram(
    key="sim",
    title="Similarity of merged records",
    unit="similarity (Jaccard, 0 to 1)",
    edges=(0.8, 0.9, 1.0),
    series={"merged": (3, 1), "kept": (0, 0)},
    thresholds=(Threshold(value=0.8, label="merged from 0.8"),),
)


def test_a_histogram_says_its_numbers_in_words_and_in_a_table() -> None:
    """Who cannot see the picture gets the same facts."""
    drawn = str(histogram(SIMILARITIES))
    assert 'role="img" aria-labelledby="sim-title sim-desc"' in drawn
    assert "4 records" in drawn and "The tallest bar is 0.8 to 0.9, with 75.0 %." in drawn
    assert '<th scope="row">0.8 to 0.9</th>' in drawn
    assert drawn.count("<rect") == 2 + 2, "two bars, and two swatches of the legend"


def test_a_threshold_is_a_line_with_its_label() -> None:
    """The reader sees where the limit is without looking it up."""
    drawn = str(histogram(SIMILARITIES))
    assert drawn.count('<line class="limit"') == 1
    assert ">merged from 0.8</text>" in drawn


def test_names_of_strangers_in_a_drawing_are_visible() -> None:
    """A column may have any name; a drawing has no element that isolates a direction."""
    name = "a\u202e<b>"
    drawn = str(
        histogram(
            Histogram(
                key="x",
                title=name,
                unit=name,
                edges=(0, 1),
                series={"plain": (1,)},
                thresholds=(Threshold(value=0.5, label=name),),
            )
        )
    )
    assert "\u202e" not in drawn and "<b>" not in drawn
    assert drawn.count("a\\u202e&lt;b&gt;") >= 4


def test_a_bar_on_a_logarithmic_axis_is_at_its_place() -> None:
    """The middle of 1 and 10,000 is 100."""
    drawn = str(
        histogram(
            Histogram(
                key="x", title="x", unit="x", edges=(1, 100, 10_000), series={"plain": (1, 1)}, log=True
            )
        )
    )
    xs = [float(one) for one in re.findall(r'<rect class="f-plain" x="([\d.]+)"', drawn)]
    assert xs == [40.5, 186.5]


def test_an_empty_histogram_is_drawn() -> None:
    """A version without a document still has a report."""
    assert "No records." in str(
        histogram(Histogram(key="x", title="x", unit="x", edges=(0, 1), series={"plain": (0,)}))
    )


def test_a_funnel_counts_what_is_left_after_each_stage() -> None:
    """The numbers add up in front of the reader."""
    steps = (
        FunnelStep(stage="validate", came=10, left={"rejected": 2}),
        FunnelStep(stage="dedup_near", came=8, left={"merged": 3}),
    )
    drawn = str(funnel_table(Funnel(title="Funnel", steps=steps)))
    assert re.findall(r'<td class="n">([^<]+)</td>', drawn) == ["10", "−2", "20.0 %", "8", "−3", "37.5 %"]
    assert "<strong>5</strong>" in drawn and "<strong>50.0 %</strong>" in drawn


def test_bars_name_strangers_safely() -> None:
    """Domains and languages of pages are foreign text."""
    drawn = str(
        bar_table(
            BarChart(
                title="Domains", names="domain", bars=[Bar(name="<b>\u202e", parts={"plain": 2})], rest=2
            )
        )
    )
    assert "<bdi>&lt;b&gt;\\u202e</bdi>" in drawn
    assert "all others" in drawn and "50.0 %" in drawn


def test_only_the_style_sheet_of_the_page_is_allowed() -> None:
    """The policy has the hash of the very text of the style element, so nothing else has an effect."""
    section = PagePart(key="a", title="A", look_for="a thing.", content=("text",))
    page = render_page(HtmlPage(title="T", window_title="T", lead="L", sections=[section], footer="F"))
    (styles,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode()
    assert page.count('http-equiv="Content-Security-Policy" content="default-src') == 1
    assert f"default-src &#x27;none&#x27;; style-src &#x27;sha256-{digest}&#x27;" in page
    assert " style=" not in page and "<script" not in page


def test_the_headings_of_a_page_are_in_order() -> None:
    """A screen reader lists the headings; a level must not be skipped."""
    sections = [PagePart(key=one, title=one, look_for="x.", content=()) for one in "ab"]
    page = render_page(HtmlPage(title="T", window_title="T", lead="L", sections=sections, footer="F"))
    assert re.findall(r"<h(\d)", page) == ["1", "2", "2"]
    assert page.count("<b>Look for: </b>x.") == 2
