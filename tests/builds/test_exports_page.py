"""Each recipe of the page on exports builds files as those programs write them, without a loss."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import archives
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from builder import BuildResult, Recipe, build

PAGE = Path(__file__).resolve().parents[2] / "docs" / "exports.md"
WORDS = ("tides", "lamps", "boats", "gulls", "harbours", "keels", "winds", "nights")
HTML = "<html><title>Page</title><body><article><p>{}</p></article></body></html>"


def text(number: int) -> str:
    return f"A long sentence about {WORDS[number % 8]}, number {number}, with enough words to be kept by all."


def url(number: int) -> str:
    return f"https://a.example/{number}"


def table(rows: list[list[str]], **options: Any) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, **options).writerows(rows)
    return out.getvalue()


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in records)


def scrapy(folder: Path) -> int:
    items = [
        {"url": [url(i)], "html": [HTML.format(text(i))], "fetched_at": ["2024-05-01 10:00:00"]}
        for i in (0, 1)
    ]
    (folder / "items.json").write_text("".join(f"[\n{json.dumps(one)}\n]" for one in items))
    (folder / "items.jsonl").write_text(
        lines({"url": url(2), "text": text(2), "fetched_at": "2024-05-01T10:00:00"})
    )
    rows = [["url", "text", "status"], [url(3), text(3), "200"]]
    (folder / "items.csv").write_text(table(rows))
    return 4


def crawlers(folder: Path) -> int:
    pages = [
        {"markdown": text(0), "html": HTML.format("x"), "metadata": {"sourceURL": url(0), "statusCode": 200}}
    ]
    (folder / "firecrawl.json").write_text(json.dumps({"success": True, "data": pages}))
    page = {"url": url(1), "markdown": text(1), "crawl": {"loadedTime": "2024-05-01T10:00:00.000Z"}}
    (folder / "apify.json").write_text(json.dumps([page], indent=2))
    return 2


def mongodb(folder: Path) -> int:
    page = {
        "_id": {"$oid": "65"},
        "url": url(0),
        "text": text(0),
        "fetched_at": {"$date": "2024-05-01T10:00:00Z"},
    }
    (folder / "pages.jsonl").write_text(lines(page))
    return 1


def crawl4ai(folder: Path) -> int:
    page = {
        "url": url(0),
        "html": HTML.format("x"),
        "cleaned_html": "<p>",
        "success": True,
        "markdown": {"raw_markdown": text(0), "fit_markdown": None},
        "links": {"internal": [], "external": []},
        "response_headers": {"content-type": "text/html"},
        "status_code": 200,
        "error_message": "",
    }
    (folder / "crawl4ai.jsonl").write_text(lines(page))
    return 1


def response(number: int) -> bytes:
    return archives.warc_record(archives.http_response(HTML.format(text(number)).encode()), uri=url(number))


def web_archives(folder: Path) -> int:
    """Browsertrix: a WACZ with its own records; Heritrix: warcinfo, DNS, requests; wget: its log."""
    plain = {"content_type": "text/plain"}
    info = archives.warc_record(b"software: Heritrix/3.4.0\r\nrobots: obey\r\n", kind="warcinfo", uri=None)
    own = {
        "browsertrix": [archives.warc_record(b"text", kind="resource", uri=f"urn:text:{url(0)}", **plain)],
        "heritrix": [
            info,
            archives.warc_record(
                b"a.example. 60 IN A 127.0.0.1", uri="dns:a.example", content_type="text/dns"
            ),
            archives.warc_record(b"GET /1 HTTP/1.1\r\n\r\n", kind="request", uri=url(1)),
            archives.warc_record(
                archives.http_response(b"User-agent: *"), uri="https://a.example/robots.txt"
            ),
        ],
        "wget": [archives.warc_record(b"log", kind="resource", uri="metadata://gnu.org/wget.log", **plain)],
    }
    files = {
        name: b"".join(gzip.compress(one, mtime=0) for one in [response(number), *records])
        for number, (name, records) in enumerate(own.items())
    }
    (folder / "heritrix").mkdir()
    (folder / "heritrix/a.warc.gz").write_bytes(files["heritrix"])
    (folder / "wget.warc.gz").write_bytes(files["wget"])
    with zipfile.ZipFile(folder / "browsertrix.wacz", "w") as wacz:
        wacz.writestr("archive/data.warc.gz", files["browsertrix"])
        wacz.writestr("indexes/index.cdx", "cdx")
        wacz.writestr("pages/pages.jsonl", '{"format": "json-pages-1.0"}')
        wacz.writestr("datapackage.json", "{}")
    return 3


def saved_pages(folder: Path) -> int:
    """A mirror of wget with the URL in the path; HTTrack and SingleFile write it in a comment."""
    files = {
        "mirror/a.example/0": HTML.format(text(0)),
        "mirror/a.example/style.css": "p {}",
        "httrack/a.example/1.html": HTML.format(text(1)).replace(
            "<title>",
            "<!-- Mirrored from a.example/1 by HTTrack Website Copier/3.x [XR&CO'2014], "
            "Wed, 01 May 2024 10:00:00 GMT --><title>",
        ),
        "singlefile/2.html": HTML.format(text(2)).replace(
            "<html>", f"<html><!--\n Page saved with SingleFile \n url: {url(2)} \n saved date: x\n-->"
        ),
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return 3


SCHEME = "https:"
"""HTTrack does not write the scheme, which is read as ``http``."""

LOST = {
    "archives": {"record_type": 2, "crawler_record": 3, "site_record": 1},
}
"""Records of an export that are not pages, by reason."""


def tables(folder: Path) -> int:
    """Columns of DuckDB and polars, bytes, a naive timestamp; a folder of Spark with a partition."""
    columns = {
        "url": [url(0)],
        "body": pa.array([text(0)], pa.large_string()),
        "html": pa.array([b"<p>"], pa.binary()),
        "score": pa.array([0.5], pa.float32()),
        "fetched_at": pa.array([datetime(2024, 5, 1, 12)], pa.timestamp("us")),
    }
    pq.write_table(pa.table(columns), folder / "pages.parquet")
    (folder / "spark/lang=en").mkdir(parents=True)
    (folder / "spark/_SUCCESS").touch()
    (folder / "spark/lang=en/.part-00000.snappy.parquet.crc").write_bytes(b"crc")
    spark = pa.table({"url": [url(1)], "text": [text(1)]})
    pq.write_table(spark, folder / "spark/lang=en/part-00000-c000.snappy.parquet", compression="snappy")
    return 2


def csv_files(folder: Path) -> int:
    (folder / "pandas.csv").write_text(table([["", "url", "text"], ["0", url(0), text(0)]]))
    escaped = text(1).replace("A long", r"\"A\" long")
    (folder / "spark.csv").write_text(f'url,text,title\n{url(1)},"{escaped}",\\N\n')
    (folder / "no-header.csv").write_text(table([[url(2), text(2)]]))
    rows = [["url", "text"], [url(3), text(3)]]
    types = "#TYPE System.Management.Automation.PSCustomObject\r\n"
    (folder / "powershell.csv").write_bytes((types + table(rows, quoting=csv.QUOTE_ALL)).encode("utf-16"))
    (folder / "plain.tsv").write_text(f'url\ttext\n{url(4)}\t"{text(4)}\n')
    return 5


def reddit(folder: Path) -> int:
    post = {"url": url(0), "selftext": text(0), "created_utc": 1714557600, "subreddit": "sea", "score": 7}
    comment = {
        "permalink": url(1),
        "body": text(1),
        "created_utc": "1714557600",
        "subreddit": "sea",
        "score": 1,
    }
    parameters = zstandard.ZstdCompressionParameters(window_log=31, compression_level=1)
    packed = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    dump = packed.compress(lines(post).encode()) + packed.flush()
    (folder / "RS_2024-05.jsonl.zst").write_bytes(dump)
    (folder / "comments.json").write_text(lines(comment))
    return 2


WRITE = {"scrapy": scrapy, "crawlers": crawlers, "mongodb": mongodb, "tables": tables, "csv": csv_files,
         "reddit": reddit, "crawl4ai": crawl4ai, "archives": web_archives, "saved": saved_pages}  # fmt: skip
BLOCKS = re.findall(r"```yaml\nname: (\w+)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
RECIPES = {name: f"name: {name}\n{rest}" for name, rest in BLOCKS}


def test_every_recipe_of_the_page_is_tested() -> None:
    """A recipe without files would not be tried."""
    assert RECIPES.keys() == WRITE.keys()


@pytest.mark.parametrize("name", WRITE)
def test_the_recipe_of_the_page_reads_everything(tmp_path: Path, name: str) -> None:
    """Nothing is rejected, and the texts are those of the export."""
    n_records = WRITE[name](tmp_path)
    (tmp_path / "recipe.yaml").write_text(RECIPES[name], encoding="utf-8")
    result: BuildResult = build(Recipe.load(tmp_path / "recipe.yaml"), workers=1)
    lost = LOST.get(name, {})
    assert result.outcomes == {"kept": n_records, "rejected": sum(lost.values()), "merged": 0, "failed": 0}
    found = Counter[str]()
    for (_, _, reason), n in result.reasons:
        found[reason] += n
    assert found == lost
    files = sorted((result.corpus / result.version).glob("data/*.parquet"))
    rows = {
        row["url"].replace("http:", SCHEME): row for path in files for row in pq.read_table(path).to_pylist()
    }
    assert sorted(rows) == [url(i) for i in range(n_records)]
    for number in range(n_records):
        assert text(number).removeprefix("A ") in rows[url(number)]["text"].replace('"A" ', "")
    if name == "tables":
        assert rows[url(0)]["fetched_at"].isoformat() == "2024-05-01T10:00:00+00:00"
        assert rows[url(1)]["lang"] == "en"
    if name in ("mongodb", "reddit"):
        assert {row["fetched_at"].isoformat() for row in rows.values()} == {"2024-05-01T10:00:00+00:00"}
    if name == "reddit":
        assert [(row["subreddit"], row["score"]) for row in rows.values()] == [("sea", 7), ("sea", 1)]
