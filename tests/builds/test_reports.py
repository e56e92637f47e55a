"""Reports of versions: what they show, what the public form never shows, and what a purge does to them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from commands import builder
from planted import write_lines
from reported import HIDDEN, HOSTILE, SHOWN, build_reported, canary, text

from builder import Corpus, Recipe, build, takedown, verify, write_report
from builder.domain.visible import visible
from builder.errors import BuilderError, CorpusError
from builder.operations.overview.overview import look_over
from builder.report.overview.page import MAX_BYTES, report_html

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "corpus-1"
SECTIONS = [
    "summary",
    "funnel",
    "contents",
    "limits",
    "duplicates",
    "removed",
    "faults",
    "opt-outs",
    "published",
    "dropped",
    "changes",
    "run",
    "recipe",
]
PRIVATE = {"faults", "dropped", "run"}


class Page(HTMLParser):
    """Collects elements, attributes and text as a browser sees them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The corpus with a canary in everything that is dropped."""
    return Corpus(build_reported(tmp_path_factory.mktemp("reported")).corpus)


@pytest.fixture(scope="module")
def private(hostile: Corpus) -> str:
    return report_html(look_over(hostile.path))


@pytest.fixture(scope="module")
def public(hostile: Corpus) -> str:
    return report_html(look_over(hostile.path, public=True))


def sections(page: str) -> list[str]:
    return re.findall(r'<section class="part" id="([a-z-]+)"', page)


def test_a_private_report_has_every_section(private: str) -> None:
    """Each kind of thing that a build does is to be seen."""
    assert sections(private) == SECTIONS


def test_a_public_report_has_counts_and_published_rows_only(public: str) -> None:
    """Faults, dropped records and the machine are left out as a whole."""
    assert sections(public) == [one for one in SECTIONS if one not in PRIVATE]


def test_no_canary_is_in_a_public_report(public: str) -> None:
    """No dropped text, rejected value, removed part or URL of a dropped page leaves the machine."""
    found = [one for one in (*SHOWN, *HIDDEN) if canary(one) in public]
    assert found == []
    assert "optout.example" not in public and "bad.example" not in public


@pytest.mark.parametrize("name", SHOWN)
def test_a_private_report_shows_what_was_dropped(private: str, name: str) -> None:
    """The test of the public form is worth something only if these are shown otherwise."""
    assert canary(name) in private


@pytest.mark.parametrize("name", HIDDEN)
def test_no_report_shows_the_text_of_an_opted_out_page(private: str, name: str) -> None:
    """The audit does not keep it, and a report must not find it elsewhere."""
    assert canary(name) not in private


def test_hostile_text_stays_text(private: str) -> None:
    """Markup of pages, URLs and recipes is shown as it is, and does nothing."""
    page = Page(private)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "object", "embed", "form", "base", "link"}
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [one for one in names if one.startswith("on") or one in ("style", "src", "srcset", "action")]
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert [one for one in links if not (one or "").startswith("#")] == []
    assert visible(HOSTILE, keep="\n\t") in page.text
    assert not set(page.text) & set("\u202e\u2066\u200f\x1b\x07\x85")


def test_ids_are_unique_and_links_have_a_target(private: str) -> None:
    """A link of the contents that leads nowhere is a fault for a keyboard."""
    page = Page(private)
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert sorted(ids) == sorted(set(ids))
    targets = {(attributes["href"] or "")[1:] for tag, attributes in page.tags if tag == "a"}
    assert targets <= set(ids)


def test_each_section_says_what_to_look_for(private: str) -> None:
    """A chart without a question is decoration."""
    assert private.count("<b>Look for: </b>") == len(SECTIONS)


def test_the_same_version_gives_the_same_bytes(hostile: Corpus, private: str, tmp_path: Path) -> None:
    """No clock and no path of the machine are in the page, so that two reports can be compared."""
    copy = tmp_path / "elsewhere"
    shutil.copytree(hostile.path, copy, symlinks=True)
    assert report_html(look_over(copy)) == private
    assert str(hostile.path) not in private


def test_published_numbers_have_a_histogram(tmp_path: Path) -> None:
    """Signals that a recipe publishes are to be seen without a limit."""
    rows = [{"url": f"https://a.example/{i}", "text": text(i)} for i in range(3)]
    corpus = built(tmp_path, rows, ["validate", "signals"])
    page = report_html(look_over(corpus, public=True))
    assert "<figcaption>mean_word_length</figcaption>" in page


def test_the_parts_that_were_removed_are_struck_out(private: str) -> None:
    """The reader sees them at their place in the text."""
    assert f"<del>{canary('line')} menu without an end</del>" in private


def test_a_limit_is_drawn_with_the_values_of_both_sides(private: str) -> None:
    """`c4` asks for three sentences: one page has fewer, and the others are estimated."""
    (drawn,) = re.findall(
        r"<figcaption>filter / sentences_below</figcaption>.*?</figure>", private, re.DOTALL
    )
    assert '<line class="limit"' in drawn and "min 3" in drawn
    assert "f-rejected" in drawn and "f-kept" in drawn


def test_a_report_of_a_purged_or_older_version_is_written(tmp_path: Path) -> None:
    """Corpora of older releases have fewer files in their audit."""
    for version in ("1.0.0", "1.1.0", "4.1.0"):
        try:
            written = write_report(f"{GOLDEN}@{version}", tmp_path / f"{version}.html")
        except CorpusError as error:
            assert "were dropped" in str(error)
            continue
        assert written.size_bytes == (tmp_path / f"{version}.html").stat().st_size


def test_sections_without_a_stage_are_absent(tmp_path: Path) -> None:
    """A recipe without duplicates, limits and opt-outs has a short report."""
    corpus = built(
        tmp_path, [{"url": f"https://a.example/{i}", "text": text(i)} for i in range(3)], ["validate"]
    )
    assert sections(report_html(look_over(corpus))) == [
        "summary",
        "funnel",
        "contents",
        "published",
        "changes",
        "run",
        "recipe",
    ]


def test_a_report_is_small_whatever_the_texts_are(tmp_path: Path) -> None:
    """Texts whose every character needs an escape make the report show less of them."""
    bad = "\u202e" * 30_000
    rows: list[dict[str, Any]]
    rows = [{"url": f"https://a.example/{i}", "text": bad, "title": f"{i}{bad}"} for i in range(30)]
    rows += [
        {"url": f"https://b.example/{i}", "text": {f"{i}{j}{bad[:200]}": bad for j in range(9)}}
        for i in range(90)
    ]
    page = report_html(look_over(built(tmp_path, rows, ["validate"])))
    assert len(page.encode()) <= MAX_BYTES


# -- the command -----------------------------------------------------------------------------------


def test_the_command_writes_the_report(hostile: Corpus, public: str, tmp_path: Path) -> None:
    """The file has the bytes of the function."""
    output = tmp_path / "r.html"
    done = builder("report", str(hostile.path), "-o", str(output), "--public")
    assert done.returncode == 0 and done.stdout.startswith("public report of version 1.0.0 written to")
    assert output.read_text(encoding="utf-8") == public


def test_only_the_owner_can_read_a_private_report(hostile: Corpus, tmp_path: Path) -> None:
    """It shows what the audit has, so it has the mode of the audit's files."""
    modes = {}
    for public in (True, False):
        write_report(hostile.path, tmp_path / "r.html", public=public)
        modes[public] = (tmp_path / "r.html").stat().st_mode & 0o077
    assert modes[False] == 0
    assert modes[True] & 0o044


