"""Each recipe of the page on exports builds files as those programs write them, without a loss."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

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


def tables(folder: Path) -> int:
    columns = {"url": [url(0)], "body": [text(0)], "html": ["<p>"], "score": pa.array([0.5], pa.float32())}
    pq.write_table(pa.table(columns), folder / "pages.parquet")
    return 1


def csv_files(folder: Path) -> int:
    (folder / "pandas.csv").write_text(table([["", "url", "text"], ["0", url(0), text(0)]]))
    escaped = text(1).replace("A long", r"\"A\" long")
    (folder / "spark.csv").write_text(f'url,text,title\n{url(1)},"{escaped}",\\N\n')
    (folder / "no-header.csv").write_text(table([[url(2), text(2)]]))
    rows = [["url", "text"], [url(3), text(3)]]
    (folder / "powershell.csv").write_bytes(table(rows, quoting=csv.QUOTE_ALL).encode("utf-16"))
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
    (folder / "submissions.jsonl").write_text(lines(post))
    (folder / "comments.json").write_text(lines(comment))
    return 2


WRITE = {"scrapy": scrapy, "crawlers": crawlers, "mongodb": mongodb, "tables": tables, "csv": csv_files,
         "reddit": reddit}  # fmt: skip
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
    assert result.outcomes == {"kept": n_records, "rejected": 0, "merged": 0, "failed": 0}
    files = sorted((result.corpus / result.version).glob("data/*.parquet"))
    rows = {row["url"]: row for path in files for row in pq.read_table(path).to_pylist()}
    assert sorted(rows) == [url(i) for i in range(n_records)]
    for number in range(n_records):
        assert text(number).removeprefix("A ") in rows[url(number)]["text"].replace('"A" ', "")
    if name in ("mongodb", "reddit"):
        assert {row["fetched_at"].isoformat() for row in rows.values()} == {"2024-05-01T10:00:00+00:00"}
    if name == "reddit":
        assert [(row["subreddit"], row["score"]) for row in rows.values()] == [("sea", 7), ("sea", 1)]
