"""The changelog of the data: the manifest of a version has its changes, and every later card lists them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from planted import pages, sentence, write_lines

from builder import BuildResult, diff


def changes_of(result: BuildResult) -> dict[str, Any] | None:
    manifest = json.loads((result.corpus / result.version / "manifest.json").read_bytes())
    found: dict[str, Any] | None = manifest["counts"].get("changes")
    return found


def listed(result: BuildResult) -> str:
    """Return the list of versions in a card."""
    card = (result.corpus / result.version / "README.md").read_text()
    found = re.search(r"builder:begin changes -->\n(.*)<!-- builder:end changes", card, re.DOTALL)
    assert found
    return found[1]


def test_each_card_lists_the_changes_of_all_versions(
    make: Callable[..., BuildResult], tmp_path: Path
) -> None:
    """Counts by split follow the reason, and a later card also has those of older versions."""
    write_lines(tmp_path / "feed/a.jsonl", pages(40))
    first = make()
    write_lines(tmp_path / "feed/b.jsonl", [{"text": f"More, number {i}: {i * 7919}."} for i in range(9)])
    second = make()
    write_lines(tmp_path / "feed/c.jsonl", [{"text": "The last page of all."}])
    third = make()
    assert [one.version for one in (first, second, third)] == ["1.0.0", "1.1.0", "1.2.0"]
    assert changes_of(first) is None
    found = diff(first.corpus, "1.0.0", "1.1.0")
    changes = changes_of(second)
    assert changes
    assert {name: one["added"] for name, one in changes["splits"].items()} == {
        name: split.added for name, split in found.changes.splits.items() if split.added
    }
    lines = [f"  - {name}: {one['added']} added\n" for name, one in changes["splits"].items()]
    assert lines
    for card in (listed(second), listed(third)):
        assert all(line in card for line in lines)
        assert "- **1.0.0**: first version\n" in card


def test_a_manifest_with_changes_does_not_cause_a_new_version(
    make: Callable[..., BuildResult], tmp_path: Path
) -> None:
    """The changes in a manifest are not compared: the same build again writes nothing."""
    write_lines(tmp_path / "feed/a.jsonl", pages(20))
    make()
    write_lines(tmp_path / "feed/b.jsonl", [{"text": "One more page."}])
    assert not make().nothing_new
    assert make().nothing_new


def test_rows_removed_by_a_full_rebuild_have_a_reason(
    make: Callable[..., BuildResult], tmp_path: Path
) -> None:
    """Another threshold causes a full rebuild; a removed row has the new outcome of its record."""
    longer = sentence(1) + " and some more words that make it less alike than before"
    rows = [{"text": sentence(i)} for i in range(9)] + [{"text": longer}, {"text": sentence(50, 3)}]
    write_lines(tmp_path / "feed/a.jsonl", rows)
    make(stages=[{"dedup_near": {"threshold": 0.95}}])
    second = make(stages=[{"dedup_near": {"threshold": 0.6}}])
    found = diff(second.corpus, "1.0.0", second.version)
    assert [(one.why, one.stage, one.rows) for one in found.removals] == [("duplicate", "dedup_near", 1)]
    assert "  - removed: 1 now a duplicate\n" in listed(second)
