"""The rules of sites are in an audit file of their own, once in the versions of a corpus, until a purge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import archives
import pyarrow.parquet as pq
import pytest

from builder import Recipe, build, takedown

TEXT = "The tide turns twice a day, and the boats of the harbour lean on their keels until it is back. "


def record(uri: str, body: str, kind: str = "text/html") -> bytes:
    headers = (("Content-Type", kind), ("X-Robots-Tag", "noai"))
    return archives.warc_record(archives.http_response(body.encode(), headers=headers), uri=uri)


def page(host: str) -> bytes:
    return record(f"https://{host}/", f"<html><body><p>{host} {TEXT * 4}</p></body></html>")


def rules(host: str, body: str) -> bytes:
    return record(f"https://{host}/robots.txt", body, "text/plain")


def build_in(folder: Path, **more: Any) -> Any:
    recipe = {"name": "t", "sources": [{"warc": {"path": "*.warc"}}], "corpus": "out", **more}
    recipe["stages"] = [{"extract_text": {}}]
    return build(Recipe.from_dict(recipe, folder=folder), workers=1)


def site_records(folder: Path, version: str) -> list[tuple[str, bytes]]:
    table = pq.read_table(folder / f"out/.audit/{version}/site_records.parquet")
    return list(zip(table["host"].to_pylist(), table["body"].to_pylist(), strict=True))


@pytest.mark.parametrize("texts", ["none", "sample", "all"])
def test_site_records_are_kept_whatever_audit_says(tmp_path: Path, texts: str) -> None:
    """Rules for opt-outs need them."""
    (tmp_path / "a.warc").write_bytes(page("a.example") + rules("a.example", "User-agent: *"))
    build_in(tmp_path, audit={"texts": texts})
    assert site_records(tmp_path, "1.0.0") == [("a.example", b"User-agent: *")]


def test_a_later_version_has_only_the_new_site_records(tmp_path: Path) -> None:
    """A file that grew is read again: what earlier versions have is not repeated, changed rules are new."""
    first = page("a.example") + rules("a.example", "User-agent: *")
    (tmp_path / "a.warc").write_bytes(first)
    build_in(tmp_path)
    (tmp_path / "a.warc").write_bytes(
        first + rules("a.example", "User-agent: x") + rules("b.example", "Disallow: /") + page("b.example")
    )
    build_in(tmp_path)
    assert site_records(tmp_path, "1.1.0") == [
        ("a.example", b"User-agent: x"),
        ("b.example", b"Disallow: /"),
    ]


def test_a_purge_and_a_tombstone_reach_site_records(tmp_path: Path) -> None:
    """The purge of a domain deletes its rules in each version, and later builds do not keep them again."""
    (tmp_path / "a.warc").write_bytes(page("a.example") + rules("a.example", "User-agent: *"))
    (tmp_path / "b.warc").write_bytes(page("b.example") + rules("b.example", "User-agent: b"))
    build_in(tmp_path)
    takedown(tmp_path / "out", domains=["b.example"], because="asked", purge=True)
    assert site_records(tmp_path, "1.0.0") == [("a.example", b"User-agent: *")]
    (tmp_path / "c.warc").write_bytes(page("c.example") + rules("b.example", "User-agent: again"))
    result = build_in(tmp_path)
    assert site_records(tmp_path, result.version) == []
