"""Trials: `limit` and `dry_run` report what a build would do, and leave nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import builder, write_recipe
from planted import sentence, write_lines

from builder import BuildResult, Corpus, takedown, verify
from builder.errors import CorpusError, NothingKeptError, TooManyRejectedError, VersionError

Make = Callable[..., BuildResult]


def page(number: int, **more: Any) -> dict[str, Any]:
    return {"url": f"https://a.example/{number}", "text": sentence(number), **more}


def files_below(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file, by its path; folders have an empty one. The lock is left out."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
        if path.name != "lock"
    }


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    write_lines(tmp_path / "feed/a.jsonl", [page(i) for i in range(8)] + [{"text": 1}])
    return tmp_path


@pytest.mark.sampled(2)
@pytest.mark.parametrize("trial", [{"dry_run": True}, {"limit": 3}, {"limit": 3, "dry_run": True}])
@pytest.mark.parametrize("exists", [False, True])
def test_a_trial_leaves_nothing(trial: dict[str, Any], exists: bool, make: Make, feed: Path) -> None:
    """Neither a version nor a folder: the corpus and its surroundings have the same files as before."""
    if exists:
        make()
        write_lines(feed / "feed/b.jsonl", [page(20), page(21)])
    before = files_below(feed)
    result = make(**trial)
    assert (result.trial, result.corpus) == (True, feed / "corpus")
    assert files_below(feed) == before
    if exists:
        assert verify(feed / "corpus").clean


def test_a_dry_run_states_the_version_that_the_build_then_writes(make: Make, feed: Path) -> None:
    """Number, reason, digest and outcomes are the same, for a first version and for an addition."""
    for name, pages in (("a", []), ("b", [page(20), page(3), {"text": 2}])):
        if pages:
            write_lines(feed / f"feed/{name}.jsonl", pages)
        tried, built = make(dry_run=True), make()
        for fact in ("version", "reason", "digest", "outcomes", "reasons", "splits"):
            assert getattr(tried, fact) == getattr(built, fact)
    assert make(dry_run=True).nothing_new


def test_a_limit_tries_the_first_records_as_a_first_version(make: Make, feed: Path) -> None:
    """It also reads inputs that the corpus has already, so a changed recipe can be tried."""
    make()
    result = make(limit=3)
    assert (result.outcomes["kept"], result.version, result.nothing_new) == (3, "", False)


def test_a_trial_keeps_out_what_was_taken_down(make: Make, feed: Path) -> None:
    """Tombstones of the corpus apply, as they do in a build."""
    make()
    takedown(feed / "corpus", urls=["https://a.example/1"], because="a test")
    result = make(limit=3)
    assert [key for key, _ in result.reasons] == [("rejected", "takedown", "tombstone")]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_rejected": 0.0}, TooManyRejectedError),
        ({"version": "0.0.1"}, VersionError),
        ({"path": "none/*.jsonl"}, NothingKeptError),
    ],
)
def test_a_trial_fails_as_the_build_would(
    options: dict[str, Any], error: type[Exception], make: Make, feed: Path
) -> None:
    """The message names the corpus of the recipe, and no file that is removed."""
    write_lines(feed / "none/a.jsonl", [{"text": 1}])
    with pytest.raises(error) as caught:
        make(dry_run=True, **options)
    assert "trial-" not in str(caught.value)
    assert not (feed / "corpus").exists()


def test_a_trial_refuses_a_folder_with_other_files(make: Make, feed: Path) -> None:
    """The build would refuse it after hours, or after the first look."""
    (feed / "corpus").mkdir()
    (feed / "corpus" / "thesis.txt").write_text("years of work")
    with pytest.raises(CorpusError, match=r"contains 'thesis\.txt'"):
        make(dry_run=True)


def test_a_takedown_that_is_only_tried_lists_and_writes_nothing(make: Make, feed: Path) -> None:
    """Documents, merged pages and unknown pages are those of the takedown."""
    write_lines(feed / "feed/c.jsonl", [{**page(2), "url": "https://mirror.example/2"}])
    make()
    before = files_below(feed)
    given: dict[str, Any] = {
        "urls": ["https://a.example/1", "https://mirror.example/2", "https://nowhere.example/"],
        "because": "a test",
    }
    tried = takedown(feed / "corpus", **given, dry_run=True, purge=True)
    assert files_below(feed) == before
    assert (tried.dry_run, tried.version, tried.purged) == (True, "1.0.0", None)
    done = takedown(feed / "corpus", **given)
    assert (tried.documents, tried.merged, tried.unknown) == (done.documents, done.merged, done.unknown)
    assert Corpus(feed / "corpus").versions() == ["1.0.0", "2.0.0"]


def test_the_command_says_that_no_version_was_written(feed: Path) -> None:
    """People read it in the first line, scripts in `trial`."""
    recipe = write_recipe(feed, [{"jsonl": {"path": "feed/*.jsonl"}}], stages=["validate"])
    done = builder("build", recipe, "--dry-run", "--workers", "1")
    first, second = done.stdout.splitlines()[:2]
    assert first == "acceptance: a trial, no version was written"
    assert second == "a build would write 1.0.0  first version"
    found = json.loads(builder("build", recipe, "--limit", "2", "--workers", "1", "--json").stdout)
    facts = ("trial", "version", "digest", "ledger")
    assert [found[name] for name in facts] == [True, None, None, None]


def test_a_number_that_is_not_used_is_reported(feed: Path) -> None:
    """With `--version` and nothing new, the corpus does not get the number that was asked for."""
    recipe = write_recipe(feed, [{"jsonl": {"path": "feed/*.jsonl"}}], stages=["validate"])
    assert builder("build", recipe, "--workers", "1").returncode == 0
    done = builder("build", recipe, "--workers", "1", "--version", "3.0.0")
    assert (done.returncode, done.stdout[:12]) == (0, "nothing new:")
    assert "--version 3.0.0 has no effect: nothing is new, so no version is written" in done.stderr
