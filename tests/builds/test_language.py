"""Whole builds with ``language``: same bytes, later versions, the ledger, and errors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from commands import builder, ledger_rows, manifest_of
from language_models import SmallModel
from planted import outcomes, write_lines

from builder import BuildResult, Corpus, takedown, verify
from builder.errors import RecipeError
from builder.stages.identification.find_model import DEFAULT_SHA256

Make = Callable[..., BuildResult]

SENTENCES = {
    "de": "Das Wetter in der Stadt Nummer {} ist heute schön, und die Leute gehen am Fluss spazieren.",
    "en": "The weather in town number {} is fine today, and the people who live there walk by the river.",
    "fr": "Le temps dans la ville numéro {} est beau, et les gens se promènent au bord de la rivière.",
    "ru": "Погода в городе номер {} сегодня хорошая, и люди гуляют вдоль реки и разговаривают.",
}


def rows(first: int, last: int) -> list[dict[str, Any]]:
    """Return pages in four languages in turn; every seventh page is short."""
    languages = list(SENTENCES)
    return [
        {
            "url": f"https://example.org/{i}",
            "text": "kurz" if i % 7 == 0 else SENTENCES[languages[i % 4]].format(i) * (1 + i % 3),
            "language": "de",
        }
        for i in range(first, last)
    ]


def published(result: BuildResult) -> list[dict[str, Any]]:
    files = Corpus(result.corpus).data_files(result.version)
    return [row for paths in files.values() for path in paths for row in pq.read_table(path).to_pylist()]


def digest_of(result: BuildResult) -> str:
    return hashlib.sha256((result.corpus / result.version / "manifest.json").read_bytes()).hexdigest()


@pytest.mark.parametrize("options", [{}, {"by": "paragraph"}, {"agree": "cld2"}], ids=str)
def test_workers_do_not_change_a_byte(make: Make, tmp_path: Path, options: dict[str, Any]) -> None:
    """Nor does the number of files, in which the same records come as one task or as several."""
    if "agree" in options:
        pytest.importorskip("pycld2")
    for i in range(4):
        write_lines(tmp_path / f"feed/{i}.jsonl", rows(20 * i, 20 * i + 20))
    stages = ["validate", {"language": {"keep": ["de", "en"], **options}}, "dedup_exact"]
    one = make(stages=stages, corpus="one", workers=1)
    two = make(stages=stages, corpus="two", workers=2)
    assert digest_of(one) == digest_of(two)
    assert {row["language"] for row in published(one)} == {"de", "en", "und"}


def test_additions_equal_a_full_build(make: Make, tmp_path: Path) -> None:
    """A verdict depends on the document alone."""
    stages = ["validate", {"language": {"keep": ["de", "en"]}}, "dedup_url"]
    write_lines(tmp_path / "feed/a.jsonl", rows(0, 30))
    make(stages=stages, workers=1)
    write_lines(tmp_path / "feed/b.jsonl", rows(30, 60))
    added = make(stages=stages, workers=1)
    full = make(stages=stages, corpus="full", workers=1)

    def by_id(result: BuildResult) -> list[dict[str, Any]]:
        return sorted(published(result), key=lambda row: row["id"])

    assert added.version == "1.1.0"
    assert by_id(added) == by_id(full)
    verify(added.corpus)


def test_later_stages_work_on_the_languages_that_were_found(make: Make, tmp_path: Path) -> None:
    """`where` reads the column of the stage, not what the page declares."""
    text = SENTENCES["fr"].format(1)
    write_lines(
        tmp_path / "feed/a.jsonl",
        [{"url": f"https://example.org/{i}", "text": text, "language": "en"} for i in range(2)]
        + [{"url": f"https://example.org/e{i}", "text": SENTENCES["en"].format(1)} for i in range(2)],
    )
    stages = ["validate", {"language": {}}, {"dedup_exact": {"where": {"language": ["fr"]}}}]
    result = make(stages=stages, splits={"train": 1.0})
    assert outcomes(result) == {"kept": 3, "merged": 1}
    assert sorted(row["language"] for row in published(result)) == ["en", "en", "fr"]


def test_the_model_is_an_input_and_part_of_the_digest(make: Make, tmp_path: Path) -> None:
    """Its hash is in the manifest, its place is not; another model is another corpus."""
    write_lines(tmp_path / "feed/a.jsonl", rows(0, 9))
    result = make(stages=["validate", {"language": {}}])
    manifest = manifest_of(result.corpus)
    (file,) = manifest["inputs"]["files"]
    assert (file["path"], file["sha256"]) == ("lid.176.ftz", DEFAULT_SHA256)
    (stage,) = [one for one in manifest["recipe"]["effective"]["stages"] if one["stage"] == "language"]
    assert stage["files"] == {"lid.176.ftz": DEFAULT_SHA256}

    data = SmallModel.random(1).packed()
    model = {"path": str(tmp_path / "own.bin"), "sha256": hashlib.sha256(data).hexdigest()}
    (tmp_path / "own.bin").write_bytes(data)
    said: list[str] = []
    other = make(stages=["validate", {"language": {"model": model}}], notice=said.append)
    assert any("language reads other files" in one for one in said)
    written = (other.corpus / other.version / "manifest.json").read_text()
    assert str(tmp_path) not in written
    assert model["sha256"] in written


def test_a_takedown_works_on_a_corpus_with_languages(make: Make, tmp_path: Path) -> None:
    """It makes a version from the rows alone, without a model."""
    write_lines(tmp_path / "feed/a.jsonl", rows(0, 20))
    result = make(stages=["validate", {"language": {"keep": ["de"]}}])
    (url, *_) = [row["url"] for row in published(result) if row["language"] == "de"]
    takedown(result.corpus, urls=[url], because="asked")
    verify(result.corpus)
    assert url not in {row["url"] for row in pq.read_table(result.corpus / "latest/data").to_pylist()}


def test_a_wrong_model_ends_a_build_before_an_input_is_opened(make: Make, tmp_path: Path) -> None:
    """A build that stops after an hour of reading costs that hour."""
    (tmp_path / "own.bin").write_bytes(b"no model")
    model = {"path": "own.bin", "sha256": "0" * 64}
    write_lines(tmp_path / "feed/a.jsonl", rows(0, 3))
    with pytest.raises(RecipeError, match=r"stages\[1\]\.language.*the SHA-256 of own\.bin is"):
        make(stages=["validate", {"language": {"model": model}}])
    assert not (tmp_path / "corpus").exists()


def test_why_explains_a_rejected_page(tmp_path: Path) -> None:
    """As a user sees it: with reason, value, limit and score."""
    write_lines(tmp_path / "feed.jsonl", rows(0, 12))
    recipe = {
        "name": "lang",
        "sources": [{"jsonl": {"path": "feed.jsonl"}}],
        "stages": [{"language": {"keep": ["de", "en"], "unknown": "drop"}}],
        "corpus": "corpus",
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    done = builder("build", tmp_path / "recipe.yaml")
    assert done.returncode == 0, done.stderr
    reasons = {row["url"].rpartition("/")[2]: row["reason"] for row in ledger_rows(tmp_path / "corpus")}
    assert reasons["2"] == reasons["3"] == "other_language"
    assert reasons["0"] == reasons["7"] == "unknown_language"
    assert reasons["1"] is None
    said = builder("why", tmp_path / "corpus", "https://example.org/2").stdout
    assert "other_language" in said
    assert "fr" in said
    assert "de, en" in said
    assert "score 0.9" in said
