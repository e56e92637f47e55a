"""``builder tune`` as a user calls it: what it prints, the page, and what it writes into a recipe."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from planted import sentence
from terminals import EVIL, escapes

RECIPE = """\
# my recipe
name: harbour
sources:
  - jsonl: {path: pages.jsonl}
stages:
  - filter:
      words: {min: 3, max: 50}  # a guess
  - dedup_near: {}   # the usual threshold
corpus: out
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """Pages with control characters and markup everywhere, some of them nearly equal."""
    evil = EVIL + "<script>alert(1)</script><img src=x onerror=alert(1)>" + "界" * 30
    lines = []
    for i in range(12):
        text = " ".join(sentence(i // 2 + j) for j in range(1 + i // 2)) + f" {evil}" + " end" * (i % 2)
        lines.append(
            {"url": f"https://a.example/{i}?{evil}", "text": text, "language": evil if i % 3 else "en"}
        )
    (tmp_path / "pages.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    labels = [{"url": one["url"], "label": "keep" if i > 5 else "drop"} for i, one in enumerate(lines)]
    (tmp_path / "labels.jsonl").write_text("".join(json.dumps(one) + "\n" for one in labels))
    return tmp_path / "recipe.yaml"


def test_the_report_fits_in_80_columns_whatever_the_pages_hold(recipe: Path, run_here: Any) -> None:
    """Each stage has its table, its documents and the command that writes another value."""
    done = run_here("tune", "recipe.yaml", "--labels", "labels.jsonl", "--signal", "lines", "--workers", "1")
    assert done.status == 0, done.err
    assert escapes(done.out) == escapes(done.err) == []
    lines = done.out.splitlines()
    assert [line for line in lines if len(line) > 80 and "--set" not in line] == []
    assert "filter  stages[0].filter" in lines
    assert "dedup_near  stages[1].dedup_near  threshold 0.8" in lines
    assert re.search(r"^> +50 ", done.out, re.MULTILINE), "the bound of the recipe is marked"
    assert re.search(r"^> +0.80 ", done.out, re.MULTILINE)
    assert "labelled among them: 6 keep and 6 drop" in done.out
    assert "  builder tune recipe.yaml --set stages.dedup_near.threshold=0.8 --write" in lines
    assert re.search(r"^AUC \d\.\d\d \(\d\.\d\d-\d\.\d\d\)", done.out, re.MULTILINE)


class _Page(HTMLParser):
    """Collects the elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_the_page_runs_nothing_and_asks_for_nothing(recipe: Path, run_here: Any, tmp_path: Path) -> None:
    """Markup of pages is text; the page has a histogram, and says the same as the terminal."""
    done = run_here("tune", "recipe.yaml", "--labels", "labels.jsonl", "-o", "tune.html", "--workers", "1")
    assert done.out.splitlines()[-1] == "written to tune.html"
    text = (tmp_path / "tune.html").read_text()
    page = _Page()
    page.feed(text)
    assert not page.tags & {"script", "img", "link", "iframe", "object", "form", "base"}
    assert not {one for one in page.attributes if one.startswith("on") or one in ("src", "style")}
    assert {"svg", "table", "section"} <= page.tags
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\u2066]", text) is None
    assert "&lt;script&gt;" in text
    assert "--set stages.dedup_near.threshold=0.8 --write" in text


def test_a_value_is_tried_and_then_written(recipe: Path, run_here: Any) -> None:
    """The same setting tries a value and writes it; comments stay, and no sample is read to write."""
    setting = ["--set", "stages.filter.words.min=8", "--set", "stages.dedup_near.threshold=0.6"]
    tried = json.loads(run_here("tune", "recipe.yaml", *setting, "--json", "--workers", "1").out)
    limit = tried["stages"][0]["limits"][0]
    assert (limit["bound"], limit["settings"]) == (8, ["stages.filter.words.min={bound}"])
    assert recipe.read_text() == RECIPE
    done = run_here("tune", "recipe.yaml", *setting, "--write")
    assert done.out.splitlines() == [
        "recipe.yaml:7: stages.filter.words.min: 3 -> 8",
        "recipe.yaml:8: stages.dedup_near.threshold: added threshold: 0.6",
    ]
    assert recipe.read_text() == RECIPE.replace("min: 3", "min: 8").replace(
        "dedup_near: {}", "dedup_near: {threshold: 0.6}"
    )
    again = json.loads(run_here("tune", "recipe.yaml", "--json", "--workers", "1").out)
    assert again["stages"] == tried["stages"]


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["--write"], 2, "--write needs the values to write: --set stages.dedup_near.threshold=0.75"),
        (["--set", "corpus=x", "--write"], 1, "is not a value of a stage, and --write writes no others"),
        (["--set", "stages.dedup_near.threshold=7", "--write"], 1, "7"),
        (["--set", "stages.dedup_near.threshhold=0.7", "--write"], 1, "threshold"),
        (["--signal", "wrds"], 1, "no signal is called 'wrds'"),
        (["--labels", "absent.csv"], 1, "absent.csv: no such file"),
        (["--set", "stages=[]"], 1, "no stage has a threshold"),
    ],
)
def test_a_fault_says_what_to_do_and_changes_nothing(
    arguments: list[str], status: int, expected: str, recipe: Path, run_here: Any
) -> None:
    """A recipe that would not be valid with a value keeps the old one."""
    done = run_here("tune", "recipe.yaml", *arguments)
    assert (done.status, expected in done.err) == (status, True), done.err
    assert recipe.read_text() == RECIPE


def test_a_limit_of_a_preset_is_written_as_a_whole_rule(recipe: Path, run_here: Any) -> None:
    """A rule of the recipe replaces the one of the preset, so its other limit is written too."""
    recipe.write_text(RECIPE.replace("words: {min: 3, max: 50}  # a guess", "preset: gopher"))
    found = json.loads(run_here("tune", "recipe.yaml", "--json", "--workers", "1").out)
    by_code = {one["code"]: one["settings"] for one in found["stages"][0]["limits"]}
    assert by_code["words_below"] == ["stages.filter.words.min={bound}", "stages.filter.words.max=100000"]
    settings = [one.replace("{bound}", "4") for one in by_code["words_below"]]
    assert run_here("tune", "recipe.yaml", *(f"--set={one}" for one in settings), "--write").status == 0
    assert "words: {min: 4, max: 100000}" in recipe.read_text()