def test_a_report_must_not_hide_in_the_corpus(hostile: Corpus) -> None:
    """A purge would not find it there, and `verify` would report it."""
    for name in ("page.html", "1.0.0/report.html", ".audit/report.html"):
        with pytest.raises(BuilderError, match="a purge does not look for reports"):
            write_report(hostile.path, hostile.path / name)


# -- purge -----------------------------------------------------------------------------------------

SECRET = "canarypurged"


@pytest.fixture
def purgeable(tmp_path: Path) -> Path:
    """A corpus with two versions and reports of both, all of which show a page that is to be purged."""
    rows = [{"url": f"https://a.example/{i}", "text": text(i)} for i in range(4)]
    rows.append({"url": f"https://a.example/{SECRET}", "text": f"{SECRET} {text(9)}"})
    rows.append({"url": "https://b.example/near", "text": f"{SECRET} {text(9)} {SECRET}"})
    corpus = built(tmp_path, rows, ["validate", "dedup_near"])
    for name, public in (("report.html", False), ("report-public.html", True)):
        write_report(corpus, corpus / name, public=public)
    (corpus / "report-other.html").write_text(f"notes of a person: {SECRET}")
    return corpus


def places(corpus: Path, word: str) -> Iterator[str]:
    for path in sorted(corpus.rglob("*")):
        if path.is_file() and word.encode() in path.read_bytes():
            yield str(path.relative_to(corpus))


