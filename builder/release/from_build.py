"""Make a version from the result of a build, and report it."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
import tempfile
from functools import partial
from importlib.metadata import version as library_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder._version import __version__
from builder.comparison.compare import compare
from builder.comparison.sides import Side, SideShard
from builder.corpus.names import STOPPED
from builder.domain.contract.nulled import nulled_cells
from builder.domain.ledger import OUTCOMES
from builder.domain.version import Changes, SplitChanges, compare_columns
from builder.history.ledger_counts import counts_by_source, nested_reasons
from builder.history.ledgers import ledgers_of
from builder.inputs.inputs import Input, inputs_digest
from builder.pipeline.chain import tagging_stages
from builder.release.card_facts import card_source
from builder.release.draft import Draft, commit_draft, split_entries
from builder.release.edits import count_edits, count_removed
from builder.release.lineage_counts import OF_LINEAGE, lineage_counts
from builder.release.result import BuildResult, SplitSize
from builder.release.side_files import COUNTED, side_file_text
from builder.release.write_index import write_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.corpus import Corpus
    from builder.domain.changelog import Reason
    from builder.domain.manifest import Manifest, SplitEntry
    from builder.history.lineage import Lineage
    from builder.pipeline.context import BuildContext
    from builder.recipe import Recipe
    from builder.recipe.identity import StageFile
    from builder.release.finish import Closed

TOOLS = (
    "pyarrow",
    "numpy",
    "numba",
    "orjson",
    "jsonschema-rs",
    "resiliparse",
    "trafilatura",
    "ftfy",
)
"""Libraries whose versions may affect the bytes or the rows of a version."""

NO_TOMBSTONES = {"count": 0, "digest": hashlib.sha256().hexdigest()}


def write_version(
    corpus: Corpus, *, context: BuildContext, closed: Closed, inputs: Sequence[Input], version: str | None
) -> BuildResult:
    """Commit a build as a new version.

    If the parent has the same rows, from the same recipe and inputs, nothing is written.

    Raises:
        VersionError: if ``version`` is lower than the number that the changes require.
    """
    lineage = context.past.lineage if context.past else None
    splits = split_entries(closed.shards, limits=closed.limits, lineage=lineage)
    facts = _manifest_facts(context, closed, inputs, splits)
    parent = corpus.manifest(newest) if (newest := corpus.find_newest()) else None
    if parent and _same(parent, facts):
        return _result(corpus, context.recipe, parent, closed=closed, nothing_new=True)
    changes, removed = _changes(corpus, parent, context, closed)
    draft = Draft(
        facts=facts,
        changes=changes,
        removed=removed,
        shards=closed.shards,
        inputs=inputs,
        source=card_source(context.recipe),
        clusters=closed.clusters,
        audit={path.name: path for path in closed.audit},
        run=_run_facts(context, closed),
        write_index=partial(write_index, context=context, closed=closed),
        measured=side_file_text(context),
        spent=[context.folder, *([lineage.folders[-1].parent] if lineage and lineage.borrowed else [])],
    )
    manifest = commit_draft(corpus, draft, asked=version)
    return _result(corpus, context.recipe, manifest, closed=closed)


# -- the manifest ----------------------------------------------------------------------------------


def _manifest_facts(
    context: BuildContext, closed: Closed, inputs: Sequence[Input], splits: Mapping[str, SplitEntry]
) -> dict[str, Any]:
    recipe = context.recipe
    return {
        "name": recipe.name,
        "contract": {"name": recipe.contract.label, "digest": recipe.contract.digest},
        "recipe": recipe.manifest_facts(
            identity=context.identity,
            limit=context.limit,
            url_rules=context.chain.resources.url_rules,
            input_rules=context.input_rules,
            libraries=context.libraries,
        ),
        "inputs": inputs_facts(inputs, files=context.identity.files),
        "tombstones": context.tombstones.facts() if context.tombstones else NO_TOMBSTONES,
        "columns": context.chain.published,
        "counts": _counts(closed, context.past.lineage if context.past else None),
        "tools": tool_versions() | context.identity.packages(),
        "splits": splits,
    }


def _counts(closed: Closed, lineage: Lineage | None) -> dict[str, Any]:
    sums = closed.sums
    counts = {
        "records": sums.n_records - closed.n_restated,
        "reasons": nested_reasons(sums.rows),
        "sources": counts_by_source(sums.rows - sums.restated),
        **{name: sums.outcomes[name] for name in OUTCOMES},
        **(lineage_counts(lineage, rows=sums.rows, replaced=closed.replaced) if lineage else {}),
    }
    extra = {"restated": closed.n_restated, "known": closed.n_known}
    nulled = {"nulled": dict(sorted(nulled_cells(closed.counts).items()))}
    return counts | {name: n for name, n in (extra | nulled).items() if n}


def inputs_facts(inputs: Sequence[Input], *, files: Sequence[StageFile]) -> dict[str, Any]:
    """Return the manifest's entry of the inputs and of the files that stages read."""
    return {
        "count": len(inputs),
        "bytes": sum(one.n_bytes for one in inputs),
        "digest": inputs_digest(inputs),
        "files": [dataclasses.asdict(file) for file in files],
    }


