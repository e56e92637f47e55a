"""croissant.json of a version as it is fetched: valid, and as many records as the manifest tells."""

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
    """A version that went to the Hub and came back."""
    hub.builder("publish", f"{corpus.path}@1.1.0", "--repo", REPO)
    done = hub.builder("fetch", f"{REPO}@1.1.0", tmp_path / "got")
    assert done.returncode == 0, done.stderr
    return tmp_path / "got" / "1.1.0"


def test_the_validator_has_nothing_to_say(fetched: Path) -> None:
    """`mlcroissant validate` ends well and warns of nothing."""
    command = [sys.executable, "-m", "mlcroissant.scripts.validate", "--jsonld", "croissant.json"]
    done = subprocess.run(command, cwd=fetched, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr.upper()


def test_records_are_the_rows_of_the_manifest(fetched: Path, corpus: Corpus) -> None:
    """Counted through mlcroissant, split by split; number, date and origin stand in it."""
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
