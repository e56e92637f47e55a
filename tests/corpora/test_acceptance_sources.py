"""One recipe with all kinds of real input: each record is in the ledger, and few pages are lost."""

from __future__ import annotations

import io
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import builder, ledger_rows, write_recipe

pytestmark = [pytest.mark.corpora, pytest.mark.long]

PUBLISHED = ("kept", "merged")


@pytest.fixture(scope="module")
def built(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build one corpus from archives, HTML files, pages with text, and JSON lines."""
    folder = tmp_path_factory.mktemp("sources")
    given = (corpora / "aeb-plaintext" / "pages.jsonl").read_text(encoding="utf-8").splitlines()
    pages = [{"url": page["url"], "text": page["inscriptis"]} for page in map(json.loads, given)]
    lines = "".join(json.dumps(page) + "\n" for page in pages)
    (folder / "aeb.jsonl").write_text(lines, encoding="utf-8")
    sources = [
        {"warc": {"path": str(corpora / "warc" / "**" / "*")}},
        {"html": {"path": str(corpora / "wcxb" / "html" / "*")}},
        {"jsonl": {"path": "aeb.jsonl", "name": "aeb"}},
        {
            "jsonl": {
                "path": str(corpora / "dolma-cc" / "*.jsonl"),
                "name": "dolma",
                "rename": {"metadata.url": "url"},
            }
        },
    ]
    run = builder("build", write_recipe(folder, sources), "--workers", "2", "--json")
    assert run.returncode == 0, run.stderr
    return folder / "corpus"


@pytest.fixture(scope="module")
def ledger(built: Path) -> list[dict[str, Any]]:
    return ledger_rows(built)


def test_each_record_has_one_row(built: Path, ledger: list[dict[str, Any]], corpora: Path) -> None:
    """The counts are those of lines and files; the next test counts archives."""
    n_read = Counter(row["source"] for row in ledger)
    assert len({row["record_id"] for row in ledger}) == len(ledger)
    assert n_read["html"] == sum(1 for _ in (corpora / "wcxb" / "html").iterdir())
    assert n_read["aeb"] == 45
    dolma = (corpora / "dolma-cc").glob("*.jsonl")
    assert n_read["dolma"] == sum(len(path.read_bytes().splitlines()) for path in dolma)
    names = {row["path"] for row in ledger if row["source"] == "warc"}
    files = [path for path in (corpora / "warc").rglob("*") if path.is_file()]
    silent = {str(path.relative_to(corpora / "warc")) for path in files} - names
    assert silent == {"webarchive-commons/empty.gz"}


def test_archives_have_as_many_records_as_warcio_reads(ledger: list[dict[str, Any]], corpora: Path) -> None:
    """Only files that warcio reads to the end count; known differences are listed."""
    ours = Counter(row["path"] for row in ledger if row["source"] == "warc")
    differ = {}
    for name, records, is_whole in _read_archives(corpora):
        if is_whole and len(records) != ours[name]:
            differ[name] = (len(records), ours[name])
    assert differ == {
        # warcio counts each line of a licence as a record, and one line of a list of Java methods
        "cc-whirlwind/LICENSE": (94, 1),
    }


def test_nearly_all_documents_are_published(ledger: list[dict[str, Any]], corpora: Path) -> None:
    """Merged documents count as published."""
    n_published = Counter(row["source"] for row in ledger if row["outcome"] in PUBLISHED)
    assert n_published["html"] >= 168
    assert n_published["aeb"] == 45
    assert n_published["dolma"] == sum(row["source"] == "dolma" for row in ledger)


def test_nine_of_ten_html_responses_are_published(ledger: list[dict[str, Any]], corpora: Path) -> None:
    """Counted are responses with status 200 that warcio finds; they must be kept or merged."""
    outcomes = defaultdict(list)
    for row in ledger:
        outcomes[row["path"], row["url"]].append(row["outcome"])
    pages = [(name, url) for name, records, _ in _read_archives(corpora) for url in records if url]
    found = [page for page in pages if set(outcomes[page]) & set(PUBLISHED)]
    assert len(pages) > 130
    assert len(found) >= 0.9 * len(pages)


def test_the_version_verifies_and_loads(built: Path, ledger: list[dict[str, Any]], tmp_path: Path) -> None:
    """It has as many rows as the ledger has kept records."""
    from datasets import load_dataset

    run = builder("verify", built)
    assert (run.returncode, "clean" in run.stdout + run.stderr) == (0, True)
    loaded = load_dataset(str(built), cache_dir=str(tmp_path))
    ids = [row for split in loaded.values() for row in split["id"]]
    kept = [row["document_id"] for row in ledger if row["outcome"] == "kept"]
    assert sorted(ids) == sorted(kept)


@pytest.mark.parametrize("outcome", ["kept", "rejected", "merged", "failed"])
def test_why_explains_each_outcome(built: Path, ledger: list[dict[str, Any]], outcome: str) -> None:
    """The record is found by URL if it has one, else by its record id."""
    row = next(row for row in ledger if row["outcome"] == outcome)
    run = builder("why", built, row["url"] or row["record_id"])
    assert run.returncode == 0, run.stderr
    assert outcome in run.stdout
    assert row["reason"] is None or row["reason"] in run.stdout


def test_each_failure_has_the_right_reason(ledger: list[dict[str, Any]]) -> None:
    """A person has checked the reason of each failed record."""
    failed = {(row["path"], row["offset"]): row["reason"] for row in ledger if row["outcome"] == "failed"}
    assert failed == {
        # files that are not archives
        ("cc-whirlwind/LICENSE", 0): "bad_header",
        ("webarchive-commons/abcd.gz", 0): "bad_header",
        ("webarchive-commons/forbidden-apis-signatures.txt", 0): "bad_header",
        ("webarchive-commons/hi-2.gz", 0): "bad_header",
        ("webarchive-commons/hi.gz", 0): "bad_header",
        # a member that is cut in the middle; a member whose deflate data points before its start
        ("resiliparse/clipped.warc.gz", 0): "gzip_truncated",
        ("webarchive-commons/double-single-inflate-error.gz", 0): "gzip_corrupt",
        # lengths of -1 and "abc", and between them a body that is one line feed
        ("warcio/bad.arc", 134): "wrong_length",
        ("warcio/bad.arc", 202): "bad_http",
        ("warcio/bad.arc", 262): "wrong_length",
    }


def _read_archives(corpora: Path) -> Iterator[tuple[str, list[str | None], bool]]:
    """Yield each archive, its records by warcio (URL of a page, else None), and whether it is complete."""
    from warcio.archiveiterator import ArchiveIterator

    logging.disable(logging.CRITICAL)
    root = corpora / "warc"
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        records: list[str | None] = []
        is_whole = True
        try:
            for record in ArchiveIterator(io.BytesIO(path.read_bytes()), arc2warc=True):
                records.append(_page_url(record))  # noqa: PERF401 - records before a fault are needed
        except Exception:  # noqa: BLE001 - warcio stops at the first record that it cannot read
            is_whole = False
        yield str(path.relative_to(root)), records, is_whole
    logging.disable(logging.NOTSET)


def _page_url(record: Any) -> str | None:
    http = record.http_headers
    if record.rec_type != "response" or http is None or http.get_statuscode() != "200":
        return None
    kind = (http.get_header("content-type") or "").split(";")[0].strip().lower()
    is_page = kind in ("text/html", "application/xhtml+xml")
    url: str | None = record.rec_headers.get_header("WARC-Target-URI")
    return url if is_page else None
