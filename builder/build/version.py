"""A closed build becomes a version: number, manifest, card, and the rename into its place."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import sys
from collections import Counter
from importlib.metadata import version as library_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from builder import __version__
from builder.build.compare import compare_rows
from builder.build.describe import card_facts, version_facts
from builder.build.edits import count_edits
from builder.build.index import sum_content
from builder.build.inputs import Input, inputs_digest, write_inputs
from builder.build.remember import write_index
from builder.build.result import BuildResult, SplitSize
from builder.card.card import render_card, render_root_card
from builder.card.croissant import croissant
from builder.domain.digests import OrderDigest
from builder.domain.manifest import Manifest, ShardEntry, SplitEntry
from builder.domain.url import URL_RULES
from builder.domain.version import Changes, SplitChanges, Version, compare_columns, decide_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from builder.build.closing import Closed
    from builder.build.edition import EditionShard
    from builder.build.work import Work
    from builder.corpus import Corpus
    from builder.recipe import Recipe

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
"""Libraries on whose versions bytes or rows may depend."""


NO_TOMBSTONES = {"count": 0, "digest": hashlib.sha256().hexdigest()}


def write_version(
    corpus: Corpus, *, work: Work, closed: Closed, inputs: Sequence[Input], version: str | None
) -> BuildResult:
    """Number the build, describe it, and put it into its place.

    Nothing is written if the parent has the same rows, made by the same recipe from the same inputs.

    Raises:
        VersionError: if ``version`` is lower than the number that the changes ask for.
    """
    splits = _split_entries(work, closed)
    facts = _manifest_facts(work, closed, inputs, splits)
    parent = corpus.manifest(newest) if (newest := corpus.find_newest()) else None
    if parent and _same(parent, facts):
        return _result(corpus, work.recipe, parent, closed=closed, nothing_new=True)
    changes = _changes(corpus, parent, work, closed)
    asked = Version.parse(version) if version else None
    decision = decide_version(
        Version.parse(parent.version) if parent else None,
        changes,
        asked=asked,
        used=map(Version.parse, corpus.versions()),
    )
    manifest = Manifest(
        version=str(decision.version),
        parent={"version": parent.version, "digest": parent.digest} if parent else None,
        reason=decision.reason,
        files=(),
        **facts,
    )
    manifest = _stage_and_commit(corpus, manifest, work=work, closed=closed, inputs=inputs)
    return _result(corpus, work.recipe, manifest, closed=closed)


# -- the manifest ----------------------------------------------------------------------------------


def _split_entries(work: Work, closed: Closed) -> dict[str, SplitEntry]:
    entries: dict[str, SplitEntry] = {}
    for split in dict.fromkeys(shard.split for shard in closed.shards):
        shards = [shard for shard in closed.shards if shard.split == split]
        order = OrderDigest()
        for shard in shards:
            order.update(_row_digests(work, shard))
        entries[split] = SplitEntry(
            rows=sum(shard.facts.rows for shard in shards),
            bytes=sum(shard.bytes for shard in shards),
            raw_bytes=sum(shard.facts.raw_bytes for shard in shards),
            content_digest=sum_content(shard.facts for shard in shards).hexdigest(),
            order_digest=order.hexdigest(),
            cut=closed.limits[split],
            shards=tuple(
                ShardEntry(path=s.name, sha256=s.facts.sha256, bytes=s.bytes, rows=s.facts.rows)
                for s in shards
            ),
        )
    return entries


def _row_digests(work: Work, shard: EditionShard) -> NDArray[np.uint8]:
    if shard.written or work.past is None:
        digests: NDArray[np.uint8] = np.load(shard.written.digests if shard.written else "", mmap_mode="r")
        return digests
    return work.past.lineage.digests(shard.facts.sha256)


def _manifest_facts(
    work: Work, closed: Closed, inputs: Sequence[Input], splits: Mapping[str, SplitEntry]
) -> dict[str, Any]:
    recipe = work.recipe
    return {
        "name": recipe.name,
        "contract": {"name": recipe.contract.label, "digest": recipe.contract.digest},
        "recipe": recipe_facts(recipe, limit=work.limit),
        "inputs": {
            "count": len(inputs),
            "bytes": sum(one.n_bytes for one in inputs),
            "digest": inputs_digest(inputs),
            "files": [],
        },
        "tombstones": work.graves.facts() if work.graves else NO_TOMBSTONES,
        "columns": work.chain.published,
        "counts": _counts(closed),
        "tools": tool_versions(),
        "splits": splits,
    }


def _counts(closed: Closed) -> dict[str, Any]:
    reasons: dict[str, dict[str, dict[str, int]]] = {}
    for (outcome, stage, reason), n in sorted(closed.sums.reasons.items()):
        reasons.setdefault(outcome, {}).setdefault(stage, {})[reason] = n
    outcomes = {name: closed.sums.outcomes[name] for name in ("kept", "rejected", "merged", "failed")}
    counts = {"records": closed.sums.n_records - closed.n_restated, **outcomes, "reasons": reasons}
    extra = {"restated": closed.n_restated, "known": closed.n_known}
    return counts | {name: n for name, n in extra.items() if n}


def recipe_facts(recipe: Recipe, *, limit: int | None) -> dict[str, Any]:
    """Return what the manifest tells of the recipe."""
    facts = {
        "digest": recipe.chain_digest(),
        "sources": recipe.source_digests(),
        "document": recipe.public_document(),
        "url_rules": URL_RULES,
    }
    if recipe.card:
        facts["notes"] = hashlib.sha256(recipe.card.read_bytes()).hexdigest()
    return facts | ({"limit": limit} if limit else {})


def tool_versions() -> dict[str, str]:
    """Return the versions of what bytes or rows may depend on."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"builder": __version__, "python": python, **{name: library_version(name) for name in TOOLS}}


