"""Bytes sent to the Hub for each kind of change, by LFS and by Xet (table: ``benchmarks.publishing``)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hub.looks import REPO, digest_at
from hub.process import StandIn
from wire_changes import Sent, make_changes, n_appended, publish_changes

from builder import Corpus

N_PAGES = 16_000
APPENDED_SHARE = n_appended(N_PAGES) / (N_PAGES + n_appended(N_PAGES))
SLACK = 40_000
"""Bytes for inputs.parquet, which is rewritten, and for the lists of Xet."""

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A corpus with one version for each kind of change."""
    return make_changes(tmp_path_factory.mktemp("wire"), N_PAGES)


def most_bytes(sent: Sent, *, xet: bool) -> float:
    """Return the maximum bytes of a change: by Xet its share of the data, by LFS the changed shards."""
    by_lfs = {"takedown": 2 * sent.largest, "rename": 0, "encode": sent.size}
    by_xet = {"takedown": 0.03 * sent.size, "rename": 0, "encode": 1.1 * sent.size}
    if sent.change == "append":
        return 1.5 * APPENDED_SHARE * sent.size
    return (by_xet if xet else by_lfs).get(sent.change, 1.1 * sent.size)


def test_a_change_sends_only_the_changed_data(
    any_hub: StandIn, changes: Corpus, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All requests other than large files are small."""
    table = []
    for sent in publish_changes(any_hub, changes, REPO, home):
        table.append(
            f"{sent.change:10} {sent.large:>12,} {sent.large / sent.size:>8.2%} {sent.n_shards} shards"
        )
        assert digest_at(any_hub, "main") == sent.version
        assert sent.large <= most_bytes(sent, xet=any_hub.xet) + SLACK, table
        assert sent.small <= 3 * SLACK
    with capsys.disabled():
        sys.stdout.write("\n".join(["", "xet" if any_hub.xet else "lfs", *table, ""]))
