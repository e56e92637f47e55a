"""What crawlers and mirrors write is read as it is, and what is not a page does not become one.

Each test builds one of the folders in ``tests/exports``.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from commands import ledger_rows

from builder import Recipe, build

EXPORTS = Path(__file__).resolve().parents[1] / "exports"
STAGES = [{"extract_text": {}}, {"repair_text": {}}]


def built(
    tmp_path: Path, export: str, *sources: dict[str, Any], stages: Any = STAGES
) -> tuple[list[dict[str, Any]], Any]:
    """Build an export; return the rows of the ledger, and the result."""
    shutil.copytree(EXPORTS / export, tmp_path, dirs_exist_ok=True)
    recipe = {"name": "t", "sources": list(sources), "stages": stages, "corpus": "out"}
    result = build(Recipe.from_dict(recipe, folder=tmp_path), workers=1)
    return ledger_rows(tmp_path / "out"), result


def outcomes(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["record_id"]: row["reason"] or row["outcome"] for row in rows}


def test_bytes_that_are_not_text_are_not_published(tmp_path: Path) -> None:
    """A PDF, a JPEG and compressed bytes under the names and types of HTML and text; gzip is undone once."""
    rows, _ = built(
        tmp_path,
        "binary-as-html",
        {"warc": {"path": "x.warc"}},
        {"html": {"path": "p/*.html"}},
        {"text": {"path": "p/*.txt"}},
    )
    assert outcomes(rows) == {
        "warc/x.warc@0": "not_text",
        "warc/x.warc@514": "not_text",
        "warc/x.warc@897": "kept",
        "warc/x.warc@1444": "kept",
        "html/gz.html@0": "kept",
        "html/pdf.html@0": "not_text",
        "text/rnd.txt@0": "not_text",
    }
    assert [row["value"] for row in rows if row["reason"]][:2] == ["application/pdf", "image/jpeg"]
    published = pq.read_table(tmp_path / "out/1.0.0/data").to_pylist()
    assert all("�" not in row["text"] and "main text" in row["text"] for row in published)


def test_records_that_crawlers_write_for_themselves_are_not_pages(tmp_path: Path) -> None:
    """The arguments of wget have a password, which no file of the corpus has; robots.txt is kept whole."""
    rows, _ = built(tmp_path, "crawler-records", {"warc": {"path": "*.warc.gz"}})
    assert {row["url"]: row["reason"] for row in rows} == {
        "https://a.example/0": None,
        "https://a.example/robots.txt": "site_record",
        "urn:text:https://a.example/0": "crawler_record",
        "urn:X-wpull:log": "crawler_record",
        "metadata://gnu.org/software/wget/warc/wget_arguments.txt": "crawler_record",
        "metadata://gnu.org/software/wget/warc/wget.log": "crawler_record",
    }
    audit = tmp_path / "out/.audit/1.0.0"
    (kept,) = pq.read_table(audit / "site_records.parquet").to_pylist()
    assert (kept["host"], kept["url"]) == ("a.example", "https://a.example/robots.txt")
    assert kept["body"] == b"User-agent: *\nDisallow: /private/\n"
    assert pq.read_table(audit / "rejected.parquet").num_rows == 0
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert [path.name for path in files if b"hunter2" in path.read_bytes()] == []


@pytest.mark.parametrize("path", ["c.wacz", ".", "zip://archive/*.warc.gz::c.wacz"])
def test_a_wacz_is_a_folder_of_web_archives(tmp_path: Path, path: str) -> None:
    """As a file, in a folder, and with a pattern for its members."""
    address = path.replace("c.wacz", str(tmp_path / "c.wacz")) if "::" in path else path
    rows, _ = built(tmp_path, "wacz", {"warc": {"path": address}})
    assert outcomes(rows) == {
        "warc/c.wacz!/archive/data.warc.gz@0": "kept",
        "warc/c.wacz!/archive/data.warc.gz@599": "kept",
    }


def test_the_bytes_of_a_file_decide_how_it_is_compressed(tmp_path: Path) -> None:
    """gzip under `.jsonl` and `.gzip`, xz, a stored zip, and a compressed tar: every record is read."""
    rows, _ = built(tmp_path, "compressed-by-another-name", {"jsonl": {"path": "f/*"}}, stages=[])
    names = ("a.jsonl", "b.jsonl.gzip", "c.jsonl.xz", "d.zip!/x.jsonl", "e.tar.gz!/x.jsonl")
    assert outcomes(rows) == {f"jsonl/{name}@{at}": "kept" for name in names for at in (0, 130, 260)}


def test_a_mirror_is_read_by_content_and_other_files_are_counted(tmp_path: Path) -> None:
    """Pages with a query in their name, without an extension, and of servers with other extensions."""
    (tmp_path / "mirror/a.example").mkdir(parents=True)
    (tmp_path / "mirror/a.example/style.css").write_text("p { color: red }")
    (tmp_path / "mirror/a.example/logo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "mirror/_index.html").write_text("<p>not data")
    rows, result = built(
        tmp_path, "files-passed-over", {"html": {"path": "mirror", "url_from_path": "https"}}
    )
    names = ("OLD.HTM", "about", "index.html", "news.aspx", "old.shtml", "page.php?id=2", "x.mhtml")
    assert outcomes(rows) == {f"html/a.example/{name}@0": "kept" for name in names}
    urls = {row["url"] for row in pq.read_table(tmp_path / "out/1.0.0/data").to_pylist()}
    assert {"https://a.example/", "https://a.example/page.php?id=2"} <= urls
    assert [(one.reason, one.count) for one in result.passed_over] == [("other_name", 2), ("hidden", 1)]


def test_the_result_does_not_depend_on_workers_and_batches(tmp_path: Path) -> None:
    """An archive is one task, whose batches end at other places."""
    digests = set()
    shutil.copytree(EXPORTS / "compressed-by-another-name", tmp_path, dirs_exist_ok=True)
    for workers, batch_rows in ((1, 1000), (2, 2)):
        recipe = {"name": "t", "sources": [{"jsonl": {"path": "f/*"}}], "corpus": f"out-{workers}"}
        build(Recipe.from_dict(recipe, folder=tmp_path), workers=workers, batch_rows=batch_rows)
        manifest = json.loads((tmp_path / f"out-{workers}/1.0.0/manifest.json").read_bytes())
        digests.add(manifest["data_digest"])
    assert len(digests) == 1
