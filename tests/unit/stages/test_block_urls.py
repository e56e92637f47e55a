"""``block_urls``: which rule matches which URL, and what the ledger says of it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_64_intdigest

from builder.errors import RecipeError
from builder.stages.block_urls import BlockUrls
from builder.stages.blocking import rule_table, sorted_rules
from builder.stages.blocking.list_files import RULE_KINDS
from builder.stages.blocking.list_lines import read_list
from builder.stages.blocking.sorted_rules import SortedRules


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tables of a test are not in the cache of the user."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture
def run(tmp_path: Path, pages: Any, resources: Any, guard: Any) -> Any:
    """Return a function that writes lists and returns reason, value and message of each URL."""

    def judge(urls: list[Any], *, allow: str = "", options: Any = None, **lists: str) -> list[Any]:
        for name, text in lists.items():
            (tmp_path / f"{name}.txt").write_text(text)
        given: dict[str, Any] = {"lists": [f"{name}.txt" for name in lists]}
        if allow:
            (tmp_path / "good").write_text(allow)
            given["allow"] = ["good"]
        stage = BlockUrls(**{**given, **(options or {})})
        here = replace(resources, folder=tmp_path)
        batch = pages(url=urls)
        stage.bind(batch.schema, here)
        outcome = stage.apply(batch, resources=here, guard=guard)
        found = {row["url"]: row for row in outcome.rejected.to_pylist()}
        assert outcome.kept.num_rows + outcome.rejected.num_rows == len(urls)
        return [found.get(url) for url in urls]

    return judge


@pytest.mark.parametrize(
    ("line", "url", "blocks"),
    [
        ("b.co.uk", "https://b.co.uk/", True),
        ("b.co.uk", "http://A.B.co.uk:8080/x?y", True),
        ("b.co.uk", "https://user@b.co.uk./", True),
        ("b.co.uk", "https://xb.co.uk/", False),
        ("b.co.uk", "https://b.co.uk.example/", False),
        ("B.CO.UK.", "https://b.co.uk/", True),
        (".b.co.uk", "https://a.b.co.uk/", True),
        ("*.b.co.uk", "https://a.b.co.uk/", True),
        ("||b.co.uk^", "https://a.b.co.uk/", True),
        ("||b.co.uk^$third-party", "https://a.b.co.uk/", False),
        ("web.de", "https://eb.de/", False),
        ("www.web.de", "https://web.de/", False),
        ("web.de", "https://www.web.de/", True),
        ("co.uk", "https://b.co.uk/", False),
        ("co.uk", "https://co.uk/", True),
        ("*.co.uk", "https://b.co.uk/", True),
        ("github.io", "https://ann.github.io/", False),
        ("ann.github.io", "https://ann.github.io/", True),
        ("bücher.example", "https://BÜCHER.example/", True),
        ("xn--bcher-kva.example", "https://bücher.example/", True),
        ("bücher.example", "https://xn--bcher-kva.example/", True),
        ("0.0.0.0 ads.b.example", "https://ads.b.example/", True),
        ("0.0.0.0 ads.b.example", "https://x.ads.b.example/", False),
        ("127.0.0.1\tads.b.example track.b.example # both", "https://track.b.example/", True),
        ("::1 localhost ads.b.example", "https://localhost/", False),
        ("192.0.2.1", "http://192.0.2.1/", True),
        ("2.1", "http://192.0.2.1/", False),
        ("b.example/news", "https://b.example/news", True),
        ("b.example/news", "http://b.example/news/1?x=1", True),
        ("b.example/news", "https://b.example/newsletter", False),
        ("b.example/news", "https://www.b.example/news/", True),
        ("b.example/news", "https://c.b.example/news/", False),
        ("https://b.example/news/", "https://b.example/news/1", True),
        ("https://b.example/news/", "https://b.example/news", True),
        ("https://b.example/", "https://a.b.example/x", True),
        ("https://b.example/a?p=1&utm_source=x", "http://b.example/a?p=1", True),
        ("https://b.example/a?p=1", "http://b.example/a?p=2", False),
        ("https://b.example/a?p=1", "http://b.example/a", False),
    ],
)
def test_a_line_blocks_on_label_and_path_borders(run: Any, line: str, url: str, blocks: bool) -> None:
    """The host is compared in canonical form; a public suffix is the host of that name."""
    (row,) = run([url], mine=f"# a comment\n! another\n\n{line}\nother.example\n")
    assert (row is not None) == blocks
    if row:
        assert row["message"].startswith("mine.txt, line 4: ")


@pytest.mark.parametrize(
    ("line", "url", "blocks"),
    [
        ("games", "https://b.example/free-Games/1", True),
        ("games", "https://games.example/", True),
        ("games", "https://b.example/gamesters", False),
        ("free games", "https://b.example/free_games", True),
        ("free games", "https://b.example/games-free", False),
        ("spiele für alle", "https://b.example/Spiele%20f%C3%BCr-alle", True),
    ],
)
def test_a_list_of_words_matches_whole_words(run: Any, line: str, url: str, blocks: bool) -> None:
    """The name of the file, or the option, says that its lines are words."""
    (row,) = run([url], **{"bad-words": f"{line}\n"})
    assert (row is not None) == blocks
    (row,) = run([url], mine=f"{line}\n", options={"lists": [{"path": "mine.txt", "rules": "words"}]})
    assert (row["reason"] if row else None) == ("blocked_word" if blocks else None)


def test_the_first_rule_of_the_first_list_decides(run: Any) -> None:
    """The ledger has reason and rule; the message has list and line as well."""
    urls = ["https://a.b.example/x", None, "not a url", "https://c.example/"]
    row, *others = run(urls, one="z.example\na.b.example/x\n", two="b.example\n")
    assert (row["stage"], row["reason"], row["value"]) == ("block_urls", "blocked_url", "a.b.example/x")
    assert row["message"] == "one.txt, line 2: url a.b.example/x"
    assert others == [None, None, None]


def test_a_rule_of_allow_wins_over_all_lists(run: Any) -> None:
    """It does not matter which of the two is more specific."""
    urls = ["https://a.b.example/x", "https://c.b.example/", "https://c.b.example/good/1"]
    allow = "a.b.example\nc.b.example/good\n"
    rows = run(urls, one="b.example\na.b.example/x\n", allow=allow)
    assert [row["reason"] if row else None for row in rows] == [None, "blocked_domain", None]


def test_a_folder_of_ut1_is_read(tmp_path: Path, run: Any) -> None:
    """Each folder is a category; files of other names and expressions are not lists of rules."""
    for name, text in (
        ("domains", "b.example\n192.0.2.7\n"),
        ("urls", "c.example/x\n"),
        ("expressions", "(.*"),
    ):
        (tmp_path / "ut1/adult").mkdir(parents=True, exist_ok=True)
        (tmp_path / "ut1/adult" / name).write_text(text)
    urls = ["https://b.example/", "https://c.example/x/y", "https://c.example/", "http://192.0.2.7/"]
    rows = run(urls, options={"lists": ["ut1"]})
    assert [row["message"] if row else None for row in rows] == [
        "ut1/adult/domains, line 1: domain b.example",
        "ut1/adult/urls, line 1: url c.example/x",
        None,
        "ut1/adult/domains, line 2: domain 192.0.2.7",
    ]


@pytest.mark.parametrize(
    ("text", "lists", "match"),
    [
        ("b.example", ["none.txt"], "'none.txt' names no list"),
        ("# nothing\n", ["mine.txt"], "mine.txt has no line that is a rule"),
        ("\0\1\2", ["mine.txt"], "mine.txt has no line that is a rule"),
        ("b.example", [{"path": "mine.txt", "rules": "regex"}], "is not a list"),
        ("b.example", [3], "3 is not a list"),
    ],
)
def test_a_list_that_is_not_one_is_a_fault(
    tmp_path: Path, resources: Any, pages: Any, text: str, lists: Any, match: str
) -> None:
    """The fault is found before a record is read."""
    (tmp_path / "mine.txt").write_text(text)
    here = replace(resources, folder=tmp_path)
    with pytest.raises(RecipeError, match=match):
        BlockUrls(lists=lists).bind(pages(url=[None]).schema, here)


def test_the_lists_are_part_of_what_decides(tmp_path: Path) -> None:
    """The manifest has the hash of each file, by its path below the recipe and never an absolute one."""
    folder, elsewhere = tmp_path / "recipe", tmp_path / "elsewhere"
    for place in (folder, elsewhere):
        place.mkdir()
        (place / "a.txt").write_text("b.example")
    stage = BlockUrls(lists=["*.txt", str(elsewhere / "a.txt")], allow=["../elsewhere/a.txt"])
    assert list(stage.files(folder)) == ["a.txt", "elsewhere/a.txt"]
    assert not any(name.startswith("/") for name in stage.files(folder))
    assert str(tmp_path) not in str(stage.recorded_options)


def test_two_rules_with_one_hash_are_told_apart(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hit counts only if the text of the rule is the same."""
    for module in (rule_table, sorted_rules):
        monkeypatch.setattr(module, "xxh3_64_intdigest", len)
    rows = run(
        ["https://b.example/", "https://c.example/", "https://d.example/"], same="x.example\nc.example\n"
    )
    assert [row and row["value"] for row in rows] == [None, "c.example", None]


