"""Builds from broken and hostile files never stop early, and each file is in the ledger."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from commands import builder, ledger_rows, write_recipe

pytestmark = [pytest.mark.corpora, pytest.mark.long]

INPUTS = [
    ("utf8tests", "text"),
    ("utf8tests", "jsonl"),
    ("utf8tests", "html"),
    ("utf8tests", "csv"),
    ("parquet-testing", "parquet"),
    ("arrow-testing-fuzz", "parquet"),
    ("arrow-testing-fuzz", "jsonl"),
    ("arrow-testing-fuzz", "html"),
    ("arrow-testing-fuzz", "warc"),
    ("arrow-testing-fuzz", "csv"),
    ("html5lib-tests", "html"),
    ("html5lib-tests", "text"),
    ("html5lib-tests", "json"),
    ("chardet-encodings", "html"),
    ("chardet-encodings", "text"),
    ("udhr", "html"),
    ("blns", "jsonl"),
    ("json-test-suite", "json"),
    ("json-test-suite", "jsonl"),
]


@pytest.mark.parametrize(("folder", "kind"), INPUTS)
def test_each_file_is_in_the_ledger(folder: str, kind: str, corpora: Path, tmp_path: Path) -> None:
    """The build succeeds, or it keeps nothing; empty files have no record in some sources."""
    recipe = write_recipe(tmp_path, [{kind: {"path": str(corpora / folder / "**" / "*")}}])
    run = builder("build", recipe, "--workers", "2")
    assert "Traceback" not in run.stderr
    assert (run.returncode, run.stderr.count("were kept (run `builder show")) in [(0, 0), (1, 1)]
    ledger = ledger_rows(tmp_path / "corpus")
    assert len({row["record_id"] for row in ledger}) == len(ledger)
    files = {p.relative_to(corpora / folder) for p in (corpora / folder).rglob("*") if p.stat().st_size}
    files = {path for path in files if (corpora / folder / path).is_file()}
    blank = {path for path in files if not _content(corpora / folder / path)}
    assert {str(path) for path in files - blank} <= {row["path"] for row in ledger}


def _content(path: Path) -> bytes:
    return path.read_bytes().removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")


def test_json_is_parsed_exactly_if_the_suite_requires_it(corpora: Path, tmp_path: Path) -> None:
    """Each `y_` file is parsed and then rejected, because it is not a page; each `n_` file fails."""
    recipe = write_recipe(
        tmp_path, [{"json": {"path": str(corpora / "json-test-suite/test_parsing/[yn]_*")}}]
    )
    builder("build", recipe, "--workers", "2")
    found = Counter((row["path"][0], row["outcome"]) for row in ledger_rows(tmp_path / "corpus"))
    names = [path.name[0] for path in (corpora / "json-test-suite" / "test_parsing").iterdir()]
    assert found == {("y", "rejected"): names.count("y"), ("n", "failed"): names.count("n")}


def test_text_of_real_pages_in_many_charsets_is_decoded(corpora: Path, tmp_path: Path) -> None:
    """After the build, at least 94 of 100 files have the text that their label requires."""
    root = corpora / "chardet-encodings"
    recipe = write_recipe(tmp_path, [{"text": {"path": str(root / "**")}}], stages=["validate"])
    assert builder("build", recipe, "--workers", "2").returncode == 0
    shards = (tmp_path / "corpus" / "latest" / "data").iterdir()
    texts = {row["id"]: row["text"] for shard in shards for row in pq.read_table(shard).to_pylist()}
    n_right = n_files = 0
    for row in ledger_rows(tmp_path / "corpus"):
        path = root / row["path"]
        label = re.sub(r"-(?!\d)[a-z]{5,}$", "", path.parent.name)
        n_files += 1
        n_right += texts.get(row["document_id"]) == path.read_bytes().decode(label).lstrip("\ufeff")
    assert n_files > 130
    assert n_right / n_files >= 0.94