def tool_versions() -> dict[str, str]:
    """Return the versions of Python, builder and the libraries in ``TOOLS``."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"builder": __version__, "python": python, **{name: library_version(name) for name in TOOLS}}


def _same(parent: Manifest, facts: Mapping[str, Any]) -> bool:
    """Return whether a new version would have the same facts as its parent."""
    counts, old = (
        {name: n for name, n in one.items() if name not in ("changes", OF_LINEAGE, COUNTED)}
        for one in (facts["counts"], parent.counts)
    )
    return (
        parent.splits == facts["splits"]
        and counts == old
        and all(getattr(parent, name) == facts[name] for name in ("contract", "recipe", "inputs", "columns"))
    )


def _changes(
    corpus: Corpus, parent: Manifest | None, context: BuildContext, closed: Closed
) -> tuple[Changes, Mapping[Reason | None, int]]:
    """Return the changes since the parent, and the number of removed rows by their reason in the ledger."""
    if parent is None:
        return Changes(), {}
    broken, added = compare_columns(parent.columns, context.chain.published)
    splits, removed = _split_changes(corpus, parent, context, closed)
    changes = Changes(
        splits=splits,
        broken_columns=broken,
        added_columns=added,
        licenses=(parent.recipe["document"].get("license"), context.recipe.license),
    )
    return changes, removed


def _split_changes(
    corpus: Corpus, parent: Manifest, context: BuildContext, closed: Closed
) -> tuple[Mapping[str, SplitChanges], Mapping[Reason | None, int]]:
    """Count changed rows. A build on its parent knows its own edits; a full rebuild compares all rows."""
    if context.past is not None:
        counted = count_edits(context.past.lineage, closed.edits, added=closed.added)
        return counted, count_removed(closed.edits)
    written = [shard.written for shard in closed.shards if shard.written]
    shards = [
        SideShard(split=one.split, path=Path(one.path), sha256=one.facts.sha256, rows=one.facts.rows)
        for one in written
    ]
    old, new = Side.of_version(corpus, parent), Side(columns=context.chain.published, shards=shards)
    with tempfile.TemporaryDirectory(dir=context.folder) as scratch:
        older, _ = ledgers_of(corpus, parent)
        found = compare(old, new, scratch=Path(scratch), ledgers=[closed.ledger], older_ledgers=older)
    return found.splits, found.removed


def _run_facts(context: BuildContext, closed: Closed) -> dict[str, Any]:
    """Return the facts of this run only: options, counts, times, and the units that were refused."""
    return machine_facts() | {
        **context.engine.facts(),
        "batch_rows": context.batch_rows,
        "counts": dict(sorted(closed.counts.items())),
        "took": context.timer.took(context.engine, context.folder) if context.timer else None,
        "not_reproducible": [dict(one) for one in closed.chain_result.refused],
    }


def machine_facts() -> dict[str, Any]:
    """Return the operating system and the kind of processor."""
    import platform

    return {"machine": {"system": platform.system(), "machine": platform.machine()}}


# -- the result ------------------------------------------------------------------------------------


def unchanged(corpus: Corpus, recipe: Recipe) -> BuildResult:
    """Return the result of a build that found nothing new."""
    manifest = corpus.manifest(corpus.newest())
    return _result(corpus, recipe, manifest, nothing_new=True)


def finished(corpus: Corpus, recipe: Recipe, manifest: Manifest) -> BuildResult:
    """Return the result of a version that was written without reading an input."""
    return _result(corpus, recipe, manifest)


def stopped(corpus: Corpus, recipe: Recipe, closed: Closed, *, ledger: Path, reason: str) -> BuildResult:
    """Return the result of a build that writes no version.

    Args:
        reason: why it stopped.
    """
    return BuildResult(
        name=recipe.name,
        corpus=corpus.path,
        version=STOPPED,
        reason=reason,
        digest="",
        ledger=ledger,
        **_counted(closed, recipe),
    )


def _counted(closed: Closed, recipe: Recipe) -> dict[str, Any]:
    """Return what a build counted."""
    return {
        "outcomes": {name: closed.sums.outcomes[name] for name in OUTCOMES},
        "reasons": sorted(closed.sums.reasons.items(), key=lambda item: (-item[1], item[0])),
        "counts": dict(sorted(closed.counts.items())),
        "tagged": {name: closed.counts[f"{name}.merged"] for name in tagging_stages(recipe)},
        "n_restated": closed.n_restated,
        "n_known": closed.n_known,
        "new_pages_only": closed.new_pages_only,
        "contract_faults": closed.losses.faults,
        "unreadable": closed.losses.unreadable,
        "sources": list(dict.fromkeys(source.kind for source in recipe.sources)),
        "stages": [stage.name for stage in recipe.stages],
        "messages": closed.losses.messages,
    }


def _result(
    corpus: Corpus,
    recipe: Recipe,
    manifest: Manifest,
    *,
    closed: Closed | None = None,
    nothing_new: bool = False,
) -> BuildResult:
    splits = [
        SplitSize(name=name, rows=split.rows, shards=len(split.shards), bytes=split.bytes)
        for name, split in manifest.splits.items()
    ]
    counted = _counted(closed, recipe) if closed else {"outcomes": dict.fromkeys(OUTCOMES, 0)}
    return BuildResult(
        name=manifest.name,
        corpus=corpus.path,
        version=manifest.version,
        reason=manifest.reason,
        digest=manifest.digest,
        ledger=corpus.ledger_file(manifest.version),
        nothing_new=nothing_new,
        splits=splits,
        empty_splits=[name for name in recipe.splits if name not in manifest.splits],
        **counted,
    )
