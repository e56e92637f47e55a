"""Find the published columns that the contract does not declare, in a sample of the inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.corpus import Corpus
from builder.corpus.address import looks_like_corpus
from builder.domain.contract.carried import CarriedColumn
from builder.inputs.survey import survey_columns
from builder.operations.select_for import complete_with, not_added

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.errors import Fault
    from builder.protocols import Engine, Task
    from builder.recipe import Recipe


def with_surveyed_columns(
    recipe: Recipe, tasks: Sequence[Task], *, engine: Engine, max_records: int
) -> tuple[Recipe, list[Fault]]:
    """Return the recipe with the columns that a build would publish, and warnings.

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