def _same(parent: Manifest, facts: Mapping[str, Any]) -> bool:
    """Tell whether a new version would say nothing that its parent does not say."""
    return parent.splits == facts["splits"] and all(
        getattr(parent, name) == facts[name] for name in ("contract", "recipe", "inputs", "columns", "counts")
    )


def _changes(corpus: Corpus, parent: Manifest | None, work: Work, closed: Closed) -> Changes:
    if parent is None:
        return Changes()
    broken, added = compare_columns(parent.columns, work.chain.published)
    return Changes(
        splits=_split_changes(corpus, parent, work, closed),
        broken_columns=broken,
        added_columns=added,
        licenses=(parent.recipe["document"].get("license"), work.recipe.license),
    )


def _split_changes(
    corpus: Corpus, parent: Manifest, work: Work, closed: Closed
) -> Mapping[str, SplitChanges]:
    """Count what became of rows: a build that goes on from its parent knows what it did to them."""
    if work.past is None:
        return compare_rows(corpus.data_files(parent.version), _paths(closed))
    return count_edits(work.past.lineage, closed.edits, added=closed.added)


def _paths(closed: Closed) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for shard in closed.shards:
        if shard.written:
            paths.setdefault(shard.split, []).append(shard.written.path)
    return paths


# -- the folder ------------------------------------------------------------------------------------


def _stage_and_commit(
    corpus: Corpus, manifest: Manifest, *, work: Work, closed: Closed, inputs: Sequence[Input]
) -> Manifest:
    staging = corpus.begin(manifest.version)
    for shard in closed.shards:
        if shard.written:
            staging.add_shard(Path(shard.written.path), name=shard.name, sha256=shard.facts.sha256)
        else:
            staging.reuse_shard(shard.facts.sha256, name=shard.name)
    facts = card_facts(manifest, work=work, closed=closed, history=_history(corpus))
    texts = {
        "README.md": render_card(facts),
        "croissant.json": json.dumps(croissant(facts), indent=2, ensure_ascii=False) + "\n",
    }
    for name, text in texts.items():
        (staging.folder / name).write_text(text, encoding="utf-8")
    write_inputs(staging.folder / "inputs.parquet", inputs)
    manifest = dataclasses.replace(manifest, files=staging.file_entries())
    for table in (closed.ledger, closed.rejected, closed.clusters_file):
        shutil.move(table, staging.audit / table.name)
    write_index(staging.index, version=manifest.version, work=work, closed=closed)
    (staging.audit / "run.json").write_bytes(_run_json(work, closed))
    older = [version_facts(corpus.manifest(v)) for v in corpus.versions()]
    root = render_root_card(manifest.name, [*older, version_facts(manifest)], title=work.recipe.title)
    corpus.commit(staging, manifest, root)
    return manifest


def _history(corpus: Corpus) -> list[Manifest]:
    return [corpus.manifest(version) for version in corpus.versions()]


def _run_json(work: Work, closed: Closed) -> bytes:
    """What is true of this run and of no other: counts of the machine, and what only the clock caught."""
    import platform

    caught = [list(one) for one in getattr(work.engine, "caught", ())]
    facts = {
        "machine": {"system": platform.system(), "machine": platform.machine()},
        "workers": work.engine.workers,
        "batch_rows": work.batch_rows,
        "counts": dict(sorted(closed.counts.items())),
        "not_reproducible": caught,
    }
    return json.dumps(facts, indent=2).encode() + b"\n"


def unchanged(corpus: Corpus, recipe: Recipe) -> BuildResult:
    """Say that the newest version is what a build would make."""
    manifest = corpus.manifest(corpus.newest())
    return _result(corpus, recipe, manifest, nothing_new=True)


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
    outcomes = closed.sums.outcomes if closed else Counter[str]()
    reasons = sorted(closed.sums.reasons.items(), key=lambda item: (-item[1], item[0])) if closed else []
    return BuildResult(
        name=manifest.name,
        corpus=corpus.path,
        version=manifest.version,
        reason=manifest.reason,
        digest=manifest.digest,
        ledger=corpus.ledger(manifest.version),
        nothing_new=nothing_new,
        outcomes={k: outcomes[k] for k in ("kept", "rejected", "merged", "failed")},
        reasons=reasons,
        counts=dict(sorted(closed.counts.items())) if closed else {},
        splits=splits,
        empty_splits=[name for name in recipe.splits if name not in manifest.splits],
        n_restated=closed.n_restated if closed else 0,
        n_known=closed.n_known if closed else 0,
    )
