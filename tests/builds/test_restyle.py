"""Which changes of a recipe cause a full rebuild, and which change only the card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted import pages, sentence, write_lines

from builder import BuildResult, Corpus, verify
from builder.errors import RecipeError
from builder.operations.compact import compact

Make = Callable[..., BuildResult]


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    write_lines(tmp_path / "feed/a.jsonl", pages(20))
    return tmp_path / "feed"


def shards(result: BuildResult) -> list[str]:
    return [shard.sha256 for _, shard in Corpus(result.corpus).manifest(result.version).shards()]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("changed", "version"),
    [
        ({"title": "Another title"}, "1.0.1"),
        ({"description": "More of it."}, "1.0.1"),
        ({"license": "cc-by-4.0"}, "2.0.0"),
        ({"date": "2024-05-05"}, "1.0.1"),
    ],
    ids=str,
)
def test_a_change_of_the_card_changes_no_shard(
    make: Make, feed: Path, changed: dict[str, Any], version: str
) -> None:
    """The version is a PATCH with the same files; a new licence is a MAJOR, with the same files too."""
    first = make()
    said: list[str] = []
    second = make(recipe=changed, notice=said.append)
    assert (second.version, shards(second)) == (version, shards(first))
    assert not any("full rebuild" in text for text in said)
    text = (second.corpus / second.version / "README.md").read_text()
    assert str(next(iter(changed.values()))) in text
    assert make(recipe=changed).nothing_new


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"stages": [{"validate": {}}, {"dedup_exact": {}}]}, "stages, columns or splits"),
        ({"splits": {"train": 1.0}}, "stages, columns or splits"),
        ({"sources": [{"jsonl": {"path": "feed", "rename": {"a": "title"}}}]}, "options of the source jsonl"),
    ],
    ids=["stages", "splits", "source"],
)
def test_a_change_that_affects_rows_is_a_full_rebuild(
    make: Make, feed: Path, changed: dict[str, Any], why: str
) -> None:
    """A notice names the rebuild before it starts, and the highest possible version number."""
    make()
    said: list[str] = []
    make(recipe=changed, notice=said.append)
    assert len(said) == 1
    assert said[0].startswith("full rebuild: ")
    assert why in said[0]
    assert said[0].endswith("The version after 1.0.0 is at most 2.0.0.")


def test_a_full_rebuild_that_misses_an_input_stops(make: Make, feed: Path) -> None:
    """The error lists every missing input; --prune builds without them, and the docs say so."""
    write_lines(feed / "b.jsonl", [{"text": sentence(900)}])
    write_lines(feed / "c.jsonl", [{"text": sentence(901)}])
    make()
    for name in ("b", "c"):
        (feed / f"{name}.jsonl").unlink()
    with pytest.raises(RecipeError, match=r"(?s)jsonl/b\.jsonl.*jsonl/c\.jsonl.*further-versions"):
        make(full=True)
    result = make(full=True, prune=True)
    assert result.reason.startswith("MAJOR: 2 published rows were removed")


def test_rows_of_a_missing_input_stay(make: Make, feed: Path) -> None:
    """The build prints a notice and writes nothing; --prune removes the rows, with a reason in the ledger."""
    write_lines(feed / "b.jsonl", [{"text": sentence(900)}, {"text": sentence(3) + " and more"}])
    make()
    (feed / "b.jsonl").unlink()
    said: list[str] = []
    assert make(notice=said.append).nothing_new
    assert said == ["missing inputs; their rows are kept: jsonl/b.jsonl"]
    result = make(prune=True)
    assert result.reason.startswith("MAJOR: 1 published row was removed")
    assert result.reasons == [(("rejected", "source", "source_gone"), 1)]
    assert make(prune=True).nothing_new


def test_pruning_a_keeper_publishes_the_record_merged_into_it(make: Make, feed: Path) -> None:
    """If its keeper is removed, a record of an existing input is read again and published."""
    write_lines(feed / "b.jsonl", [{"text": sentence(900)}])
    write_lines(feed / "c.jsonl", [{"text": sentence(900) + " and a tail"}, {"text": sentence(901)}])
    make()
    (feed / "b.jsonl").unlink()
    result = make(prune=True)
    assert result.outcomes["kept"] == 1
    assert result.n_known == 1


def test_no_build_builds_on_a_trial(make: Make, feed: Path) -> None:
    """The next build reads the records that --limit left unread."""
    assert make(limit=5).n_records == 5
    assert make().n_records == len(pages(20))


def test_a_known_file_under_another_name_is_not_read(make: Make, feed: Path) -> None:
    """The hash of its bytes identifies an input, not its name."""
    make()
    (feed / "a.jsonl").rename(feed / "z.jsonl")
    assert make().nothing_new


def test_a_file_that_was_not_touched_is_not_hashed(
    make: Make, feed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Size, time and inode show that it is unchanged; --rehash hashes it anyway."""
    import os

    from builder.inputs import hashing

    os.utime(feed / "a.jsonl", (1_600_000_000, 1_600_000_000))
    make(workers=1)
    hashed: list[str] = []
    hash_input = hashing.hash_input
    monkeypatch.setattr(
        hashing, "hash_input", lambda one, *rest: hashed.append(one.path) or hash_input(one, *rest)
    )
    assert make(workers=1).nothing_new
    assert hashed == []
    assert make(workers=1, rehash=True).nothing_new
    assert hashed == ["a.jsonl"]
    write_lines(feed / "a.jsonl", pages(21))
    assert not make(workers=1).nothing_new


