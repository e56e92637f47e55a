"""Select the inputs that a build reads: all of them (a full rebuild), or only the new ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from builder.corpus.names import SPOOL
from builder.corpus.opening import check_folder
from builder.domain.url import KNOWN_URL_RULES, URL_RULES
from builder.domain.version import Level, Version
from builder.errors import CorpusError, Fault, RecipeError
from builder.history.past import Past
from builder.history.rebuild import UNKNOWN_HISTORY, open_lineage
from builder.inputs.input_names import KeptNames, kept_names, shown_name
from builder.inputs.inputs import read_inputs
from builder.inputs.pruning import Pruned, find_pruned
from builder.recipe.changes import find_recipe_changes, joined_libraries
from builder.recipe.recipe import INPUT_RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest
    from builder.inputs.inputs import Input
    from builder.protocols import Task
    from builder.recipe import Recipe
    from builder.recipe.changes import LibraryChange
    from builder.recipe.identity import Identity

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
        card_changed: whether recipe keys have changed that change only the card.
        pruned: what is removed because its input is missing; None without ``--prune``.
        input_rules: number of the rule of input names in the corpus after this build.
        names: names of inputs by an older rule.
        url_rules: the number of the rules of canonical URLs.
        libraries: the versions of each library that made the rows of the new version; None for those that are
            installed.
    """

    past: Past | None
    fresh: Sequence[Input]
    inputs: Sequence[Input]
    missing: Sequence[Input] = ()
    reread: bool = False
    notices: Sequence[str] = ()
    card_changed: bool = False
    pruned: Pruned | None = None
    input_rules: int = INPUT_RULES
    names: KeptNames = field(default_factory=KeptNames)
    url_rules: int = URL_RULES
    libraries: Mapping[str, Sequence[str]] | None = None

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
        return [self.names.task(task) for task in chosen]


