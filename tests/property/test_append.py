"""The law of versions: building A, then A + B onto it, is building A + B at once."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from planted import ledger_of, sentence, write_lines

from builder import BuildResult, Recipe, build

STAGES = [{"repair_text": {}}, {"dedup_url": {"keep": "first"}}, {"dedup_exact": {}}, {"dedup_near": {}}]
SPLITS = {"train": 0.5, "validation": 0.2, "test": 0.3}

texts = st.one_of(
    st.integers(0, 6).map(sentence),
    st.integers(0, 6).map(lambda seed: sentence(seed) + " and a tail"),
    st.sampled_from(["", "one two", "One  two!", "...", "短い文", "x" * 300]),
)
urls = st.one_of(st.none(), st.integers(0, 9).map(lambda n: f"https://example.org/{n}?utm_source=a"))
pages = st.fixed_dictionaries({"text": texts}, optional={"url": urls})
broken = st.sampled_from(['{"text": 1}', "{"])
records = st.one_of(pages, pages, pages, pages, broken)
corpora = st.lists(records, max_size=12)


def make(folder: Path, *, corpus: str, stages: list[Any] = STAGES, **options: Any) -> BuildResult:
    document = {
        "name": "laws",
        "sources": [{"jsonl": {"path": "in"}}],
        "stages": stages,
        "splits": SPLITS,
        "corpus": corpus,
    }
    return build(Recipe.from_dict(document, folder=folder), workers=1, **options)


def digests(result: BuildResult) -> dict[str, Any]:
    splits = json.loads((result.corpus / result.version / "manifest.json").read_bytes())["splits"]
    return {name: (one["content_digest"], one["order_digest"]) for name, one in splits.items()}


@settings(max_examples=12)
@given(corpora, corpora, corpora)
def test_appending_is_building_at_once(first: list[Any], more: list[Any], last: list[Any]) -> None:
    """Each split has the same content and order digests, after one addition and after two."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_lines(folder / "in" / "0.jsonl", [{"text": sentence(99)}, *first])
        make(folder, corpus="grown")
        write_lines(folder / "in" / "1.jsonl", [{"text": sentence(98)}, *more])
        grown, whole = make(folder, corpus="grown"), make(folder, corpus="whole-1")
        assert digests(grown) == digests(whole)
        write_lines(folder / "in" / "2.jsonl", [{"text": sentence(97)}, *last])
        grown, whole = make(folder, corpus="grown"), make(folder, corpus="whole-2")
        assert digests(grown) == digests(whole)
        behind = [row for row in ledger_of(whole) if row["path"] == "2.jsonl"]
        assert [fate(row) for row in ledger_of(grown)] == [fate(row) for row in behind]


def fate(row: dict[str, Any]) -> dict[str, Any]:
    """What a ledger tells of a record, but for the shard, which is cut otherwise in an addition."""
    return {name: value for name, value in row.items() if name != "shard"}