def test_a_purge_removes_what_reports_show(purgeable: Path) -> None:
    """A report is a copy of the text. It is written again, or it is removed and the command says so."""
    assert set(places(purgeable, SECRET)) >= {"report.html", "report-public.html", "report-other.html"}
    url = f"https://a.example/{SECRET}"
    done = builder("takedown", str(purgeable), "--url", url, "--because", "asked", "--purge")
    assert done.returncode == 0
    assert "2 reports in the corpus folder written again: report-public.html, report.html" in done.stdout
    assert "1 report deleted from the corpus folder: report-other.html" in done.stdout
    assert list(places(purgeable, SECRET)) == []
    assert sorted(one.name for one in purgeable.glob("*.html")) == ["report-public.html", "report.html"]
    assert verify(purgeable).clean


def test_differences_are_a_page_too(purgeable: Path, tmp_path: Path) -> None:
    """The page has the counts and the rows that `diff` prints."""
    takedown(purgeable, urls=[f"https://a.example/{SECRET}"], because="asked")
    done = builder("diff", purgeable, "1.0.0", "2.0.0", "--html", tmp_path / "d.html")
    assert done.returncode == 0, done.stderr
    page = Page((tmp_path / "d.html").read_text(encoding="utf-8"))
    assert "What changed from 1.0.0 to 2.0.0" in page.text
    assert f"https://a.example/{SECRET}" in page.text and "taken down" in page.text


def test_the_function_removes_reports_and_says_so(purgeable: Path) -> None:
    """Without the command nobody writes them again."""
    result = takedown(purgeable, urls=[f"https://a.example/{SECRET}"], because="asked", purge=True)
    assert result.purged is not None
    assert [one.name for one in result.purged.reports] == [
        "report-other.html",
        "report-public.html",
        "report.html",
    ]
    assert list(purgeable.glob("*.html")) == []


def test_verify_accepts_reports_and_nothing_else(purgeable: Path) -> None:
    """A report is not sealed; any other file is still an addition."""
    assert verify(purgeable).clean
    (purgeable / "other.html").write_text("x")
    (purgeable / "report-link.html").symlink_to("report.html")
    assert [fault.where for fault in verify(purgeable).faults] == ["other.html", "report-link.html"]


def built(folder: Path, rows: list[dict[str, Any]], stages: list[str]) -> Path:
    write_lines(folder / "feed/a.jsonl", rows)
    document = {
        "name": "t",
        "sources": [{"jsonl": {"path": "feed/*.jsonl"}}],
        "stages": [{one: {}} for one in stages],
        "corpus": "corpus",
    }
    return Path(build(Recipe.from_dict(document, folder=folder), workers=1).corpus)