def test_a_table_is_written_once_for_each_state_of_the_lists(run: Any, cache: Path, tmp_path: Path) -> None:
    """A changed list has another table."""
    run(["https://b.example/"], mine="b.example\n")
    (table,) = (cache / "builder/lists").iterdir()
    written = table.stat().st_mtime_ns
    rule_table._open.cache_clear()
    run(["https://b.example/"], mine="b.example\n")
    assert table.stat().st_mtime_ns == written
    (row,) = run(["https://b.example/"], mine="c.example\n# more\n")
    assert row is None
    assert len(list((cache / "builder/lists").iterdir())) == 2


@given(st.lists(st.binary(max_size=2), max_size=60), st.integers(1, 9))
def test_rules_come_back_in_the_order_of_their_hashes(keys: list[bytes], piece_rows: int) -> None:
    """However many pieces there are; equal hashes stay in the order of the lists, and in one table."""
    with tempfile.TemporaryDirectory() as folder, SortedRules(Path(folder), piece_rows=piece_rows) as rules:
        for line, key in enumerate(keys):
            rules.add(key, number=0, line=line)
        tables = list(rules.tables())
        hashes = [table["hash"].to_pylist() for table in tables]
        found = pa.concat_tables(tables).to_pylist()
    expected = sorted((xxh3_64_intdigest(key), line, key) for line, key in enumerate(keys))
    assert [(row["hash"], row["line"], row["rule"]) for row in found] == expected
    assert sum(len(set(one)) for one in hashes) == len(set().union(*hashes))


def test_a_list_of_many_pieces_is_searched_as_one(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker looks in the piece that can have the hash."""
    monkeypatch.setattr(rule_table, "SortedRules", partial(SortedRules, piece_rows=7))
    hosts = [f"{n}.b{n % 7}.example" for n in range(100)]
    rows = run([f"https://{one}/" for one in [*hosts, "none.example"]], many="\n".join(hosts))
    assert [row and row["value"] for row in rows] == [*hosts, None]
    assert rows[41]["message"] == "many.txt, line 42: domain 41.b6.example"


@given(st.lists(st.text(max_size=40), max_size=8), st.sampled_from(RULE_KINDS))
def test_no_line_ends_a_build(lines: list[str], rules: str) -> None:
    """A line that is not a rule is skipped."""
    for number, rule in read_list(lines, rules=rules):
        assert 1 <= number <= len(lines)
        assert rule.key
