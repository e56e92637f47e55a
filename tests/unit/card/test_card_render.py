"""The card as a page: what it tells, and that strangers cannot write it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from golden_files import compare_with_golden
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from builder.card.card import MAX_DOMAINS, render_card, render_root_card
from builder.card.facts import Count, ShardFile, SplitFacts, StageFacts, VersionFacts
from builder.card.front_matter import read_front_matter, split_front_matter, version_front_matter
from builder.card.funnel import funnel
from builder.card.licenses import license_url
from builder.card.sections import sections
from builder.card.text import paragraphs
from builder.domain.visible import visible
from builder.errors import BuilderError, ContractError

if TYPE_CHECKING:
    from collections.abc import Callable

    from builder.card.facts import CardFacts

GOLDEN = Path(__file__).parent / "golden"


def test_golden_full_card(full_facts: CardFacts) -> None:
    """A card with all its parts, letter for letter."""
    compare_with_golden(GOLDEN / "full.md", render_card(full_facts))


def test_golden_bare_card(make_facts: Callable[..., CardFacts]) -> None:
    """A card of a version of which hardly anything is known, letter for letter."""
    compare_with_golden(GOLDEN / "bare.md", render_card(make_facts()))


def test_golden_root_card(make_facts: Callable[..., CardFacts]) -> None:
    """The card of a corpus folder with a yanked version, letter for letter."""
    facts = make_facts()
    versions = [
        VersionFacts(version="1.0.0", columns=facts.columns, splits=facts.splits, reason="first version"),
        VersionFacts(
            version="1.1.0",
            columns=facts.columns,
            splits=facts.splits,
            reason="4 documents added",
            date="2026-03-01",
            yanked="half of it was a test",
        ),
    ]
    compare_with_golden(
        GOLDEN / "root.md",
        render_root_card("gazette", versions, license="cc0-1.0", language=["en"], title="Gazette"),
    )


def test_front_matter_is_parsed_back(full_facts: CardFacts) -> None:
    """What stands at the head of the page is what was meant."""
    assert read_front_matter(render_card(full_facts)) == version_front_matter(full_facts)


def test_the_same_facts_give_the_same_card(full_facts: CardFacts) -> None:
    """A card depends on its facts alone."""
    assert render_card(full_facts) == render_card(full_facts)


@pytest.mark.parametrize(
    "text",
    [
        "---\nlicense: mit\n---",
        "no",
        "{{ 7 * 7 }} {% raw %}",
        "a\u2028b \x85 c",
        "<!-- builder:begin load -->\nmine\n<!-- builder:end load -->",
        "<!--builder:end what-->",
        "| a | b |",
    ],
)
def test_words_of_people_stay_words(text: str, make_facts: Callable[..., CardFacts]) -> None:
    """A description, title or note cannot add a key, a part of ours, or run as a template."""
    plain = render_card(make_facts(title="t", description="d", notes="n", reason="r"))

    card = render_card(make_facts(title=text, description=text, notes=text, reason=text))

    expected = read_front_matter(plain) | {"pretty_name": " ".join(text.split())}
    assert read_front_matter(card) == expected
    names = [section.name for section in sections(split_front_matter(card)[1]) if section.name]
    assert names == [section.name for section in sections(split_front_matter(plain)[1]) if section.name]
    marks = re.findall(r"^<!--\s*builder:", split_front_matter(card)[1], re.MULTILINE)
    assert len(marks) == 2 * len(names)


LAYOUT = st.text(st.sampled_from("a1 \n\t-=+*_#>`~|[]()<>!&;:./\\\\\"'{}$@\r\u2028\x1b\u202e"), max_size=60)


@given(LAYOUT)
@example("# Title\n\n<script>alert(1)</script>")
@example("text\n===\n- one\n1. two\n> three\n    code\n```\nfence\n---")
@example("![i](https://x.example/i.png) [l](javascript:alert(1)) <https://x.example> &lt;b&gt;")
@example("<!-- builder:end what -->\n</details>\n| a |\n|---|\n| b |")
def test_a_description_is_text(text: str) -> None:
    """A recipe may come from a stranger: its description is paragraphs, whatever Markdown or HTML it has."""
    card = f"before\n\n{paragraphs(text)}\n\nafter\n"
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(card)
    assert {token.type for token in tokens} == {"paragraph_open", "inline", "paragraph_close"}
    inline = [token.children or [] for token in tokens if token.type == "inline"]
    assert {child.type for children in inline for child in children} <= {"text", "softbreak"}
    shown = " ".join("".join(child.content or " " for child in children) for children in inline)
    assert shown.split() == ["before", *map(visible, text.split()), "after"]


def test_strange_domains_and_columns_do_not_break_tables(make_facts: Callable[..., CardFacts]) -> None:
    """A host or a column name with a bar, a backtick or a line end stays in its cell."""
    columns = pa.schema([("id", pa.string()), ("a|b`c\nd", pa.string())])

    card = render_card(make_facts(columns=columns, domains={"x|y`\n| z |": 1}))

    assert r"| `a\|b'c d` | `string` |" in card
    assert r"| `x\|y' \| z \|` | 1 | 10.0 % |" in card


def test_only_the_biggest_domains_are_named(make_facts: Callable[..., CardFacts]) -> None:
    """Domains are ordered by documents, then by name; the rest is counted."""
    domains = {f"d{i:02d}.example": 1 for i in range(MAX_DOMAINS + 4)} | {"z.example": 3}

    card = render_card(make_facts(domains=domains))

    named = re.findall(r"^\| `([a-z0-9]+\.example)`", card, re.MULTILINE)
    assert named == ["z.example", *(f"d{i:02d}.example" for i in range(MAX_DOMAINS - 1))]
    assert "5 more domains are not listed." in card


def test_all_faults_at_once(make_facts: Callable[..., CardFacts]) -> None:
    """A card that the Hub would refuse is not written, and every fault is told."""
    facts = make_facts(language=("english", "EN"))

    with pytest.raises(BuilderError) as caught:
        render_card(facts)

    assert [fault.where for fault in caught.value.faults] == ["language/0", "language/1"]


def test_a_column_that_cannot_be_loaded_is_refused(make_facts: Callable[..., CardFacts]) -> None:
    """A card never promises a column that `load_dataset` cannot open."""
    with pytest.raises(ContractError, match="/m: "):
        render_card(make_facts(columns=pa.schema([("m", pa.map_(pa.string(), pa.string()))])))


def test_a_split_without_rows_is_told_in_words(make_facts: Callable[..., CardFacts]) -> None:
    """Who looks for the test split reads why there is none."""
    shard = ShardFile(path="data/train-00000-of-00001.parquet", size_bytes=1, rows=1, sha256="ab" * 32)
    splits = {
        "train": SplitFacts(rows=1, raw_bytes=1, shards=(shard,)),
        "test": SplitFacts(rows=0, raw_bytes=0, shards=()),
    }

    card = render_card(make_facts(splits=splits))

    assert "The split `test` has no documents" in card
    assert "1 document in 1 split" in card


def test_sources_are_one_step_and_unknown_stages_come_last() -> None:
    """No record passes through two sources; a takedown comes after all stages of the recipe."""
    counts = [
        Count(stage="jsonl", reason="broken_json", outcome="failed", records=2),
        Count(stage="csv", reason="broken_row", outcome="failed", records=1),
        Count(stage="takedown", reason="taken_down", outcome="rejected", records=3),
    ]
    steps = funnel(10, ["jsonl", "csv", "validate"], counts, sources=["jsonl", "csv"])
    found = [(step.stage, step.came, step.went_on) for step in steps]
    assert found == [("the sources", 10, 7), ("validate", 7, 7), ("takedown", 7, 4)]


def test_the_funnel_adds_up() -> None:
    """What a stage passes on is what comes to the next one; a stage that no record left is told too."""
    counts = [
        Count(stage="jsonl", reason="broken_json", outcome="failed", records=2),
        Count(stage="validate", reason="type", outcome="rejected", records=3),
        Count(stage="validate", reason="required", outcome="rejected", records=4),
        Count(stage="validate", reason="format", outcome="rejected", records=0),
        Count(stage="dedup_near", reason="near_duplicate", outcome="merged", records=5),
    ]

    steps = funnel(100, ["validate", "extract_text", "dedup_near"], counts, sources=["jsonl"])

    assert [(s.stage, s.came, s.rejected, s.merged, s.failed, s.went_on) for s in steps] == [
        ("jsonl", 100, 0, 0, 2, 98),
        ("validate", 98, 7, 0, 0, 91),
        ("extract_text", 91, 0, 0, 0, 91),
        ("dedup_near", 91, 0, 5, 0, 86),
    ]
    assert [count.reason for count in steps[1].reasons] == ["required", "type"]


def test_a_limit_is_told_only_where_it_holds(make_facts: Callable[..., CardFacts]) -> None:
    """The card speaks of extraction and MinHash only if the stages were there."""
    bare = render_card(make_facts())
    full = render_card(make_facts(stages=(StageFacts(name="extract_text"), StageFacts(name="dedup_near"))))

    assert "MinHash" not in bare
    assert "MinHash" in full
    assert "Rules, not people" in full


@pytest.mark.parametrize(
    ("license_id", "url"),
    [
        ("cc-by-nc-sa-4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
        ("cc0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("apache-2.0", "https://spdx.org/licenses/Apache-2.0.html"),
        ("odc-by", "https://spdx.org/licenses/ODC-By-1.0.html"),
        ("cc", None),
        ("gpl", None),
        ("other", None),
    ],
)
def test_where_a_licence_stands(license_id: str, url: str | None) -> None:
    """Only a licence that is one text has an address; a family has none."""
    assert license_url(license_id) == url
