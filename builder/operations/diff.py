"""``diff``: compare two versions row by row."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builder.comparison.compare import compare
from builder.comparison.row_changes import walk_rows
from builder.comparison.sides import Side
from builder.corpus import Corpus
from builder.domain.changelog import why_removed
from builder.domain.progress import ignore_progress
from builder.domain.version import Changes, Version, compare_columns, decide_version
from builder.history.ledgers import ledgers_of
from builder.pipeline.disk import reports_disk_faults
from builder.progress.shown import shows_progress
from builder.protocols import Columns
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from builder.comparison.compare import Comparison
    from builder.comparison.row_changes import RowChange
    from builder.domain.changelog import Reason, Why
    from builder.domain.manifest import Manifest
    from builder.domain.progress import Progress

EXAMPLES = 10
"""Number of rows of each kind that a diff lists by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalCount:
    """The number of rows removed for one reason. Stage and reason are those of the ledger."""

    why: Why
    stage: str | None
    reason: str | None
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Diff(Summarised):
    """The differences between two versions.

    Attributes:
        level: the level of the version number that the change requires, as if the new version followed the
            old one.
        reason: the level and the facts that it follows from, as in a manifest.
        sizes: rows of each split before and after.
        changed_columns: number of rows whose values differ, by column. Moved rows count too.
        rows: the first ``EXAMPLES`` rows of each kind of change.
        n_shared: number of shards that both versions have. They are not read.
        n_read: number of shards that were read, of both versions together.
    """

    corpus: Path
    old: str
    new: str
    level: str
    reason: str
    changes: Changes
    sizes: Mapping[str, tuple[int, int]]
    removals: Sequence[RemovalCount]
    changed_columns: Mapping[str, int]
    rows: Sequence[RowChange]
    n_shared: int
    n_read: int

    def _summary(self) -> dict[str, object]:
        return {
            "corpus": str(self.corpus),
            "old": self.old,
            "new": self.new,
            "reason": self.reason,
        }

    def _rows(self) -> Iterator[dict[str, object]]:
        for row in self.rows:
            yield {"kind": row.kind, "id": row.id, "url": row.url}


@shows_progress()
@reports_disk_faults
def diff(
    folder: str | Path,
    old: str,
    new: str,
    *,
    on_row: Callable[[RowChange], None] | None = None,
    progress: bool = True,  # noqa: ARG001 - the decorator reads it
    advance: Progress = ignore_progress,
) -> Diff:
    """Compare two versions of a corpus; either may be the older one.

    Memory does not grow with the size of the versions. Shards that both versions have are not read. Up to 90
    bytes for each row of the other shards, and the changed rows of the old version, go to a temporary folder.

    Args:
        on_row: called with each changed row: first the removed rows, in the order of the old version; then
            the added, moved, changed and reordered rows, in the order of the new version.
        progress: show progress in a terminal and in a notebook.
        advance: receives the progress in place of the display.

    Raises:
        CorpusError: if the corpus or one of the versions does not exist, or the rows of one were dropped.

    >>> diff("my-corpus/corpus", "1.0.0", "1.0.0").level
    'PATCH'
    """
    corpus = Corpus(folder)
    manifests = corpus.manifest(old), corpus.manifest(new)
    sides = [Side.of_version(corpus, manifest) for manifest in manifests]
    listed: list[RowChange] = []
    with tempfile.TemporaryDirectory(prefix="builder-diff-") as place:
        scratch = Path(place)
        older, ledgers = ledgers_of(corpus, *manifests)
        found = compare(*sides, scratch=scratch, ledgers=ledgers, older_ledgers=older, advance=advance)
        examples = _Examples(listed, on_row)
        columns = walk_rows(
            found,
            scratch=scratch,
            url_columns=(Columns.of_manifest(manifests[0]).url, Columns.of_manifest(manifests[1]).url),
            limit=None if on_row else EXAMPLES,
            report=examples,
        )
    changes = changes_between(*manifests, found)
    decision = decide_version(Version.parse(old), changes)
    return Diff(
        corpus=corpus.path,
        old=old,
        new=new,
        level=decision.level.name,
        reason=decision.reason,
        changes=changes,
        sizes={name: tuple(_rows(m, name) for m in manifests) for name in found.splits},  # type: ignore[misc]
        removals=removals(found),
        changed_columns={name: columns[name] for name in found.columns if columns[name]},
        rows=listed,
        n_shared=found.n_shared,
        n_read=found.n_read,
    )


def changes_between(old: Manifest, new: Manifest, found: Comparison) -> Changes:
    """Collect the facts from which a version number is computed."""
    broken, added = compare_columns(old.columns, new.columns)
    licenses = old.recipe["document"].get("license"), new.recipe["document"].get("license")
    return Changes(splits=found.splits, broken_columns=broken, added_columns=added, licenses=licenses)


def removals(found: Comparison) -> list[RemovalCount]:
    """Count removed rows by their reason in the ledgers, most rows first."""
    counted = [_removal(because, n_rows) for because, n_rows in found.removed.items()]
    return sorted(counted, key=lambda one: (-one.rows, one.why, one.stage or "", one.reason or ""))


def _removal(because: Reason | None, n_rows: int) -> RemovalCount:
    _, stage, reason = because or (None, None, None)
    return RemovalCount(why=why_removed(because), stage=stage, reason=reason, rows=n_rows)


class _Examples:
    """Keep the first rows of each kind, and pass every row to ``on_row``."""

    def __init__(self, listed: list[RowChange], on_row: Callable[[RowChange], None] | None) -> None:
        self._listed = listed
        self._on_row = on_row
        self._counts: Counter[str] = Counter()

    def __call__(self, row: RowChange) -> None:
        if self._counts[row.kind] < EXAMPLES:
            self._counts[row.kind] += 1
            self._listed.append(row)
        if self._on_row:
            self._on_row(row)


def _rows(manifest: Manifest, split: str) -> int:
    return manifest.splits[split].rows if split in manifest.splits else 0
