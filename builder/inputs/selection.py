"""Which way a build takes: everything anew, or on from the newest version with what is new."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from builder.corpus.names import SPOOL
from builder.corpus.opening import check_folder
from builder.domain.url import URL_RULES
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

STYLE = ("title", "description", "license", "language", "date")
"""What of a recipe only the card tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSelection:
    """What a build reads, and what it goes on from.

    Attributes:
        past: None if everything is built anew.
        fresh: inputs that are read.
        inputs: all inputs of the version, in the order in which they came.
        gone: inputs of the version before that are no longer there.
        reread: whether a fresh input has the name of one that was read before.
        notices: what is to be said before it starts.
        restyled: whether the card changes though the rows do not.
        pruned: what goes because its input is gone; None if it stays.
    """

    past: Past | None
    fresh: Sequence[Input]
    inputs: Sequence[Input]
    gone: Sequence[Input] = ()
    reread: bool = False
    notices: Sequence[str] = ()
    restyled: bool = False
    pruned: Pruned | None = None

    @property
    def nothing_new(self) -> bool:
        """Whether the newest version is what this build would make."""
        return self.past is not None and not (self.fresh or self.restyled or self.pruned)

    def choose(self, tasks: Sequence[Task]) -> list[Task]:
        """Keep the tasks that read a fresh input."""
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
    """Tell whether a task reads a fresh file, or a dataset of which a file is fresh."""
    if (task.source, task.path) in addresses:
        return True
    return any(source == task.source and path.startswith(f"{task.path}/") for source, path in addresses)


def select_inputs(
    corpus: Corpus, recipe: Recipe, inputs: Sequence[Input], *, limit: int | None, full: bool, prune: bool
) -> InputSelection:
    """Decide what is read.

    Raises:
        RecipeError: if everything would be built anew and an input of the newest version is not there.
    """
    newest = corpus.find_newest()
    if newest is None:
        return InputSelection(past=None, fresh=inputs, inputs=inputs)
    manifest = corpus.manifest(newest)
    known = read_inputs(corpus.version_file(newest, "inputs.parquet"))
    gone = _gone(known, inputs)
    reasons = ["--full was asked for"] if full else list(_changed(manifest, recipe))
    if reasons:
        if gone and not prune:
            raise RecipeError(*map(_missing, gone))
        return InputSelection(
            past=None, fresh=inputs, inputs=inputs, gone=gone, notices=_rebuild_notices(newest, reasons)
        )
    scratch = check_folder(corpus.path, f"{SPOOL}/index-{newest}/index").parent
    lineage = open_lineage(corpus, newest, folder=scratch)
    pruned = find_pruned(lineage, gone) if gone and prune else None
    there = {(one.source, one.sha256) for one in known}
    fresh = [one for one in inputs if (one.source, one.sha256) not in there]
    again = [one for one in inputs if pruned and (one.source, one.path) in pruned.reread and one not in fresh]
    names = {(one.source, one.path) for one in known}
    return InputSelection(
        past=Past.without(lineage, recipe.columns.text, pruned.documents if pruned else ()),
        fresh=[*again, *fresh],
        inputs=[*(one for one in known if not (pruned and one in gone)), *fresh],
        gone=gone,
        reread=bool(again) or any((one.source, one.path) in names or not one.address for one in fresh),
        notices=[
            *([UNKNOWN_HISTORY] if lineage.borrowed and fresh else []),
            *_notices(newest, fresh, inputs, [] if pruned else gone),
        ],
        restyled=_style(manifest.recipe) != _style(recipe.manifest_facts(limit=limit)),
        pruned=pruned,
    )


def _changed(manifest: Manifest, recipe: Recipe) -> list[str]:
    """Say what differs from the recipe of the newest version, as far as rows depend on it."""
    told = manifest.recipe
    sources = recipe.source_digests()
    shared = told.get("sources", {}).keys() & sources.keys()
    facts = {
        "the stages, columns or splits have changed": told["digest"] != recipe.chain_digest(),
        "the contract has changed": manifest.contract["digest"] != recipe.contract.digest,
        "the rules of canonical URLs have changed": told.get("url_rules") != URL_RULES,
        "it was made with --limit": "limit" in told,
    }
    changed = [text for text, is_so in facts.items() if is_so]
    differ = sorted(name for name in shared if told["sources"][name] != sources[name])
    return changed + [f"the options of the source {name} have changed" for name in differ]


def _style(recipe: dict[str, Any] | Any) -> dict[str, Any]:
    document = recipe["document"]
    return {name: document.get(name) for name in STYLE} | {"notes": recipe.get("notes")}


def _gone(known: Sequence[Input], inputs: Sequence[Input]) -> list[Input]:
    names = {(one.source, one.path) for one in inputs}
    contents = {(one.source, one.sha256) for one in inputs}
    return [
        one
        for one in known
        if (one.source, one.path) not in names and (one.source, one.sha256) not in contents
    ]


def _missing(one: Input) -> Fault:
    what = f"{one.source}/{one.path} was read for the newest version and is no longer there"
    advice = "bring it back, or leave its rows out with --prune"
    return Fault(where="sources", what=what, advice=advice)


def _rebuild_notices(newest: str, reasons: Sequence[str]) -> list[str]:
    highest = Version.parse(newest).bump(Level.MAJOR)
    return [f"full rebuild: {'; '.join(reasons)}. The version after {newest} may be as high as {highest}."]


def _notices(
    newest: str, fresh: Sequence[Input], inputs: Sequence[Input], gone: Sequence[Input]
) -> list[str]:
    said = [f"going on from {newest}: {len(fresh):,} of {len(inputs):,} inputs are new"] if fresh else []
    if gone:
        some = ", ".join(f"{one.source}/{one.path}" for one in gone[:3])
        more = f" and {len(gone) - 3:,} more" if len(gone) > 3 else ""
        said.append(f"no longer there, and their rows stay (--prune removes them): {some}{more}")
    return said
