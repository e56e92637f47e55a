"""Pages that extractors lose: lists near the top, and XHTML that closes elements with a slash."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import builder, ledger_rows, write_recipe

SENTENCE = (
    "There was a keeper of a lighthouse, and he trimmed the lamps before the ships came in from the sea."
)


def pages_folder(folder: Path) -> Path:
    """Write one page for each case."""
    pages = folder / "pages"
    pages.mkdir()
    items = "".join(f"<li>{item} {SENTENCE}</li>" for item in ("First.", "Second.", "Third.", "Fourth."))
    around = "<html><head><title>T</title></head><body>{}</body></html>"
    (pages / "list.html").write_text(
        around.format(f"<main><article><h1>T</h1><p>{SENTENCE}</p><ul>{items}</ul></article></main>")
    )
    declared = "<?xml version='1.0' encoding='utf-8'?><html xmlns='http://www.w3.org/1999/xhtml'>"
    body = f"<body><div><p>{SENTENCE}</p></div></body></html>"
    for name, head in {
        "script": "<head><title>T</title><script type='text/javascript' src='a.js'/></head>",
        "title": "<head><title/></head>",
        "textarea": "<head><title>T</title></head><textarea/>",
    }.items():
        (pages / f"{name}.xhtml").write_text(declared + head + body)
    cdata = f"{declared}<head><title>T</title></head><body><p><![CDATA[{SENTENCE}]]></p></body></html>"
    (pages / "cdata.xhtml").write_text(cdata)
    return pages


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The text of each page of a build, by the name of its file."""
    import pyarrow.parquet as pq

    folder = tmp_path_factory.mktemp("cases")
    pages_folder(folder)
    sources = [{"html": {"path": "pages/*"}}]
    recipe = write_recipe(folder, sources, stages=["extract_text", "repair_text"])
    run = builder("build", recipe, "--json")
    assert run.returncode == 0, run.stderr
    rows = {row["document_id"]: row["path"] for row in ledger_rows(folder / "corpus")}
    shards = (folder / "corpus" / "latest" / "data").glob("*.parquet")
    return {rows[row["id"]]: row["text"] for shard in shards for row in pq.read_table(shard).to_pylist()}


def test_the_items_of_a_list_near_the_top_are_kept(kept: dict[str, str]) -> None:
    """Two containers are around the list."""
    assert [
        item for item in ("First.", "Second.", "Third.", "Fourth.") if item not in kept["list.html"]
    ] == []


@pytest.mark.parametrize("name", ["script", "title", "textarea", "cdata"])
def test_xhtml_is_read(name: str, kept: dict[str, str]) -> None:
    """Elements that close themselves hide no text."""
    assert SENTENCE in kept[f"{name}.xhtml"]
