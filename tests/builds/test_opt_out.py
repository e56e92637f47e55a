"""Builds with ``opt_out``: one archive for each signal, place and rule of conflict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from reserving_sites import (
    EARLY,
    LATE,
    NO_TRAINING,
    NOON,
    OTHER,
    RSL,
    evidence,
    page,
    reasons,
    record,
    robots,
    run,
)

from builder import Recipe, build, load, takedown, verify
from builder.domain.reservations.tokens import Tokens
from builder.errors import RecipeError
from builder.operations.optout.covered import optout, write_urls
from builder.report.build import print_build
from builder.stages.opt_out import OptOut

ALL_TRAINING = "".join(f"User-agent: {one}\n" for one in Tokens.of(["train-ai"]).agents.values()) + "Allow: /"
RESERVED = {
    "robots": (robots(), page()),
    "robots of all agents": (robots("User-agent: *\nDisallow: /"), page()),
    "content usage in robots.txt": (robots("User-agent: *\nContent-Usage: train-ai=n\nAllow: /"), page()),
    "content usage in a header": (page(headers={"Content-Usage": "train-ai=n"}),),
    "content signal in robots.txt": (
        robots("User-agent: *\nContent-Signal: search=yes, ai-train=no"),
        page(),
    ),
    "content signal in a header": (page(headers={"Content-Signal": "ai-train=no"}),),
    "x robots": (page(headers={"X-Robots-Tag": "noai"}),),
    "x robots of an agent": (page(headers={"X-Robots-Tag": "GPTBot: noai"}),),
    "meta robots": (page(head="<meta name=robots content='noai, noimageai'>"),),
    "meta robots of an agent": (page(head="<meta name=CCBot content=noai>"),),
    "tdmrep.json": (
        record("https://a.example/.well-known/tdmrep.json", '[{"location":"/","tdm-reservation":1}]'),
        page(),
    ),
    "tdm header": (page(headers={"TDM-Reservation": "1"}),),
    "tdm meta": (page(head="<meta name=tdm-reservation content=1>"),),
    "inline rsl": (page(head=RSL.format('<prohibits type="usage">ai-train</prohibits>')),),
    "ai.txt": (
        record("https://a.example/ai.txt", "User-Agent: *\nDisallow: *.txt", media="text/plain"),
        page(),
    ),
    "ai.txt at its well-known place": (
        record("https://a.example/.well-known/ai.txt", "User-Agent: *\nDisallow: /", media="text/plain"),
        page(),
    ),
    "the longest path of content usage": (
        robots("User-agent: *\nAllow: /\nContent-Usage: train-ai=y\nContent-Usage: /x train-ai=n"),
        page(),
    ),
    "an older label of content usage": (page(headers={"Content-Usage": "genai=n"}),),
    "an exception of cc signals": (page(headers={"Content-Usage": "train-genai=n;exceptions=cc-cr"}),),
    "the last of two members": (page(headers={"Content-Usage": "train-ai=y, train-ai=n"}),),
    "content usage given twice": (
        page(headers=[("Content-Usage", "search=y"), ("Content-Usage", "train-ai=n")]),
    ),
    "content signal in a group of another agent": (
        robots("User-agent: bingbot\nAllow: /\nContent-Signal: ai-train=no"),
        page(),
    ),
    "x robots given twice": (page(headers=[("X-Robots-Tag", "noindex"), ("X-Robots-Tag", "NoAI")]),),
    "x robots given twice, once for another agent": (
        page(headers=[("X-Robots-Tag", "bingbot: noindex"), ("x-robots-tag", "noai")]),
    ),
    "x robots joined, with agents": (page(headers={"X-Robots-Tag": "bingbot: noai, GPTBot: noai"}),),
    "x robots after a date": (
        page(headers={"X-Robots-Tag": "unavailable_after: 25 Jun 2030 15:00:00 PST, noai"}),
    ),
    "x robots after a tag for another agent": (page(headers={"X-Robots-Tag": "bingbot: nofollow, noai"}),),
    "meta robots in capitals": (page(head="<META NAME='ROBOTS' CONTENT='NOAI'>"),),
    "the first rule of tdmrep": (
        record(
            "https://a.example/.well-known/tdmrep.json",
            '[{"location":"/x*","tdm-reservation":1},{"location":"/","tdm-reservation":0}]',
        ),
        page(),
    ),
    "a tdm policy does not take the reservation back": (
        page(headers={"TDM-Reservation": "1", "TDM-Policy": "https://a.example/policy.json"}),
    ),
    "rsl for a payment": (
        page(head=RSL.format('<permits type="usage">all</permits><payment type="crawl"/>')),
    ),
    "rsl for other usages": (page(head=RSL.format('<permits type="usage">search</permits>')),),
    "two groups for one agent": (
        robots("User-agent: GPTBot\nDisallow: /y\n\nUser-agent: gptbot/2.0\nDisallow: /x"),
        page(),
    ),
    "a pattern with an escaped character": (
        robots("User-agent: *\nDisallow: /%7Eann/*.html$"),
        page(path="/~ann/a.html"),
    ),
    "a byte order mark and old line ends": (robots(b"\xef\xbb\xbfUser-agent: *\rDisallow: /"), page()),
    "any no wins over any yes": (
        robots("User-agent: *\nContent-Usage: train-ai=y"),
        page(headers={"Content-Signal": "ai-train=no"}),
    ),
    "tdm meta over header": (
        page(headers={"TDM-Reservation": "0"}, head="<meta name=tdm-reservation content=1>"),
    ),
    "robots.txt after the page, without one before": (page(date=EARLY), robots(date=LATE)),
    "robots.txt of another port": (
        record("https://a.example:8080/robots.txt", NO_TRAINING, media="text/plain"),
        page("a.example:8080"),
    ),
    "robots.txt over http": (record("http://a.example/robots.txt", NO_TRAINING, media="text/plain"), page()),
    "the last robots.txt before the page": (
        robots("User-agent: *\nAllow: /", date=EARLY),
        robots(date=NOON),
        page(date=LATE),
    ),
}
PERMITTED = {
    "nothing": (page(),),
    "robots of a search engine": (robots("User-agent: bingbot\nDisallow: /"), page()),
    "robots of assistants and search": (
        robots("User-agent: ChatGPT-User\nUser-agent: OAI-SearchBot\nDisallow: /"),
        page(),
    ),
    "an equally long allow": (robots("User-agent: *\nDisallow: /x\nAllow: /x"), page()),
    "a longer allow": (robots("User-agent: *\nDisallow: /\nAllow: /x$"), page()),
    "a group of the agent": (robots("User-agent: *\nDisallow: /\n\n" + ALL_TRAINING), page()),
    "the longest path of content usage": (
        robots("User-agent: *\nAllow: /\nContent-Usage: train-ai=n\nContent-Usage: /x train-ai=y"),
        page(),
    ),
    "content usage that is not a dictionary": (page(headers={"Content-Usage": "train-ai=n,"}),),
    "content usage with another value": (page(headers={"Content-Usage": "train-ai=no"}),),
    "content usage in capitals": (page(headers={"Content-Usage": "Train-AI=n"}),),
    "x robots of another agent, given twice": (
        page(headers=[("X-Robots-Tag", "bingbot: noai"), ("X-Robots-Tag", "googlebot: noai")]),
    ),
    "meta robots of another agent": (page(head="<meta name=bingbot content=noai>"),),
    "a tdm reservation of another value": (page(headers={"TDM-Reservation": "yes"}),),
    "the first rule of tdmrep": (
        record(
            "https://a.example/.well-known/tdmrep.json",
            '[{"location":"/x*","tdm-reservation":0},{"location":"/","tdm-reservation":1}]',
        ),
        page(),
    ),
    "a broken tdmrep.json": (record("https://a.example/.well-known/tdmrep.json", "{"), page()),
    "rsl for all": (page(head=RSL.format('<permits type="usage">all</permits><payment type="free"/>')),),
    "rsl linked in robots.txt": (robots("License: https://a.example/l.xml\nUser-agent: *\nAllow: /"), page()),
    "rsl linked in the page": (page(head="<link rel=license type='application/rsl+xml' href=/l.xml>"),),
    "a licence that is not rsl": (page(headers={"Link": '<https://a.example/l>; rel="license"'}),),
    "llms.txt": (record("https://a.example/llms.txt", NO_TRAINING, media="text/plain"), page()),
    "another path": (robots("User-agent: *\nDisallow: /y"), page()),
    "another site": (robots(host="b.example"), page()),
    "another port": (robots(), page("a.example:8080")),
    "a reservation that was taken back": (
        robots(date=EARLY),
        robots("User-agent: *\nAllow: /"),
        page(date=LATE),
    ),
    "a reservation that came later": (
        robots("User-agent: *\nAllow: /", date=EARLY),
        page(date=NOON),
        robots(date=LATE),
    ),
    "no robots.txt": (robots(status="404 Not Found"), page()),
    "a page in place of robots.txt": (robots("<html>User-agent: *\nDisallow: /"), page()),
    "an unreadable robots.txt": (robots(status="503 Busy"), page()),
    "a search preference": (page(headers={"Content-Usage": "search=n"}),),
    "no index": (page(headers={"X-Robots-Tag": "noindex"}),),
    "no images": (page(headers={"X-Robots-Tag": "noimageai"}),),
    "linked rsl": (
        page(headers={"Link": '<https://a.example/l.xml>; rel="license"; type="application/rsl+xml"'}),
    ),
    "tdm meta over header": (
        page(headers={"TDM-Reservation": "1"}, head="<meta name=tdm-reservation content=0>"),
    ),
    "tdm header over file": (
        record("https://a.example/.well-known/tdmrep.json", '[{"location":"/","tdm-reservation":1}]'),
        page(headers={"TDM-Reservation": "0"}),
    ),
    "a tag in a comment": (page(head="<!-- <meta name=robots content=noai> -->"),),
    "images of ai.txt": (
        record("https://a.example/ai.txt", "User-Agent: *\nDisallow: *.jpg", media="text/plain"),
        page(),
    ),
}


def decided(folder: Path, records: tuple[bytes, ...], **options: Any) -> list[str | None]:
    found = reasons(run(folder, *records, OTHER, **options))
    assert found.pop("https://other.example/x") is None
    return list(found.values())


@pytest.mark.parametrize("records", RESERVED.values(), ids=RESERVED)
def test_a_reservation_rejects_a_page(tmp_path: Path, records: tuple[bytes, ...]) -> None:
    """Each signal at each of its places, and the rules for conflicts."""
    assert decided(tmp_path, records) == ["opted_out"]


@pytest.mark.parametrize("records", PERMITTED.values(), ids=PERMITTED)
def test_a_page_without_a_reservation_stays(tmp_path: Path, records: tuple[bytes, ...]) -> None:
    """What another standard means, what is older or later, and what says nothing."""
    assert set(decided(tmp_path, records)) == {None}


@pytest.mark.parametrize(
    ("records", "options", "reason"),
    [
        (PERMITTED["an unreadable robots.txt"], {"unreadable": "drop"}, "opt_out_unreadable"),
        (PERMITTED["linked rsl"], {"unreadable": "drop"}, "opt_out_unreadable"),
        (PERMITTED["rsl linked in robots.txt"], {"unreadable": "drop"}, "opt_out_unreadable"),
        (PERMITTED["rsl linked in the page"], {"unreadable": "drop"}, "opt_out_unreadable"),
        (PERMITTED["a broken tdmrep.json"], {"unreadable": "drop"}, "opt_out_unreadable"),
        (PERMITTED["no robots.txt"], {"unreadable": "drop"}, None),
        (PERMITTED["robots of assistants and search"], {"purposes": ["ai-input"]}, "opted_out"),
        (RESERVED["rsl for a payment"], {"signals": ["robots"]}, None),
        (PERMITTED["no index"], {"noindex": "drop"}, "opted_out"),
        (PERMITTED["a search preference"], {"purposes": ["search"]}, "opted_out"),
        (PERMITTED["robots of a search engine"], {"agents": ["bingbot"]}, "opted_out"),
        (RESERVED["robots"], {"agents": ["CCBot"]}, None),
        (RESERVED["robots"], {"signals": ["tdmrep"]}, None),
        (RESERVED["robots.txt after the page, without one before"], {"later": "ignore"}, None),
    ],
)
def test_the_policy_decides(
    tmp_path: Path, records: tuple[bytes, ...], options: dict[str, Any], reason: str | None
) -> None:
    """Purposes, agents, the signals that count, and what silence and unreadable files mean."""
    assert decided(tmp_path, records, **options) == [reason]


def test_silence_is_a_reservation_if_the_recipe_says_so(tmp_path: Path) -> None:
    """Only pages that a signal permits stay."""
    yes = page("yes.example", headers={"Content-Usage": "train-ai=y"})
    found = reasons(run(tmp_path, page(), yes, silence="drop"))
    assert found == {"https://a.example/x": "no_permission", "https://yes.example/x": None}


def test_the_ledger_and_the_audit_have_the_evidence(tmp_path: Path) -> None:
    """Place, time, line and text of each signal, whether it counts or not; no text of the page."""
    result = run(tmp_path, robots(date=EARLY), page(headers={"X-Robots-Tag": "noindex"}), OTHER)
    row = next(one for one in pq.read_table(result.ledger).to_pylist() if one["reason"] == "opted_out")
    assert (row["stage"], row["value"], row["limit"]) == ("opt_out", "GPTBot", "train-ai")
    assert row["message"] == f"robots in robots.txt, line 2, fetched {EARLY}: Disallow: /"
    site, own = evidence(result)
    assert (site["signal"], site["answer"], site["counts"], site["line"]) == ("robots", "no", True, 2)
    assert (site["at"], site["is_later"], site["text"]) == (EARLY, False, "Disallow: /")
    assert site["site_record"].startswith("warc/a.warc@")
    assert (own["signal"], own["answer"], own["text"]) == ("x_robots", "unknown", "X-Robots-Tag: noindex")
    texts = pq.read_table(result.ledger.with_name("texts.parquet")).to_pylist()
    assert [one for one in texts if "a.example" in one["text"]] == []


def test_pages_can_be_tagged_or_only_counted(tmp_path: Path) -> None:
    """``tag`` adds two columns; ``report`` changes no row."""
    records = (robots(), page(), OTHER)
    tagged = run(tmp_path, *records, corpus="tagged", mode="tag")
    rows = {row["url"]: row for row in load(tmp_path / "tagged")["train"]}
    assert rows["https://a.example/x"]["opt_out"] == "no"
    assert "Disallow: /" in rows["https://a.example/x"]["opt_out_evidence"][0]
    assert rows["https://other.example/x"]["opt_out"] == "unknown"
    reported = run(tmp_path, *records, corpus="reported", mode="report")
    assert [one.counts["opt_out.opted_out"] for one in (tagged, reported)] == [1, 1]
    assert reported.counts["opt_out.hosts_without_robots"] == 1
    assert "opt_out" not in load(tmp_path / "reported")["train"].column_names
    assert len(evidence(reported)) == 1


def test_the_bytes_do_not_depend_on_workers_and_batches(tmp_path: Path) -> None:
    """Nor does the evidence."""
    records = [robots(), *(page(path=f"/{i}") for i in range(9)), OTHER, page("b.example")]
    (tmp_path / "a.warc").write_bytes(b"".join(records))
    (tmp_path / "b.warc").write_bytes(robots(host="b.example"))
    results = []
    for corpus, more in (("calm", {"workers": 1}), ("other", {"workers": 2, "batch_rows": 2})):
        recipe = {"name": "t", "sources": [{"warc": {"path": "*.warc"}}], "corpus": corpus}
        recipe["stages"] = [{"extract_text": {}}, {"dedup_exact": {}}, {"opt_out": {"mode": "tag"}}]
        results.append(build(Recipe.from_dict(recipe, folder=tmp_path), **more))
    assert results[0].digest == results[1].digest
    assert evidence(results[0]) == evidence(results[1])


def test_an_addition_uses_the_files_of_earlier_versions(tmp_path: Path) -> None:
    """The robots.txt of the first crawl is in the audit; a page of the second one obeys it."""
    run(tmp_path, robots(date=EARLY), OTHER)
    added = run(tmp_path, page(date=LATE), page("b.example"), name="b")
    assert reasons(added) == {"https://a.example/x": "opted_out", "https://b.example/x": None}


def test_an_unknown_purpose_is_a_fault(tmp_path: Path) -> None:
    """The advice names the nearest one."""
    with pytest.raises(RecipeError, match="did you mean 'train-ai'"):
        run(tmp_path, OTHER, purposes=["train_ai"])


# -- builder optout ------------------------------------------------------------------------------------


def test_a_later_reservation_is_listed_for_older_pages_and_taken_down(tmp_path: Path) -> None:
    """The addition decides about its own pages; ``optout`` compares all pages with the newest files."""
    first = run(tmp_path, robots("User-agent: *\nAllow: /", date=EARLY), page(date=EARLY), OTHER)
    assert reasons(first)["https://a.example/x"] is None
    assert optout(tmp_path / "out").covered == []
    added = run(tmp_path, robots(date=LATE), page(path="/y", date=LATE), page("b.example"), name="b")
    assert reasons(added)["https://a.example/y"] == "opted_out"
    found = optout(tmp_path / "out")
    (covered,) = found.covered
    assert (covered.url, covered.token) == ("https://a.example/x", "GPTBot")
    assert LATE in covered.evidence
    assert found.hosts_without_robots == ["b.example", "other.example"]
    write_urls(tmp_path / "urls.txt", found)
    result = takedown(tmp_path / "out", file=tmp_path / "urls.txt", because="reserved since")
    assert [url for _, url in result.documents] == ["https://a.example/x"]
    assert optout(tmp_path / "out").covered == []


def test_a_reservation_in_a_later_fetch_of_a_page_is_listed(tmp_path: Path) -> None:
    """The header of the newer fetch is in the audit; the page itself is rejected."""
    run(tmp_path, page(date=EARLY), OTHER)
    run(tmp_path, page(date=LATE, headers={"X-Robots-Tag": "noai"}), page("b.example"), name="b")
    (covered,) = optout(tmp_path / "out").covered
    assert (covered.url, covered.token) == ("https://a.example/x", "noai")


def test_a_full_build_decides_by_the_time_of_each_page(tmp_path: Path) -> None:
    """With all inputs at once, the older page keeps what was in force when it was fetched."""
    (tmp_path / "b.warc").write_bytes(robots(date=LATE) + page(path="/y", date=LATE))
    full = run(tmp_path, robots("User-agent: *\nAllow: /", date=EARLY), page(date=EARLY), OTHER)
    assert reasons(full)["https://a.example/x"] is None
    assert reasons(full)["https://a.example/y"] == "opted_out"


def test_only_signals_of_the_page_itself_are_append_stable() -> None:
    """A file of a site can come with a later input, and can be older than the page."""
    assert not OptOut().append_stable
    assert OptOut(signals=["x_robots", "meta_robots"]).append_stable


FIRST = (robots(date=LATE, host="c.example"), page(date=EARLY), page("c.example", date=EARLY), OTHER)
SECOND = (
    robots(date=EARLY),
    page(path="/y", date=LATE),
    page("b.example", headers={"X-Robots-Tag": "noai"}),
    page("b.example", "/z"),
)


@pytest.mark.parametrize("later", ["use", "ignore"])
def test_an_addition_equals_a_full_build_where_the_stage_is_append_stable(tmp_path: Path, later: str) -> None:
    """With signals of the pages alone: the same rows, and nothing to say about older pages."""
    stable = {"signals": ["x_robots", "meta_robots"], "later": later}
    run(tmp_path, *FIRST, **stable)
    added = run(tmp_path, *SECOND, name="b", **stable)
    assert added.new_pages_only == []
    full = run(tmp_path, *SECOND, name="b", corpus="full", **stable)
    assert rows_of(added) == rows_of(full)


def test_an_addition_says_that_it_is_not_append_stable(tmp_path: Path, capsys: Any) -> None:
    """An older robots.txt in a later crawl covers a page of the first one: `optout` lists it."""
    run(tmp_path, *FIRST)
    added = run(tmp_path, *SECOND, name="b")
    assert added.new_pages_only == ["opt_out"]
    print_build(added, as_json=False)
    stated = "opt_out decided about the new pages alone; a new file of a site can cover older ones"
    assert f"{stated}: builder optout {tmp_path / 'out'}" in capsys.readouterr().out
    full = run(tmp_path, *SECOND, name="b", corpus="full")
    assert rows_of(full) < rows_of(added)
    covered = {one.url for one in optout(tmp_path / "out").covered}
    assert covered == {row[0] for row in rows_of(added) - rows_of(full)} == {"https://a.example/x"}
    (tmp_path / "urls.txt").write_text("".join(f"{one}\n" for one in covered))
    takedown(tmp_path / "out", file=tmp_path / "urls.txt", because="reserved")
    assert {row["url"] for row in load(tmp_path / "out")["train"]} == {row[0] for row in rows_of(full)}


def test_a_first_build_decides_about_all_pages(tmp_path: Path) -> None:
    """There are no older pages."""
    assert run(tmp_path, *FIRST).new_pages_only == []


def rows_of(result: Any) -> set[tuple[str, ...]]:
    return {(row["url"], row["id"], row["text"]) for row in load(result.corpus, result.version)["train"]}


def test_a_purge_reaches_the_evidence(tmp_path: Path) -> None:
    """No version keeps the URL of a purged page."""
    run(tmp_path, page(headers={"Content-Usage": "train-ai=y"}), OTHER)
    takedown(tmp_path / "out", urls=["https://a.example/x"], because="asked", purge=True)
    path = tmp_path / "out/.audit/1.0.0/opt_out.parquet"
    assert pq.read_table(path).to_pylist() == []
    assert verify(tmp_path / "out").clean
