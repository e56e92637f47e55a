"""``croissant.json`` of a fetched version is valid and has the record counts of the manifest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hub.looks import REPO
from hub.process import StandIn

from builder import Corpus

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture
def fetched(hub: StandIn, corpus: Corpus, tmp_path: Path) -> Path:
    """A version that was published to the Hub and fetched again."""
    hub.builder("publish", f"{corpus.path}@1.1.0", "--repo", REPO)
    done = hub.builder("fetch", f"{REPO}@1.1.0", tmp_path / "got")
    assert done.returncode == 0, done.stderr
    return tmp_path / "got" / "1.1.0"


def test_the_validator_of_mlcroissant_accepts_it(fetched: Path) -> None:
    """`mlcroissant validate` succeeds without a warning."""
    command = [sys.executable, "-m", "mlcroissant.scripts.validate", "--jsonld", "croissant.json"]
    done = subprocess.run(command, cwd=fetched, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr.upper()


def test_records_are_the_rows_of_the_manifest(fetched: Path, corpus: Corpus) -> None:
    """mlcroissant counts them by split; the file also has version number, date and origin."""
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=str(fetched / "croissant.json"))
    manifest = corpus.manifest("1.1.0")
    for name, split in manifest.splits.items():
        assert len(list(dataset.records(name))) == split.rows
    document = json.loads((fetched / "croissant.json").read_text())
    assert (document["version"], document["datePublished"]) == ("1.1.0", "2024-01-02")
    used = document["prov:wasGeneratedBy"]["prov:used"]
    assert used["sc:identifier"] == manifest.recipe["digest"]
    files = {one["contentUrl"]: one["sha256"] for one in document["distribution"] if "sha256" in one}
    assert files == {shard.path: shard.sha256 for _, shard in manifest.shards()}
