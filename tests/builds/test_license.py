"""``license`` in builds of web archives: one page for each place of a licence and each rule of conflict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from reserving_sites import page, run_stages

BY = "https://creativecommons.org/licenses/by/4.0/"
NC = "https://creativecommons.org/licenses/by-nc-sa/4.0/deed.de"
ZERO = "http://www.creativecommons.org/publicdomain/zero/1.0/legalcode"
PORT = "//creativecommons.org/licenses/by/2.0/de/"


def linked(node: Any) -> str:
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


def article(license_: Any, **more: Any) -> dict[str, str]:
    return {"head": linked({"@type": "Article", "license": license_, **more})}


def footer(content: str) -> dict[str, str]:
    return {"foot": f"<footer>{content}</footer>"}


CASES: dict[str, tuple[dict[str, Any], tuple[str | None, str | None]]] = {
    "nothing": ({}, (None, None)),
    "link in the head": ({"head": f"<link rel=license href={BY}>"}, ("cc-by-4.0", "rel")),
    "link in the footer": (
        footer(f"<a rel=license href={BY}>x</a>"),
        ("cc-by-4.0", "rel"),
    ),
    "link in the article": (
        {"foot": f"<article><p>x <a rel=license href={BY}>y</a></article>"},
        ("cc-by-4.0", "rel"),
    ),
    "json-ld": (article(BY), ("cc-by-4.0", "json_ld")),
    "json-ld with an object": (article({"@type": "CreativeWork", "@id": ZERO}), ("cc0-1.0", "json_ld")),
    "json-ld of a graph": (
        {"head": linked({"@graph": [{"@type": "WebPage", "license": {"url": NC}}]})},
        ("cc-by-nc-sa-4.0", "json_ld"),
    ),
    "json-ld of this page": (
        article(BY, mainEntityOfPage="https://h7.example/x"),
        ("cc-by-4.0", "json_ld"),
    ),
    "json-ld of another page": (article(BY, url="https://z.example/other"), (None, None)),
    "json-ld of an image": ({"head": linked({"@type": "ImageObject", "license": BY})}, (None, None)),
    "meta": ({"head": f"<meta name=dcterms.license content={BY}>"}, ("cc-by-4.0", "meta")),
    "meta rights in words": (
        {"head": "<meta name=DC.rights content='© Ann, CC BY-SA 3.0'>"},
        ("cc-by-sa-3.0", "meta"),
    ),
    "meta of all rights": ({"head": "<meta name=copyright content='All rights reserved'>"}, (None, None)),
    "microdata": (
        {"foot": f"<p><a itemprop=license href={BY}>x</a></p>"},
        ("cc-by-4.0", "markup"),
    ),
    "rdfa": ({"foot": f"<span property='dct:license' resource={PORT}>x</span>"}, ("cc-by-2.0-de", "markup")),
    "header": ({"headers": {"Link": f'<{BY}>; rel="license"'}}, ("cc-by-4.0", "header")),
    "header of another relation": ({"headers": {"Link": f"<{BY}>; rel=next"}}, (None, None)),
    "two headers": (
        {"headers": [("Link", "</a>; rel=next"), ("Link", f"<{BY}>; rel=license")]},
        ("cc-by-4.0", "header"),
    ),
    "link in the footer without a relation": (
        footer(f"<a href={BY}>x</a>"),
        ("cc-by-4.0", "footer_link"),
    ),
    "link of a caption": ({"foot": f"<figcaption><a href={BY}>x</a></figcaption>"}, ("cc-by-4.0", "link")),
    "a URL in the text": ({"foot": f"<p>{BY}</p>"}, (None, None)),
    "public domain mark": (
        {"head": "<link rel=license href=https://creativecommons.org/publicdomain/mark/1.0/>"},
        ("pdm-1.0", "rel"),
    ),
    "old certification": (
        {"head": "<link rel=license href=http://creativecommons.org/licenses/publicdomain/>"},
        ("cc-pd", "rel"),
    ),
    "non-commercial in the footer, zero in the metadata": (
        {
            "head": f"<meta name=rights content={ZERO}>",
            **footer(f"<a rel=license href={NC}>x</a>"),
        },
        ("cc-by-nc-sa-4.0", "rel"),
    ),
    "the stronger place decides": (
        {"head": f"<meta name=rights content={ZERO}>", **footer(f"<a href={NC}>x</a>")},
        ("cc0-1.0", "meta"),
    ),
    "two licences at one place": (
        {"head": f"<link rel=license href={BY}><link rel=license href={NC}>"},
        ("conflict", "rel"),
    ),
    "one licence twice": (
        {"head": f"<link rel=license href={BY}>" * 2},
        ("cc-by-4.0", "rel"),
    ),
    "one licence with and without a version": (
        {"head": f"<link rel=license href={BY}><link rel=license href=//creativecommons.org/licenses/by/>"},
        ("cc-by-4.0", "rel"),
    ),
}
STAGES: list[Any] = [{"extract_text": {}}, {"license": {}}]


def records() -> list[bytes]:
    return [page(f"h{n}.example", **facts) for n, (facts, _) in enumerate(CASES.values())]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str | None, str | None]]:
    """Return licence and place of each case, from the shards of one build."""
    result = run_stages(tmp_path_factory.mktemp("licences"), *records(), stages=STAGES)
    tables = [pq.read_table(path).to_pylist() for path in (result.corpus / result.version / "data").iterdir()]
    rows = {row["url"]: (row["license"], row["license_place"]) for table in tables for row in table}
    return [rows[f"https://h{n}.example/x"] for n in range(len(CASES))]


@pytest.mark.parametrize("name", CASES)
def test_a_page_has_the_licence_of_its_strongest_place(
    name: str, found: list[tuple[str | None, str | None]]
) -> None:
    """The seven places, what names no licence of the page, and conflicts."""
    assert found[list(CASES).index(name)] == CASES[name][1]


@pytest.mark.parametrize("options", [{"allow": ["cc0-1.0", "cc-by"]}, {"allow": ["cc-by"], "strength": 7}])
def test_allow_and_strength_keep_what_the_recipe_names(tmp_path: Path, options: dict[str, Any]) -> None:
    """Each other page is in the ledger with its licence."""
    strengths = {"rel": 7, "json_ld": 6, "meta": 5, "markup": 4, "header": 3, "footer_link": 2, "link": 1}
    result = run_stages(tmp_path, *records(), stages=[{"extract_text": {}}, {"license": options}])
    rows = {row["url"]: row for row in pq.read_table(result.ledger).to_pylist()}
    reasons = {"no_license", "license_not_allowed", "license_conflict", None}
    assert {row["reason"] for row in rows.values()} == reasons
    for n, (name, place) in enumerate(expected for _, expected in CASES.values()):
        is_strong = place is not None and strengths[place] >= options.get("strength", 1)
        is_allowed = name is not None and any(
            name == one or name.startswith((f"{one}-4", f"{one}-2")) for one in options["allow"]
        )
        assert (rows[f"https://h{n}.example/x"]["outcome"] == "kept") == (is_strong and is_allowed)
