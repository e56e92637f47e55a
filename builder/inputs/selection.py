"""Select the inputs that a build reads: all of them (a full rebuild), or only the new ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from builder.corpus.names import SPOOL
from builder.corpus.opening import check_folder
from builder.domain.url import KNOWN_RULES, URL_RULES
from builder.domain.version import Level, Version
from builder.errors import Fault, RecipeError
from builder.history.past import Past
from builder.history.rebuild import UNKNOWN_HISTORY, open_lineage
from builder.inputs.inputs import read_inputs
from builder.inputs.pruning import Pruned, find_pruned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest
    from builder.inputs.inputs import Input
    from builder.protocols import Task
    from builder.recipe import Recipe

CARD_KEYS = ("title", "description", "license", "language", "date")
"""The recipe keys that change only the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSelection:
    """The inputs that a build reads, and the version that it builds on.

    Attributes:
        past: the past rows of the version that the build builds on; None for a full rebuild.
        fresh: the inputs that the build reads.
        inputs: all inputs of the new version, in the order in which they were added.
        missing: inputs of the version before that do not exist now.
        reread: whether an earlier build read an input with the name of a fresh one.
        notices: texts to show before the build starts.
        url_rules: number of the rules of canonical URLs; that of the version that the build builds on.
        card_changed: whether recipe keys have changed that change only the card.
        pruned: what is removed because its input is missing; None without ``--prune``.
    """

    past: Past | None
    fresh: Sequence[Input]
    inputs: Sequence[Input]
    missing: Sequence[Input] = ()
    reread: bool = False
    notices: Sequence[str] = ()
    url_rules: int = URL_RULES
    card_changed: bool = False
    pruned: Pruned | None = None

    @property
    def nothing_new(self) -> bool:
        """Whether the build would change nothing in the newest version."""
        return self.past is not None and not (self.fresh or self.card_changed or self.pruned)

    def choose(self, tasks: Sequence[Task]) -> list[Task]:
        """Return the tasks that read a fresh input."""
        if self.past is None:
            return list(tasks)
        addresses = {(one.source, one.address) for one in self.fresh}
        whole = {one.source for one in self.fresh if not one.address}
        chosen = []
        for task in tasks:
            if not task.files and (task.source in whole or _is_fresh(task, addresses)):
                chosen.append(task)
            elif files := tuple(file for file in task.files if (task.source, file[0]) in addresses):
                path, name, _ = files[0]
                size_bytes = sum(file[2] for file in files)
                chosen.append(replace(task, path=path, name=name, size_bytes=size_bytes, files=files))
        return chosen


def _is_fresh(task: Task, addresses: set[tuple[str, str]]) -> bool:
    """Return whether a task reads a fresh file, or a dataset with a fresh file."""
    if (task.source, task.path) in addresses:
        return True
    return any(source == task.source and path.startswith(f"{task.path}/") for source, path in addresses)


def select_inputs(
    corpus: Corpus,
    recipe: Recipe,
    inputs: Sequence[Input],
    *,
    limit: int | None,
    full: bool,
    prune: bool,
    rebuild: Sequence[str] = (),
) -> InputSelection:
    """Select the inputs that a build reads.

    Args:
        rebuild: further reasons for a full rebuild.

    Raises:
        RecipeError: if a full rebuild is necessary, an input of the newest version is missing, and ``prune``
            is false.
    """
    newest = corpus.find_newest()
    if newest is None:
        return InputSelection(past=None, fresh=inputs, inputs=inputs)
    manifest = corpus.manifest(newest)
    known = read_inputs(corpus.version_file(newest, "inputs.parquet"))
    missing = _find_missing(known, inputs)
    reasons = ["--full was given"] if full else [*_changed(manifest, recipe), *rebuild]
    if reasons:
        if missing and not prune:
            raise RecipeError(*map(_missing_fault, missing))
        return InputSelection(
            past=None, fresh=inputs, inputs=inputs, missing=missing, notices=_rebuild_notices(newest, reasons)
        )
    scratch = check_folder(corpus.path, f"{SPOOL}/index-{newest}/index").parent
    lineage = open_lineage(corpus, newest, folder=scratch)
    pruned = find_pruned(lineage, missing) if missing and prune else None
    there = {(one.source, one.sha256) for one in known}
    fresh = [one for one in inputs if (one.source, one.sha256) not in there]
    again = [one for one in inputs if pruned and (one.source, one.path) in pruned.reread and one not in fresh]
    names = {(one.source, one.path) for one in known}
    return InputSelection(
        past=Past.without(lineage, recipe.columns.text, pruned.documents if pruned else ()),
        fresh=[*again, *fresh],
        inputs=[*(one for one in known if not (pruned and one in missing)), *fresh],
        missing=missing,
        reread=bool(again) or any((one.source, one.path) in names or not one.address for one in fresh),
        notices=[
            *([UNKNOWN_HISTORY] if lineage.borrowed and fresh else []),
            *_notices(newest, fresh, inputs, [] if pruned else missing),
        ],
        url_rules=manifest.url_rules,
        card_changed=_card_values(manifest.recipe) != _card_values(recipe.manifest_facts(limit=limit)),
        pruned=pruned,
    )


def _changed(manifest: Manifest, recipe: Recipe) -> list[str]:
    """List the differences from the recipe of the newest version that affect rows."""
    built = manifest.recipe
    sources = recipe.source_digests()
    shared = built.get("sources", {}).keys() & sources.keys()
    facts = {
        "the stages, columns or splits have changed": built["digest"] != recipe.chain_digest(),
        "the contract has changed": manifest.contract["digest"] != recipe.contract.digest,
        "the rules of canonical URLs are not known": manifest.url_rules not in KNOWN_RULES,
        "the newest version was built with --limit": "limit" in built,
    }
    changed = [text for text, is_so in facts.items() if is_so]
    differ = sorted(name for name in shared if built["sources"][name] != sources[name])
    return changed + [f"the options of the source {name} have changed" for name in differ]


def _card_values(recipe: dict[str, Any] | Any) -> dict[str, Any]:
    document = recipe["document"]
    return {name: document.get(name) for name in CARD_KEYS} | {"notes": recipe.get("notes")}


def _find_missing(known: Sequence[Input], inputs: Sequence[Input]) -> list[Input]:
    names = {(one.source, one.path) for one in inputs}
    contents = {(one.source, one.sha256) for one in inputs}
    return [
        one
        for one in known
        if (one.source, one.path) not in names and (one.source, one.sha256) not in contents
    ]


def _missing_fault(one: Input) -> Fault:
    what = f"the newest version contains the input {one.source}/{one.path}, which is missing now"
    advice = "restore the file, or use --prune to remove its rows"
    return Fault(where="sources", what=what, advice=advice)


def _rebuild_notices(newest: str, reasons: Sequence[str]) -> list[str]:
    highest = Version.parse(newest).bump(Level.MAJOR)
    return [f"full rebuild: {'; '.join(reasons)}. The version after {newest} may be as high as {highest}."]


def _notices(
    newest: str, fresh: Sequence[Input], inputs: Sequence[Input], missing: Sequence[Input]
) -> list[str]:
    notices = [f"building on {newest}: {len(fresh):,} of {len(inputs):,} inputs are new"] if fresh else []
    if missing:
        some = ", ".join(f"{one.source}/{one.path}" for one in missing[:3])
        more = f" and {len(missing) - 3:,} more" if len(missing) > 3 else ""
        notices.append(f"missing inputs; their rows are kept (use --prune to remove them): {some}{more}")
    return notices
