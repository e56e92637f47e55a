"""Archives of sites that state what their pages may be used for, and builds that obey them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import archives
import pyarrow.parquet as pq

from builder import Recipe, build

TEXT = "The tide turns twice a day, and the boats of the harbour lean on their keels until it is back. "
EARLY, NOON, LATE = "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "2020-01-03T00:00:00Z"
RSL = (
    '<script type="application/rsl+xml"><rsl><content url="/"><license>{}</license></content></rsl></script>'
)
NO_TRAINING = "User-agent: GPTBot\nDisallow: /"


def record(uri: str, body: str | bytes, *, media: str = "text/html", date: str = NOON, **more: Any) -> bytes:
    """Return a response.

    ``headers`` are further headers, as a dict or as pairs; ``status`` is the status line.
    """
    further = more.pop("headers", {})
    headers = (("Content-Type", media), *(further.items() if isinstance(further, dict) else further))
    data = body.encode() if isinstance(body, str) else body
    response = archives.http_response(data, headers=headers, **more)
    return archives.warc_record(response, uri=uri, date=date)


def page(host: str = "a.example", path: str = "/x", *, head: str = "", foot: str = "", **more: Any) -> bytes:
    """Return a page; ``head`` and ``foot`` are HTML at its beginning and its end."""
    body = f"<body><p>{host}{path} {TEXT * 4}</p>{foot}</body>"
    html = f"<html><head><title>{host}</title>{head}</head>{body}</html>"
    return record(f"https://{host}{path}", html, **more)


def robots(body: str | bytes = NO_TRAINING, host: str = "a.example", **more: Any) -> bytes:
    """Return the robots.txt of a site."""
    return record(f"https://{host}/robots.txt", body, media="text/plain", **more)


def run(folder: Path, *records: bytes, corpus: str = "out", name: str = "a", **options: Any) -> Any:
    """Build a corpus of one more archive; ``options`` are those of ``opt_out``."""
    stages = [{"extract_text": {}}, {"opt_out": options}, {"dedup_url": {}}]
    return run_stages(folder, *records, stages=stages, corpus=corpus, name=name)


def run_stages(
    folder: Path,
    *records: bytes,
    stages: list[Any],
    corpus: str = "out",
    name: str = "a",
    recipe: dict[str, Any] | None = None,
    **options: Any,
) -> Any:
    """Build a corpus of one more archive; ``recipe`` are further keys of the recipe."""
    (folder / f"{name}.warc").write_bytes(b"".join(records))
    whole = {"name": "t", "sources": [{"warc": {"path": "*.warc"}}], "corpus": corpus, "stages": stages}
    return build(Recipe.from_dict({**whole, **(recipe or {})}, folder=folder), **{"workers": 1, **options})


def reasons(result: Any) -> dict[str, str | None]:
    """Return the reason of each page by its URL; None for those that stay."""
    rows = pq.read_table(result.ledger).to_pylist()
    return {row["url"]: row["reason"] for row in rows if row["reason"] != "site_record"}


def evidence(result: Any) -> list[dict[str, Any]]:
    """Return the signals that were found."""
    return pq.read_table(result.ledger.with_name("opt_out.parquet")).to_pylist()


OTHER = page("other.example")
"""A page that no signal mentions, so that a version is written."""
