"""``build --compact``: re-shard the newest version.

Additions and takedowns leave small shards.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from builder.corpus import Corpus
from builder.corpus.names import SPOOL
from builder.domain.progress import Progress, ignore_progress
from builder.history.past import Past
from builder.history.rebuild import open_lineage
from builder.pipeline.disk import disk_faults
from builder.pipeline.preload import number_of_workers
from builder.recipe import Recipe
from builder.release.draft import commit_draft
from builder.release.edits import Edits
from builder.release.from_build import finished, unchanged
from builder.release.from_parent import VersionFromParent
from builder.release.recut import plan_recut

if TYPE_CHECKING:
    from builder.release.layout import ShardPlan
    from builder.release.result import BuildResult


def compact(
    recipe: Recipe | str | Path,
    *,
    version: str | None = None,
    workers: int | None = None,
    advance: Progress = ignore_progress,
) -> BuildResult:
    """Re-shard the newest version, with the shard sizes of a first version. No input is read.

    Args:
        version: version number to use. It must not be lower than the computed number.
        workers: number of worker processes; default: one for each core. The result does not depend on it.

    Raises:
        CorpusError: if the corpus does not exist, or the disk is full or not writable.
        LockedError: if another builder process works on this corpus.
    """
    if not isinstance(recipe, Recipe):  # its stages do not run, so none of its code is imported
        recipe = Recipe.load(recipe, allow_code=True)
    with disk_faults(recipe.corpus):
        corpus = Corpus(recipe.corpus)
    with (
        disk_faults(recipe.corpus),
        corpus.lock(),
        tempfile.TemporaryDirectory(dir=corpus.path / SPOOL, prefix="compact-") as name,
    ):
        lineage = open_lineage(corpus, corpus.newest(), folder=Path(name))
        plan = plan_recut(lineage)
        if [len(split.shards) for split in lineage.manifest.splits.values()] == _counts_of(plan):
            return unchanged(corpus, recipe)
        past = Past(lineage, recipe.columns.text)
        from_parent = VersionFromParent(past=past, edits=Edits(), plan=plan, folder=Path(name))
        draft = from_parent.draft(tombstones=None, workers=number_of_workers(workers), advance=advance)
        return finished(corpus, recipe, commit_draft(corpus, draft, asked=version))


def _counts_of(plan: ShardPlan) -> list[int]:
    return list(Counter(shard.split for shard in plan.shards).values())