def test_a_new_source_does_not_cause_a_rebuild(make: Make, feed: Path) -> None:
    """The build reads only the crawl that was added to the recipe."""
    make()
    write_lines(feed.parent / "more/a.jsonl", [{"text": sentence(950)}])
    sources = [{"jsonl": {"path": "feed"}}, {"jsonl": {"path": "more", "name": "more"}}]
    result = make(recipe={"sources": sources})
    assert (result.n_records, result.version) == (1, "1.1.0")


def test_numbers_only_rise(make: Make, feed: Path) -> None:
    """You can request a higher number than the computed one, never a lower one."""
    from builder.errors import VersionError

    make()
    write_lines(feed / "b.jsonl", [{"text": sentence(900)}])
    with pytest.raises(VersionError, match=r"1\.0\.1 is lower than 1\.1\.0"):
        make(version="1.0.1")
    assert make(version="3.0.0").version == "3.0.0"


def test_compacting_cuts_shards_as_a_first_version_would(make: Make, feed: Path) -> None:
    """The same rows in fewer files are a PATCH. A second time there is nothing to do."""
    make()
    for number in range(3):
        write_lines(feed / f"c{number}.jsonl", [{"text": sentence(1000 + number)}])
        grown = make()
    result = make(function=compact)
    before, after = (Corpus(grown.corpus).manifest(one.version) for one in (grown, result))
    assert (result.version, result.reason.split(":")[0]) == ("1.3.1", "PATCH")
    assert len(list(after.shards())) < len(list(before.shards()))
    for name, split in before.splits.items():
        assert split.content_digest == after.splits[name].content_digest
        assert split.order_digest == after.splits[name].order_digest
    assert verify(result.corpus).clean
    assert make(function=compact).nothing_new
    write_lines(feed / "d.jsonl", [{"text": sentence(1000) + " and a tail"}])
    assert make().outcomes["merged"] == 1


def test_pages_can_be_added_after_a_build_that_read_no_record(make: Make, feed: Path) -> None:
    """A changed title makes a version without records; its index segment has no rows."""
    make()
    assert make(recipe={"title": "Another title"}).version == "1.0.1"
    write_lines(feed / "b.jsonl", [{"text": sentence(900)}, {"text": sentence(3)}])
    result = make(recipe={"title": "Another title"})
    assert (result.version, result.outcomes["kept"], result.outcomes["merged"]) == ("1.1.0", 1, 1)
