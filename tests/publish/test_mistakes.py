"""Common mistakes on the Hub, and the tests that show that builder prevents them."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hub.process import StandIn

from builder import Corpus, load
from builder.card.front_matter import read_front_matter
from builder.errors import BuilderError

TESTS = Path(__file__).resolve().parents[1]

GUARDS = {
    "a pinned revision is ignored when the Hub cannot be reached": [
        "publish/test_fetch.py::test_load_never_gives_another_version",
        "publish/test_fetch.py::test_half_a_version_in_the_cache_is_not_a_version",
        "publish/test_mistakes.py::test_half_a_version_is_not_loaded",
    ],
    "old shards stay and mix with new ones": [
        "publish/test_publish.py::test_old_shards_are_deleted_and_files_of_people_stay",
        "unit/hub/test_diff.py::test_the_changes_give_the_wanted_files",
    ],
    "the card's counts are stale": [
        "cli/test_check_version.py::test_a_card_that_contradicts_the_manifest_is_a_fault",
    ],
    "the card's features are stale": [
        "unit/card/test_card_sections.py::test_what_load_dataset_believes_is_never_of_the_old_card",
        "cli/test_check_version.py::test_a_card_that_contradicts_the_manifest_is_a_fault",
    ],
    "shards have different columns": ["cli/test_check_version.py::test_other_columns_are_a_fault"],
    "a column without values is of type null": [
        "cli/test_check_version.py::test_columns_that_cannot_be_loaded_are_faults",
    ],
    "a shard or split is empty": [
        "cli/test_check_version.py::test_an_empty_shard_is_a_fault",
        "unit/card/test_card_front_matter.py::test_a_split_without_rows_has_no_entry",
    ],
    "half of an upload is seen": [
        "publish/test_publish.py::test_a_version_is_one_commit_and_sends_only_new_files",
        "publish/test_faults.py::test_kill_9_leaves_the_old_or_the_new_version",
        "publish/test_faults.py::test_a_sample_of_faults_leaves_the_old_or_the_new_version",
    ],
    "commits at the same time: endless conflicts, lost edits": [
        "publish/test_faults.py::test_after_a_conflict_the_trees_are_compared_again",
        "publish/test_faults.py::test_a_commit_of_another_client_is_not_lost",
    ],
    "too many requests, too many small files": [
        "publish/test_faults.py::test_retry_after_sets_the_wait",
        "property/test_shard_cuts.py::test_a_split_has_about_64_shards",
    ],
    "row groups too big for the viewer": [
        "property/test_shard_cuts.py::test_chosen_sizes_stay_within_their_bounds",
        "cli/test_check_version.py::test_the_viewers_limits_are_warnings",
    ],
    "splits are guessed from names of files": [
        "publish/test_mistakes.py::test_only_files_that_the_card_names_are_loaded",
        "unit/card/test_card_front_matter.py::test_schema_refuses_configs",
    ],
    "JSON files next to the data change its format": [
        "publish/test_mistakes.py::test_only_files_that_the_card_names_are_loaded",
    ],
    "pushed without a tag, or a branch where a tag should be": [
        "publish/test_publish.py::test_each_of_three_versions_loads_at_its_tag",
        "publish/test_publish.py::test_each_obstacle_in_the_repository_is_reported",
    ],
    "one giant file, strings of more than 2 GB": [
        "property/test_shard_cuts.py::test_chosen_sizes_stay_within_their_bounds",
        "unit/io/parquet_sink/test_shards.py::test_shard_with_a_huge_row_has_no_statistics",
    ],
    "files edited in place give old rows from a cache": [
        "unit/corpus/test_commit.py::test_version_folder_is_read_only",
        "publish/test_mistakes.py::test_a_file_that_was_edited_is_not_loaded",
    ],
    "appending sends everything again": [
        "publish/test_wire.py::test_a_change_sends_only_the_changed_data",
        "unit/hub/test_diff.py::test_a_file_that_exists_on_the_hub_is_not_sent",
    ],
    "YAML that means something else": [
        "unit/card/test_card_front_matter.py::test_traps_survive",
        "unit/card/test_card_front_matter.py::test_what_clients_ignore_in_silence_is_an_error",
    ],
    "more columns than the viewer shows": [
        "cli/test_check_version.py::test_the_viewers_limits_are_warnings",
    ],
}


def test_each_mistake_has_its_test() -> None:
    """There are 19 mistakes, and each named test exists."""
    assert len(GUARDS) == 19
    for mistake, tests in GUARDS.items():
        assert tests, mistake
        for name in tests:
            path, _, function = name.partition("::")
            tree = ast.parse((TESTS / path).read_text())
            assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name


@pytest.fixture
def alone(corpus: Corpus, tmp_path: Path) -> Path:
    """A writable copy of the folder of a version."""
    shutil.copytree(corpus.version_folder("1.0.0"), tmp_path / "alone")
    for path in (tmp_path / "alone", *(tmp_path / "alone").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return tmp_path / "alone"


def test_only_files_that_the_card_names_are_loaded(alone: Path, corpus: Corpus, hub: StandIn) -> None:
    """File names that look like splits, and JSON files next to them, change nothing."""
    files = read_front_matter((alone / "README.md").read_text())["configs"][0]["data_files"]
    assert {one["split"]: len(one["path"]) for one in files} == {"train": 1, "test": 1}
    pq.write_table(pa.table({"other": [1]}), alone / "data" / "validation-00000-of-00001.parquet")
    for i in range(30):
        (alone / "data" / f"test-{i:05}-of-00030.json").write_text("{}")
    code = (
        "import datasets, json, sys\n"
        "found = datasets.load_dataset(sys.argv[1])\n"
        "print(json.dumps({name: part.num_rows for name, part in found.items()}))"
    )
    done = hub.python(code, alone)
    splits = corpus.manifest("1.0.0").splits
    expected = {name: split.rows for name, split in splits.items()}
    assert json.loads(done.stdout) == expected, done.stderr
    (alone / "README.md").write_text("A card that names no files.\n")
    guessed = hub.python(code, alone)
    assert guessed.returncode or json.loads(guessed.stdout) != expected, (
        "without the card, these files must change the result"
    )


def test_a_file_that_was_edited_is_not_loaded(alone: Path) -> None:
    """`load` compares each file with the manifest before it reads a cache."""
    shard = next((alone / "data").iterdir())
    data = shard.read_bytes()
    shard.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    with pytest.raises(BuilderError, match="has other bytes than the manifest says"):
        load(alone)


@pytest.mark.parametrize("name", ["README.md", "croissant.json", "data"])
def test_half_a_version_is_not_loaded(alone: Path, name: str) -> None:
    """`load` checks that each file of the manifest exists."""
    path = alone / name
    missing = next(path.iterdir()) if path.is_dir() else path
    missing.unlink()
    with pytest.raises(BuilderError, match=f"{missing.name}: is missing"):
        load(alone)
