"""A closed build becomes a version: number, manifest, card, and the rename into its place."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import sys
import tempfile
from collections import Counter
from importlib.metadata import version as library_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from builder import __version__
from builder.build.compare import compare
from builder.build.describe import card_facts
from builder.build.inputs import Input, inputs_digest, write_inputs
from builder.build.result import BuildResult, SplitSize
from builder.build.root_card import root_card
from builder.build.sides import Side, SideShard
from builder.card.card import render_card
from builder.card.croissant import croissant
from builder.domain.changelog import changes_document
from builder.domain.digests import ContentDigest, OrderDigest
from builder.domain.manifest import Manifest, ShardEntry, SplitEntry
from builder.domain.url import URL_RULES
from builder.domain.version import Changes, Version, compare_columns, decide_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.build.closing import Closed
    from builder.build.work import Work
    from builder.corpus import Corpus
    from builder.domain.changelog import Reason

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


def write_version(
    corpus: Corpus, *, work: Work, closed: Closed, inputs: Sequence[Input], version: str | None
) -> BuildResult:
    """Number the build, describe it, and put it into its place.

    Nothing is written if the parent has the same rows, made by the same recipe from the same inputs.

    Raises:
        VersionError: if ``version`` is lower than the number that the changes ask for.
    """
    splits = _split_entries(closed)
    facts = _manifest_facts(work, closed, inputs, splits)
    parent = corpus.manifest(newest) if (newest := corpus.find_newest()) else None
    if parent and _same(parent, facts):
        return _result(corpus, work, closed, parent, nothing_new=True)
    changes, removed = _changes(corpus, parent, work, closed)
    if parent:
        facts["counts"]["changes"] = changes_document(changes, removed)
    asked = Version.parse(version) if version else None
    decision = decide_version(Version.parse(parent.version) if parent else None, changes, asked=asked)
    manifest = Manifest(
        version=str(decision.version),
        parent={"version": parent.version, "digest": parent.digest} if parent else None,
        reason=decision.reason,
        files=(),
        **facts,
    )
    manifest = _stage_and_commit(corpus, manifest, work=work, closed=closed, inputs=inputs)
    return _result(corpus, work, closed, manifest)


# -- the manifest ----------------------------------------------------------------------------------


def _split_entries(closed: Closed) -> dict[str, SplitEntry]:
    entries: dict[str, SplitEntry] = {}
    for split in dict.fromkeys(shard.planned.split for shard in closed.shards):
        shards = [shard for shard in closed.shards if shard.planned.split == split]
        content, order = ContentDigest(), OrderDigest()
        for shard in shards:
            content = content.merge(ContentDigest(shard.content))
            order.update(np.load(shard.digests, mmap_mode="r"))
        entries[split] = SplitEntry(
            rows=sum(shard.rows for shard in shards),
            bytes=sum(shard.file_bytes for shard in shards),
            raw_bytes=sum(shard.raw_bytes for shard in shards),
            content_digest=content.hexdigest(),
            order_digest=order.hexdigest(),
            cut=closed.limits[split],
            shards=tuple(
                ShardEntry(path=s.planned.name, sha256=s.sha256, bytes=s.file_bytes, rows=s.rows)
                for s in shards
            ),
        )
    return entries


def _manifest_facts(
    work: Work, closed: Closed, inputs: Sequence[Input], splits: Mapping[str, SplitEntry]
) -> dict[str, Any]:
    recipe = work.recipe
    return {
        "name": recipe.name,
        "contract": {"name": recipe.contract.label, "digest": recipe.contract.digest},
        "recipe": {
            "digest": recipe.digest(),
            "document": recipe.public_document(),
            "url_rules": URL_RULES,
        },
        "inputs": {
            "count": len(inputs),
            "bytes": sum(one.n_bytes for one in inputs),
            "digest": inputs_digest(inputs),
            "files": [],
        },
        "tombstones": {"count": 0, "digest": hashlib.sha256().hexdigest()},
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
    return {"records": closed.sums.n_records, **outcomes, "reasons": reasons}


def tool_versions() -> dict[str, str]:
    """Return the versions of what bytes or rows may depend on."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return {"builder": __version__, "python": python, **{name: library_version(name) for name in TOOLS}}


def _same(parent: Manifest, facts: Mapping[str, Any]) -> bool:
    """Tell whether a new version would say nothing that its parent does not say."""
    counts = {name: n for name, n in parent.counts.items() if name != "changes"}
    return (
        parent.splits == facts["splits"]
        and counts == facts["counts"]
        and all(getattr(parent, name) == facts[name] for name in ("contract", "recipe", "inputs", "columns"))
    )


def _changes(
    corpus: Corpus, parent: Manifest | None, work: Work, closed: Closed
) -> tuple[Changes, Mapping[Reason | None, int]]:
    """Find what changed since the parent, and count removed rows by what the ledger says of them."""
    if parent is None:
        return Changes(), {}
    broken, added = compare_columns(parent.columns, work.chain.published)
    shards = [
        SideShard(split=one.planned.split, path=Path(one.path), sha256=one.sha256, rows=one.rows)
        for one in closed.shards
    ]
    old, new = Side.of_version(corpus, parent), Side(columns=work.chain.published, shards=shards)
    with tempfile.TemporaryDirectory(dir=work.folder) as scratch:
        found = compare(old, new, scratch=Path(scratch), ledgers=[closed.ledger])
    changes = Changes(
        splits=found.splits,
        broken_columns=broken,
        added_columns=added,
        licenses=(parent.recipe["document"].get("license"), work.recipe.license),
    )
    return changes, found.removed


# -- the folder ------------------------------------------------------------------------------------


def _stage_and_commit(
    corpus: Corpus, manifest: Manifest, *, work: Work, closed: Closed, inputs: Sequence[Input]
) -> Manifest:
    staging = corpus.begin(manifest.version)
    for shard in closed.shards:
        staging.add_shard(Path(shard.path), name=shard.planned.name, sha256=shard.sha256)
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
    for segment in closed.segments:
        shutil.move(segment, staging.index / segment.name)
    (staging.audit / "run.json").write_bytes(_run_json(work, closed))
    corpus.commit(staging, manifest, root_card(corpus, fresh=manifest))
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


def _result(
    corpus: Corpus, work: Work, closed: Closed, manifest: Manifest, *, nothing_new: bool = False
) -> BuildResult:
    splits = [
        SplitSize(name=name, rows=split.rows, shards=len(split.shards), bytes=split.bytes)
        for name, split in manifest.splits.items()
    ]
    reasons = sorted(closed.sums.reasons.items(), key=lambda item: (-item[1], item[0]))
    return BuildResult(
        name=manifest.name,
        corpus=corpus.path,
        version=manifest.version,
        reason=manifest.reason,
        digest=manifest.digest,
        ledger=corpus.ledger(manifest.version),
        nothing_new=nothing_new,
        outcomes=dict(
            Counter({k: closed.sums.outcomes[k] for k in ("kept", "rejected", "merged", "failed")})
        ),
        reasons=reasons,
        counts=dict(sorted(closed.counts.items())),
        splits=splits,
        empty_splits=[name for name in work.recipe.splits if name not in manifest.splits],
    )
