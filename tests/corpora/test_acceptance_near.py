"""Near duplicates of real manuals, compared with all pairs: merges are proven, similar pairs are found."""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import reference
from commands import builder, ledger_rows, write_recipe

pytestmark = [pytest.mark.corpora, pytest.mark.long]

THRESHOLD = 0.8
TO_TEXT = ["validate", "extract_text", "repair_text"]
ARCHITECTURES = ("amd64", "arm64", "armhf", "i386")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The decisions of a build with only ``dedup_near``, and all pairs of similar documents.

    Documents are numbered in the order of the ledger. ``rows`` are the ledger rows; ``texts`` are
    the inputs of ``dedup_near``, from a build without that stage.
    """

    rows: list[dict[str, Any]]
    texts: list[str]
    sets: list[set[tuple[str, ...]]]
    pairs: dict[tuple[int, int], float]
    number_of: dict[str, int]

    def kept(self, number: int) -> bool:
        return bool(self.rows[number]["outcome"] == "kept")


@pytest.fixture(scope="module", params=["en", "ja", "en+ja", "rust-std"])
def case(request: pytest.FixtureRequest, corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "rust-std":
        sources = _rust_pages(folder)
    else:
        for language in request.param.split("+"):
            with tarfile.open(corpora / "debian-installguide" / f"{language}.tar.gz") as archive:
                archive.extractall(folder / "pages", filter="data")
        sources = [
            {"html": {"path": f"pages/{name}/{language}/**/*.html", "name": f"{name}-{language}"}}
            for language in request.param.split("+")
            for name in ARCHITECTURES
        ]
    return _build(folder, sources)


def _rust_pages(folder: Path) -> list[dict[str, Any]]:
    """Return the first 700 pages of ``std`` of Debian's rust-doc; BUILDER_RUST_DOC sets its folder."""
    root = Path(os.environ.get("BUILDER_RUST_DOC", "/usr/share/doc/rust-doc/html")) / "std"
    if not root.is_dir():
        pytest.skip(f"no pages in {root} (set BUILDER_RUST_DOC to the folder rust-doc/html)")
    for i, path in enumerate(sorted(root.rglob("*.html"))[:700]):
        (folder / "pages").mkdir(exist_ok=True)
        (folder / "pages" / f"{i:03}.html").write_bytes(path.read_bytes())
    return [{"html": {"path": "pages/*.html"}}]


def _build(folder: Path, sources: list[dict[str, Any]]) -> Case:
    """Build once without deduplication for the texts, and once with only ``dedup_near``."""
    seen = write_recipe(folder, sources, stages=TO_TEXT, corpus="seen", name="seen.yaml")
    merged = write_recipe(folder, sources, stages=[*TO_TEXT, "dedup_near"])
    for recipe in (seen, merged):
        run = builder("build", recipe, "--workers", "2")
        assert run.returncode == 0, run.stderr
    shards = (folder / "seen" / "latest" / "data").iterdir()
    text_of = {row["id"]: row["text"] for shard in shards for row in pq.read_table(shard).to_pylist()}
    before = {row["record_id"]: row for row in ledger_rows(folder / "seen")}
    rows = [row for row in ledger_rows(folder / "corpus") if row["outcome"] in ("kept", "merged")]
    texts = [text_of[before[row["record_id"]]["document_id"]] for row in rows]
    sets = [reference.shingles(text) for text in texts]
    return Case(
        rows=rows,
        texts=texts,
        sets=sets,
        pairs=reference.similar_pairs(sets, threshold=THRESHOLD),
        number_of={row["document_id"]: i for i, row in enumerate(rows) if row["outcome"] == "kept"},
    )


def test_at_most_one_percent_of_pairs_is_missed(case: Case) -> None:
    """A pair at or above the threshold is missed if both documents are kept."""
    both = [pair for pair in case.pairs if case.kept(pair[0]) and case.kept(pair[1])]
    print(f"{len(case.rows)} documents, {len(case.pairs)} pairs, both kept: {len(both)}")  # noqa: T201
    assert len(case.pairs) > 300
    assert len(both) <= 0.01 * len(case.pairs)


def test_every_merge_is_proven(case: Case) -> None:
    """Each similarity is exact and at or above the threshold."""
    merged = [(i, row) for i, row in enumerate(case.rows) if row["outcome"] == "merged"]
    exact = {}
    for i, row in merged:
        assert row["stage"] == "dedup_near"
        keeper = case.number_of[row["merged_into"]]
        same = reference.words(case.texts[i]) == reference.words(case.texts[keeper])
        exact[i] = 1.0 if same else reference.jaccard(case.sets[i], case.sets[keeper])
    assert merged
    assert min(exact.values()) >= THRESHOLD
    assert {i: row["similarity"] for i, row in merged} == pytest.approx(exact, abs=1e-6)


def test_equal_texts_end_under_one_document(case: Case) -> None:
    """One of the equal texts is kept, and it represents the others."""
    under: dict[str, set[str]] = {}
    for text, row in zip(case.texts, case.rows, strict=True):
        under.setdefault(text, set()).add(row["kept_id"] or row["document_id"])
    print(f"{len(case.texts)} texts, {len(under)} of them different")  # noqa: T201
    assert [ids for ids in under.values() if len(ids) != 1] == []
