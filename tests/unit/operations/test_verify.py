"""Verify reads the rows as well: it reports wrong digests and sums, even if every file matches its seal."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import synthetic_corpus as synthetic

from builder.corpus import Corpus
from builder.errors import CorpusError, VersionError
from builder.operations.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from builder.corpus import Staging
    from builder.domain.manifest import Manifest


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of two versions that no test changes."""
    return synthetic.make_corpus(tmp_path_factory.mktemp("verified") / "corpus").path


def lying_corpus(folder: Path, lie: Callable[[Staging, Manifest], Manifest]) -> Path:
    """Return a corpus of one version that was sealed with a wrong fact."""
    corpus = Corpus.open_or_create(folder / "corpus", name=synthetic.NAME)
    with corpus.lock():
        staging = corpus.begin("1.0.0")
        manifest = synthetic.stage_version(corpus, staging, [synthetic.make_rows(40, seed=1)])
        corpus.commit(staging, lie(staging, manifest), "# card")
    return corpus.path


def with_split(manifest: Manifest, name: str, **facts: Any) -> Manifest:
    splits = {**manifest.splits, name: dataclasses.replace(manifest.splits[name], **facts)}
    return dataclasses.replace(manifest, splits=splits)


def reported_faults(path: Path) -> str:
    result = verify(path)
    assert not result.clean
    return "\n".join(str(fault) for fault in result.faults)


def test_clean_corpus_is_counted(pristine: Path) -> None:
    """Files, bytes and rows are counted; shared shards are read once."""
    result = verify(pristine)
    assert result.clean
    assert list(result.versions) == ["1.0.0", "1.1.0"]
    assert result.n_rows == 190
    assert result.digests == {v: Corpus(pristine).digest(v) for v in result.versions}
    assert result.n_files > 20
    assert result.n_bytes > 10_000


def test_one_version_is_verified_alone(pristine: Path) -> None:
    """FOLDER@VERSION reads the rows of that version only."""
    assert verify(f"{pristine}@1.0.0").n_rows == 150
    with pytest.raises(VersionError, match=r"2\.0\.0"):
        verify(f"{pristine}@2.0.0")
    with pytest.raises(CorpusError, match="no such folder"):
        verify(pristine / "nowhere")


def test_damaged_file_is_named_and_rows_are_not_read(pristine: Path, tmp_path: Path) -> None:
    """A damaged file is a fault with its name, not a crash of the Parquet reader."""
    path = lying_corpus(tmp_path, lambda _, manifest: manifest)
    for shard in (path / "1.0.0/data").iterdir():
        shard.chmod(0o644)
        shard.write_bytes(shard.read_bytes()[:-20])
    result = verify(path)
    assert {fault.where for fault in result.faults if fault.where.startswith("1.0.0")} == {
        f"1.0.0/data/{shard.name}" for shard in (path / "1.0.0/data").iterdir()
    }
    assert result.n_rows == 0


@pytest.mark.parametrize("field", ["content_digest", "order_digest"])
def test_a_wrong_digest_of_rows_is_a_fault(tmp_path: Path, field: str) -> None:
    """Rows are digested again, so a manifest cannot claim other digests."""
    path = lying_corpus(tmp_path, lambda _, m: with_split(m, "train", **{field: "0" * 64}))
    assert f"1.0.0/data: split train: the {field.replace('_', ' ')} of the rows is" in reported_faults(path)


def test_rows_in_another_order_are_a_fault(tmp_path: Path) -> None:
    """Two swapped shards have the same content in another order."""

    def swap(_: Staging, manifest: Manifest) -> Manifest:
        shards = manifest.splits["train"].shards
        assert len(shards) > 1
        return with_split(manifest, "train", shards=shards[::-1])

    text = reported_faults(lying_corpus(tmp_path, swap))
    assert "order digest" in text
    assert "content digest" not in text


def test_raw_bytes_are_counted_again(tmp_path: Path) -> None:
    """A wrong size is a fault."""
    assert "raw bytes" in reported_faults(
        lying_corpus(tmp_path, lambda _, m: with_split(m, "test", raw_bytes=1))
    )


def test_rows_of_a_shard_are_counted_again(tmp_path: Path) -> None:
    """A wrong number of rows is a fault."""

    def claim(_: Staging, manifest: Manifest) -> Manifest:
        split = manifest.splits["test"]
        shards = (dataclasses.replace(split.shards[0], rows=999), *split.shards[1:])
        return with_split(manifest, "test", shards=shards, rows=sum(shard.rows for shard in shards))

    assert "rows, but the manifest says 999" in reported_faults(lying_corpus(tmp_path, claim))


def test_other_columns_than_in_the_manifest_are_a_fault(tmp_path: Path) -> None:
    """Every shard has the columns of the manifest."""
    columns = synthetic.SCHEMA.append(pa.field("more", pa.int64()))
    path = lying_corpus(tmp_path, lambda _, manifest: dataclasses.replace(manifest, columns=columns))
    assert "has other columns than the manifest says" in reported_faults(path)


def test_a_ledger_that_does_not_add_up_is_a_fault(tmp_path: Path) -> None:
    """A row that is missing from the ledger is missing from its sums."""

    def forget(staging: Staging, manifest: Manifest) -> Manifest:
        ledger = pq.read_table(staging.audit / "ledger.parquet")
        pq.write_table(ledger.slice(1), staging.audit / "ledger.parquet")
        return manifest

    text = reported_faults(lying_corpus(tmp_path, forget))
    assert ".audit/1.0.0/ledger.parquet: adds up to kept: 39, but the manifest says 40" in text
    assert "kept by split" in text


def test_reasons_are_added_up_too(tmp_path: Path) -> None:
    """A wrong count of a reason is a fault."""

    def claim(_: Staging, manifest: Manifest) -> Manifest:
        reasons = {**manifest.counts["reasons"], "failed": {"jsonl": {"too_deep": 1}}}
        return dataclasses.replace(manifest, counts={**manifest.counts, "reasons": reasons})

    assert "adds up to reasons" in reported_faults(lying_corpus(tmp_path, claim))


def test_a_missing_ledger_is_a_fault(tmp_path: Path) -> None:
    """A version without a ledger does not pass, even if it was sealed without one."""

    def remove(staging: Staging, manifest: Manifest) -> Manifest:
        (staging.audit / "ledger.parquet").unlink()
        return manifest

    assert ".audit/1.0.0/ledger.parquet: is missing" in reported_faults(lying_corpus(tmp_path, remove))


def test_a_missing_root_seal_is_a_fault_and_not_an_error(tmp_path: Path) -> None:
    """A corpus without its root seal is verified, not refused."""
    path = lying_corpus(tmp_path, lambda _, manifest: manifest)
    (path / ".seals/root.json").unlink()
    assert reported_faults(path) == ".seals/root.json: is missing"