def _is_fresh(task: Task, addresses: set[tuple[str, str]]) -> bool:
    """Return whether a task reads a fresh file, or a dataset with a fresh file."""
    if (task.source, task.path) in addresses:
        return True
    return any(source == task.source and path.startswith(f"{task.path}/") for source, path in addresses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the user asked for.

    Attributes:
        full: read all inputs again.
        prune: remove the rows of missing inputs.
        accept_libraries: build on a version although other versions of libraries made its rows.
    """

    full: bool = False
    prune: bool = False
    accept_libraries: bool = False


def select_inputs(
    corpus: Corpus,
    recipe: Recipe,
    inputs: Sequence[Input],
    *,
    identity: Identity,
    wanted: Wanted,
    rebuild: Sequence[str] = (),
) -> InputSelection:
    """Select the inputs that a build reads.

    Args:
        rebuild: further reasons for a full rebuild.

    Raises:
        RecipeError: if a full rebuild is necessary, an input of the newest version is missing, and the user
            did not ask to prune.
        CorpusError: if the newest version has rules of canonical URLs that this release does not know.
    """
    newest = corpus.find_newest()
    if newest is None:
        return InputSelection(past=None, fresh=inputs, inputs=inputs)
    manifest = corpus.manifest(newest)
    known = read_inputs(corpus.version_file(newest, "inputs.parquet"))
    rules = manifest.recipe.get("input_rules", 1)
    kept = kept_names(known, inputs) if rules < INPUT_RULES else KeptNames()
    named = [kept.input(one) for one in inputs]
    missing = _find_missing(known, named)
    compared = _compare(manifest, recipe, identity, accept_libraries=wanted.accept_libraries)
    reasons = ["--full was given"] if wanted.full else [*compared.reasons, *rebuild]
    if reasons:
        if missing and not wanted.prune:
            why = Fault(where="", what=f"a full rebuild is necessary: {'; '.join(reasons)}")
            raise RecipeError(why, *map(_missing_fault, missing))
        return InputSelection(
            past=None,
            fresh=inputs,
            inputs=inputs,
            missing=missing,
            notices=_rebuild_notices(newest, reasons),
            url_rules=URL_RULES if wanted.full else _url_rules(manifest),
        )
    inputs = named
    scratch = check_folder(corpus.path, f"{SPOOL}/index-{newest}/index").parent
    lineage = open_lineage(corpus, newest, folder=scratch)
    pruned = find_pruned(lineage, missing) if missing and wanted.prune else None
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
            *(_library_notices(compared.libraries) if fresh or again else []),
            *_notices(newest, fresh, inputs, [] if pruned else missing),
        ],
        card_changed=_card_values(manifest.recipe["document"], manifest.recipe)
        != _card_values(recipe.public_document(), recipe.card_facts()),
        pruned=pruned,
        input_rules=rules,
        names=kept,
        url_rules=_url_rules(manifest),
        libraries=joined_libraries(
            manifest.recipe, identity, tools=manifest.tools, reads=bool(fresh or again)
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Compared:
    """The reasons for a full rebuild, and the changed libraries that do not cause one."""

    reasons: Sequence[str]
    libraries: Sequence[LibraryChange]


def _compare(manifest: Manifest, recipe: Recipe, identity: Identity, *, accept_libraries: bool) -> _Compared:
    """Compare the newest version with the recipe, the contract and the libraries of this build."""
    built = manifest.recipe
    changes = find_recipe_changes(
        built,
        identity,
        document=recipe.document,
        tools=manifest.tools,
        columns=recipe.contract.columns.names,
    )
    reasons = list(changes.reasons)
    if manifest.contract["digest"] != recipe.contract.digest:
        reasons.append("the contract has changed")
    if "limit" in built:
        reasons.append("the newest version was built with --limit")
    if not changes.rebuilds or accept_libraries:
        return _Compared(reasons=reasons, libraries=changes.libraries)
    advice = "use --accept-libraries to keep its rows"
    texts = [f"{change} ({advice})" if not reasons else str(change) for change in changes.libraries]
    return _Compared(reasons=[*reasons, *texts], libraries=())


def _url_rules(manifest: Manifest) -> int:
    """Return the number of the rules of canonical URLs, which a corpus keeps until ``--full``.

    Raises:
        CorpusError: if this release does not know these rules.
    """
    number = int(manifest.recipe.get("url_rules", 1))
    if number not in KNOWN_URL_RULES:
        what = f"has the rules of canonical URLs number {number}, which this release does not know"
        advice = "use a newer release of builder, or --full to apply the rules of this release"
        raise CorpusError(Fault(where=f"version {manifest.version}", what=what, advice=advice))
    return number


def _library_notices(changes: Sequence[LibraryChange]) -> list[str]:
    return [f"{change}; the manifest lists both" for change in changes]


def _card_values(document: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: document.get(name) for name in CARD_KEYS} | {"notes": facts.get("notes")}


def _find_missing(known: Sequence[Input], inputs: Sequence[Input]) -> list[Input]:
    names = {(one.source, one.path) for one in inputs}
    contents = {(one.source, one.sha256) for one in inputs}
    return [
        one
        for one in known
        if (one.source, one.path) not in names and (one.source, one.sha256) not in contents
    ]


def _missing_fault(one: Input) -> Fault:
    what = f"the newest version contains the input {shown_name(one)}, which is missing now"
    advice = "restore the file; docs/further-versions.md lists the alternatives"
    return Fault(where="sources", what=what, advice=advice)


def _rebuild_notices(newest: str, reasons: Sequence[str]) -> list[str]:
    highest = Version.parse(newest).bump(Level.MAJOR)
    return [f"full rebuild: {'; '.join(reasons)}. The version after {newest} is at most {highest}."]


def _notices(
    newest: str, fresh: Sequence[Input], inputs: Sequence[Input], missing: Sequence[Input]
) -> list[str]:
    notices = [f"building on {newest}: {len(fresh):,} of {len(inputs):,} inputs are new"] if fresh else []
    if missing:
        some = ", ".join(shown_name(one) for one in missing[:3])
        more = f" and {len(missing) - 3:,} more" if len(missing) > 3 else ""
        notices.append(f"missing inputs; their rows are kept: {some}{more}")
    return notices
