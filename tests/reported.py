"""A corpus with a canary in everything that a stage drops, and with hostile text in every field."""

from __future__ import annotations

import json
from pathlib import Path

import archives
from planted import sentence

from builder import BuildResult, Recipe, build

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'></bdi></title></style>&lt;b&gt;"
    "<a href='javascript:alert(3)'>x</a><iframe src=https://evil.example/></iframe>"
    "\u202ereversed\u2066\u200f\x1b]0;t\x07\x85 {{7*7}} ]]><!-- <svg onload=alert(4)>"
)
SHOWN = ("contract", "broken", "short", "line", "near", "exact")
"""Canaries that a private report shows: a rejected value, a raw record, and so on."""
HIDDEN = ("optout",)
"""Canaries that no report shows: the text of an opted-out page."""


def canary(name: str) -> str:
    """Return a word that no other text has."""
    return f"canary{name}"


def text(number: int, *, lines: int = 6) -> str:
    """Return a text of several sentences, each on its line."""
    return "\n".join(sentence(100 * number + i).strip(" .") + "." for i in range(lines))


def rows() -> list[dict[str, object]]:
    """Return pages: hostile ones that are kept, and one for each way to be dropped."""
    kept: list[dict[str, object]] = [
        {
            "url": f"https://kept.example/{i}?q={HOSTILE}",
            "text": f"{text(i)}\n{canary('line')} menu without an end\n{HOSTILE} is the end.",
            "title": HOSTILE,
            "author": HOSTILE,
            "language": HOSTILE,
            "date": f"{HOSTILE} 2024",
        }
        for i in range(8)
    ]
    return [
        *kept,
        {"url": f"https://bad.example/{canary('contract')}", "text": {"x": canary("contract")}},
        {"url": "https://short.example/", "text": f"{canary('short')} {HOSTILE}"},
        {"url": "https://line.example/", "text": f"{text(50)}\n{canary('line')} menu without an end"},
        {"url": "https://first.example/", "text": text(60, lines=12)},
        {
            "url": f"https://near.example/{'unbroken' * 30}",
            "text": f"{text(60, lines=12)}\nAnd one more {canary('near')} sentence at the end of it.",
        },
        {"url": f"https://exact.example/{canary('exact')}", "text": text(60, lines=12)},
    ]


def build_reported(folder: Path) -> BuildResult:
    """Build the corpus in ``folder/corpus``."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row) for row in rows()]
    (folder / "pages.jsonl").write_text("\n".join([*lines, f'{{"broken": "{canary("broken")}']) + "\n")
    html = (
        f"<html><head><meta name=robots content=noai></head><body><p>{canary('optout')} {text(70)}</p></body>"
        "</html>"
    )
    response = archives.http_response(html.encode(), headers=(("Content-Type", "text/html"),))
    record = archives.warc_record(response, uri="https://optout.example/a", date="2024-01-01T00:00:00Z")
    (folder / "crawl.warc").write_bytes(record)
    document = {
        "name": "hostile",
        "title": HOSTILE.replace("\x1b", "").replace("\x07", "").replace("\x85", ""),
        "description": "A corpus of hostile pages.",
        "license": "cc0-1.0",
        "sources": [{"jsonl": {"path": "*.jsonl"}}, {"warc": {"path": "*.warc"}}],
        "stages": [
            {"validate": {}},
            {"extract_text": {}},
            {"opt_out": {}},
            {"filter": {"preset": "c4"}},
            {"dedup_url": {}},
            {"dedup_exact": {}},
            {"dedup_near": {}},
        ],
        "splits": {"train": 0.7, "test": 0.3},
        "corpus": "corpus",
    }
    return build(Recipe.from_dict(document, folder=folder), workers=1)
