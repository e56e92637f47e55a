"""Select the inputs of a build, and complete the recipe with what they and the corpus decide.

`check` completes the recipe in the same way, from the first records of a sample of the inputs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from builder.corpus import Corpus
from builder.corpus.address import looks_like_corpus
from builder.domain.contract.carried import CarriedColumn
from builder.errors import Fault
from builder.inputs.selection import select_inputs
from builder.inputs.survey import survey_columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.inputs.inputs import Input
    from builder.inputs.selection import InputSelection, Wanted
    from builder.protocols import Engine, Task
    from builder.recipe import Recipe
    from builder.recipe.identity import Identity

_SHOWN = 10
_ID, _OTHER_ID = "id", "document_id"
"""The usual name of the column of the document id, and its name if the inputs have a column ``id``."""


def select_for(
    recipe: Recipe,
    corpus: Corpus,
    inputs: Sequence[Input],
    engine: Engine,
    *,
    identity: Identity,
    wanted: Wanted,
) -> tuple[Recipe, InputSelection]:
    """Select the inputs that a build reads; return the recipe with the columns that they publish, and them.

    Raises:
        RecipeError: as for ``select_inputs``.
        ContractError: if a column cannot be published, or an input gives it another type.
    """
    selection = select_inputs(corpus, recipe, inputs, identity=identity, wanted=wanted)
    if selection.nothing_new:
        return recipe, selection
    complete, rebuild, left = _with_carried(recipe, selection, engine)
    if rebuild:
        selection = select_inputs(corpus, recipe, inputs, identity=identity, wanted=wanted, rebuild=rebuild)
        complete, _, left = _with_carried(recipe, selection, engine)
    if left:
        selection = replace(selection, notices=[*selection.notices, str(not_added(left))])
    return complete, selection


def not_added(columns: Sequence[CarriedColumn]) -> Fault:
    """Name columns of new inputs that ``publish: all`` does not add to a corpus."""
    shown = ", ".join(f"{one.name} ({one.file})" for one in columns[:_SHOWN])
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    what = f"new columns of the inputs are not published, because older rows do not have them: {shown}{more}"
    return Fault(where="publish: all", what=what, advice="list all columns that you want under publish")


def complete_with(
    recipe: Recipe, found: Sequence[CarriedColumn], known: Sequence[CarriedColumn] | None
) -> tuple[Recipe, list[CarriedColumn]]:
    """Return the recipe with the columns that its inputs publish, and the columns that stay out.

    Args:
        known: the columns of the version that the build builds on; None without one.
    """
    names = {one.name for one in known or ()}
    left = [one for one in found if known is not None and one.name not in names]
    carried = tuple(found if known is None else known)
    columns = recipe.columns
    if columns.id == _ID and any(one.name == _ID for one in carried):
        columns = replace(columns, id=_OTHER_ID)
    return replace(recipe, carried=carried, columns=columns), left


def _with_carried(
    recipe: Recipe, selection: InputSelection, engine: Engine
) -> tuple[Recipe, list[str], list[CarriedColumn]]:
    """Find the published columns that the contract does not declare.

    If the inputs have a column ``id``, the document id is published in another column.

    Returns:
        The recipe with these columns; the reasons for a full rebuild: columns that the version before does
        not have, although the recipe names them; and the columns that `publish: all` does not add.

    Raises:
        ContractError: if a column cannot be published, or an input gives it another type.
    """
    if not recipe.publish:
        return recipe, [], []
    tasks = selection.choose([task for source in recipe.sources for task in source.tasks()])
    documents = selection.past.lineage.manifest.recipe.get("published", []) if selection.past else []
    known = tuple(CarriedColumn.parse(one) for one in documents)
    found = survey_columns(recipe, tasks, engine=engine, known=known)
    types = {one.name: one.type for one in known}
    new = [
        one.name
        for one in found
        if (one.name in types and one.type != types[one.name])
        or (one.name not in types and recipe.publish != "all")
    ]
    reasons = [f"the column {name} is new" for name in new] if selection.past else []
    complete, left = complete_with(recipe, found, known if selection.past else None)
    return complete, reasons, left if recipe.publish == "all" else []


def with_surveyed_columns(
    recipe: Recipe, tasks: Sequence[Task], *, engine: Engine, max_records: int
) -> tuple[Recipe, list[Fault]]:
    """Return the recipe with the columns that a build would publish, by a sample of the inputs, and warnings.

    Raises:
        ContractError: if a column cannot be published, or two inputs give it different types, also if an
            input of an earlier version gave it another type.
    """
    if not recipe.publish:
        return recipe, []
    known = _published(recipe)
    found = survey_columns(recipe, tasks, engine=engine, known=known or (), max_records=max_records)
    if recipe.publish != "all":
        known = None  # a named column that is new is added
    complete, left = complete_with(recipe, found, known)
    return complete, [not_added(left)] if left else []


def _published(recipe: Recipe) -> tuple[CarriedColumn, ...] | None:
    """Return the columns of the newest version that its contract does not declare; None without a version."""
    if not looks_like_corpus(recipe.corpus):
        return None
    corpus = Corpus(recipe.corpus)
    version = corpus.find_newest()
    if version is None:
        return None
    documents = corpus.manifest(version).recipe.get("published", [])
    return tuple(CarriedColumn.parse(one) for one in documents)
