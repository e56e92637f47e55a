"""The examples are up to date, complete, small, and without paths of a machine."""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from warcio.archiveiterator import ArchiveIterator

if TYPE_CHECKING:
    from types import ModuleType

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
OUTCOMES = {"kept", "rejected", "merged", "failed"}


@pytest.fixture(scope="module")
def make() -> ModuleType:
    """The script that creates the example files."""
    spec = importlib.util.spec_from_file_location("examples_make", EXAMPLES / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def files() -> list[Path]:
    """List the files of the examples, without outputs of builds and tools."""
    paths = (path for path in EXAMPLES.rglob("*") if path.is_file())
    return [p for p in paths if not {"out", "__pycache__"} & set(p.relative_to(EXAMPLES).parts)]


def expected(name: str) -> list[dict[str, Any]]:
    """Read the expected outcome of each record."""
    found: list[dict[str, Any]] = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))["records"]
    return found


def count_records() -> Counter[tuple[str, str]]:
    """Count records without builder: by files, lines and warcio."""
    counts: Counter[tuple[str, str]] = Counter()
    for path in (EXAMPLES / "html").rglob("*.html"):
        counts["html", path.relative_to(EXAMPLES / "html").as_posix()] = 1
    for path in (EXAMPLES / "crawl").iterdir():
        with path.open("rb") as stream:
            counts["warc", path.name] = sum(1 for _ in ArchiveIterator(stream))
    for path in (EXAMPLES / "feed").iterdir():
        data = path.read_bytes()
        counts["jsonl", path.name] = (gzip.decompress(data) if path.suffix == ".gz" else data).count(b"\n")
    return counts


def test_generated_files_are_up_to_date(make: ModuleType) -> None:
    """`examples/make.py` would write the same files."""
    assert [path.relative_to(EXAMPLES).as_posix() for path in make.stale()] == []


def test_every_record_has_an_expected_outcome() -> None:
    """`expected.json` lists each record of each file once, and no other record."""
    named = Counter((record["source"], record["path"]) for record in expected("expected.json"))
    places = [(r["source"], r["path"], r["ordinal"]) for r in expected("expected.json")]

    assert named == count_records()
    assert sorted(places) == sorted((*file, i) for file, n in named.items() for i in range(n))


def test_every_forum_post_has_an_expected_outcome() -> None:
    """`contract/expected.json` lists each line of the forum."""
    lines = (EXAMPLES / "contract/posts.jsonl").read_bytes().count(b"\n")

    assert [record["ordinal"] for record in expected("contract/expected.json")] == list(range(lines))


@pytest.mark.parametrize("name", ["expected.json", "contract/expected.json"])
def test_expected_outcomes_are_consistent(name: str) -> None:
    """Only records that are not kept have a reason, and keepers of merged records are kept."""
    records = expected(name)
    by_place = {(r["source"], r["path"], r["ordinal"]): r for r in records}

    assert {record["outcome"] for record in records} <= OUTCOMES
    for record in records:
        assert ("reason" in record) == ("stage" in record) == (record["outcome"] != "kept")
        assert ("merged_into" in record) == (record["outcome"] == "merged")
        if into := record.get("merged_into"):
            assert by_place[into["source"], into["path"], into["ordinal"]]["outcome"] == "kept"


def test_the_examples_have_every_outcome() -> None:
    """New users see each outcome with several reasons."""
    reasons = {outcome: set() for outcome in OUTCOMES}
    for record in expected("expected.json"):
        reasons[record["outcome"]].add(record.get("reason"))

    assert {outcome: len(found) for outcome, found in reasons.items() if len(found) < 3} == {"kept": 1}


def test_the_truncated_archive_is_truncated() -> None:
    """The second archive ends inside a member; the first archive is complete."""
    whole, cut = sorted((EXAMPLES / "crawl").iterdir())

    gzip.decompress(whole.read_bytes())
    with pytest.raises(EOFError):
        gzip.decompress(cut.read_bytes())


def test_posts_meet_or_break_their_contract() -> None:
    """`jsonschema` agrees with the expected outcomes, except for faults that JSON Schema cannot express."""
    from jsonschema import Draft202012Validator

    schema = json.loads((EXAMPLES / "contract/forum-post.schema.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema)
    lines = (EXAMPLES / "contract/posts.jsonl").read_text(encoding="utf-8").splitlines()
    unseen = {"format", "integer_range"}  # formats are annotations for jsonschema; int64 is Arrow's limit

    for line, record in zip(lines, expected("contract/expected.json"), strict=True):
        broken = record["outcome"] == "rejected" and record["reason"] not in unseen
        assert validator.is_valid(json.loads(line)) == (not broken), record["what"]


def test_the_examples_are_small_and_have_no_local_paths() -> None:
    """All files together have less than 1 MB."""
    assert sum(path.stat().st_size for path in files()) < 1_000_000
    for path in files():
        data = path.read_bytes()
        assert b"/root/" not in data
        assert b"/home/" not in data
        assert b"/tmp/" not in data
