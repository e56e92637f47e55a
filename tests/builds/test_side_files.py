"""The signals of published rows: one file next to each shard, histograms in the manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planted import pages, write_lines

from builder import BuildResult, Corpus, drop, takedown, verify
from builder.operations.compact import compact
from builder.stages.quality.measuring import measure_signals
from builder.stages.quality.signals import SIGNALS

Make = Callable[..., BuildResult]

STAGES: list[dict[str, Any]] = [{"validate": {}}, {"signals": {"columns": ["words"]}}, {"dedup_exact": {}}]


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    write_lines(tmp_path / "feed/a.jsonl", [*pages(60), {"url": "https://a.example/signs", "text": "!?"}])
    return tmp_path / "feed"


def side_tables(corpus: Corpus, version: str) -> dict[str, pa.Table]:
    """Return the side files of a version, by name."""
    folder = corpus.audit_folder(version) / "signals"
    return {path.name: pq.read_table(path, partitioning=None) for path in sorted(folder.glob("*.parquet"))}


def rows_of(corpus: Corpus, version: str) -> list[dict[str, Any]]:
    """Return all rows of all side files, by id."""
    tables = side_tables(corpus, version).values()
    return sorted(pa.concat_tables(tables).to_pylist(), key=lambda row: row["id"])


def measured_again(corpus: Corpus, version: str) -> list[dict[str, Any]]:
    """Measure the published texts, and return what the side files should have."""
    shards = [corpus.version_file(version, shard.path) for _, shard in corpus.shards(version)]
    table = pa.concat_tables(pq.read_table(path, partitioning=None) for path in shards).combine_chunks()
    columns = {"id": table["id"], **measure_signals(table["text"].combine_chunks(), list(SIGNALS))}
    return sorted(pa.table(columns).to_pylist(), key=lambda row: row["id"])


def test_each_shard_has_a_file_with_all_signals_of_its_rows(feed: Path, make: Make) -> None:
    """The files describe the published texts; a signal that is not defined is null."""
    corpus = Corpus(make(stages=STAGES).corpus)
    assert list(side_tables(corpus, "1.0.0")) == [
        Path(shard.path).name for _, shard in corpus.shards("1.0.0")
    ]
    assert rows_of(corpus, "1.0.0") == measured_again(corpus, "1.0.0")
    assert any(row["mean_word_length"] is None for row in rows_of(corpus, "1.0.0"))
    assert verify(corpus.path).clean


def test_the_histograms_of_the_manifest_count_each_row_once(feed: Path, make: Make) -> None:
    """Bins and nulls add up to the rows."""
    manifest = Corpus(make(stages=STAGES).corpus).manifest("1.0.0")
    histograms = manifest.counts["signals"]
    assert list(histograms) == sorted(SIGNALS)
    for one in histograms.values():
        assert sum(one["counts"]) + one["null"] == manifest.rows
        assert len(one["counts"]) == len(one["edges"])
    assert histograms["mean_word_length"]["null"] == 1


def test_side_files_have_the_same_bytes_for_any_workers_and_batches(feed: Path, make: Make) -> None:
    """The digest covers the histograms; the files themselves are compared as well."""
    calm = make(corpus="calm", stages=STAGES, workers=1)
    other = make(corpus="other", stages=STAGES, workers=2, batch_rows=3)
    assert calm.digest == other.digest
    folders = [Corpus(one.corpus).audit_folder("1.0.0") / "signals" for one in (calm, other)]
    one, two = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert one == two


def test_an_addition_has_the_signals_of_a_full_build(feed: Path, make: Make) -> None:
    """The parent's rows and the new ones; the histograms are sums."""
    make(stages=STAGES)
    write_lines(feed / "b.jsonl", pages(90)[60:])
    grown, full = Corpus(make(stages=STAGES).corpus), Corpus(make(corpus="full", stages=STAGES).corpus)
    assert grown.versions() == ["1.0.0", "1.1.0"]
    assert rows_of(grown, "1.1.0") == rows_of(full, "1.0.0") == measured_again(grown, "1.1.0")
    assert grown.manifest("1.1.0").counts["signals"] == full.manifest("1.0.0").counts["signals"]
    assert verify(grown.path).clean
    assert make(stages=STAGES).nothing_new


def test_takedown_purge_and_recut_reach_the_signals(feed: Path, make: Make) -> None:
    """No file of the corpus names a purged document any more."""
    result = make(stages=STAGES)
    corpus = Corpus(result.corpus)
    gone = rows_of(corpus, "1.0.0")[7]["id"]
    url = next(row["url"] for row in corpus.rows("1.0.0").to_table().to_pylist() if row["id"] == gone)
    takedown(corpus.path, urls=[url], because="the owner asked", purge=True)
    assert corpus.newest() == "2.0.0"
    for version in corpus.versions():
        ids = [row["id"] for row in rows_of(corpus, version)]
        assert len(ids) == corpus.as_is(version).rows < result.outcomes["kept"]
        assert gone not in ids
    histograms = corpus.manifest("2.0.0").counts["signals"]
    assert sum(histograms["words"]["counts"]) == corpus.manifest("2.0.0").rows
    make(function=compact, stages=STAGES)
    assert rows_of(corpus, corpus.newest()) == measured_again(corpus, corpus.newest())
    assert verify(corpus.path).clean
    drop(f"{corpus.path}@1.0.0")
    assert not side_tables(corpus, "1.0.0")
    assert verify(corpus.path).clean


def test_verify_finds_a_side_file_of_other_rows(feed: Path, make: Make) -> None:
    """A changed file is found by its hash, and a file of other rows by the ids of its shard."""
    from builder.release.audit.check_signals import signal_faults

    corpus = Corpus(make(stages=STAGES).corpus)
    first, second = sorted((corpus.audit_folder("1.0.0") / "signals").iterdir())
    first.write_bytes(second.read_bytes())
    faults = list(signal_faults(corpus, "1.0.0"))
    assert [fault.what for fault in faults] == [
        f"does not have the rows of data/{first.name}",
        "adds up to other histograms than the manifest has",
    ]
    assert not verify(corpus.path).clean


def test_without_the_option_nothing_is_written(feed: Path, make: Make) -> None:
    """`side_file: false` and a recipe without the stage give neither files nor histograms."""
    for name, stages in (
        ("off", [{"validate": {}}, {"signals": {"side_file": False}}]),
        ("none", [{"validate": {}}]),
    ):
        corpus = Corpus(make(corpus=name, stages=stages).corpus)
        assert not side_tables(corpus, "1.0.0")
        assert "signals" not in corpus.manifest("1.0.0").counts


def test_a_side_file_that_is_missing_is_measured_again(feed: Path, make: Make) -> None:
    """A fetched corpus can lack the files; the next version has all of them."""
    corpus = Corpus(make(stages=STAGES).corpus)
    folder = corpus.audit_folder("1.0.0") / "signals"
    for path in folder.iterdir():
        path.unlink()
    write_lines(feed / "b.jsonl", pages(70)[60:])
    make(stages=STAGES)
    assert rows_of(corpus, "1.1.0") == measured_again(corpus, "1.1.0")


def test_the_card_shows_where_most_documents_are(feed: Path, make: Make) -> None:
    """Without side files the card has no such part."""
    folder = Corpus(make(stages=STAGES).corpus).version_folder("1.0.0")
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "## Quality signals" in card
    assert "| `mean_word_length` | code points of words / words |" in card
    plain = Corpus(make(corpus="plain").corpus).version_folder("1.0.0")
    assert "## Quality signals" not in (plain / "README.md").read_text(encoding="utf-8")
