"""The corpus's own card, from the manifests of its versions and what was done to them since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.build.describe import version_facts
from builder.card.card import render_root_card
from builder.domain.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.corpus import Corpus
    from builder.domain.manifest import Manifest


def root_card(
    corpus: Corpus,
    *,
    fresh: Manifest | None = None,
    without: str | None = None,
    yanked: Mapping[str, str | None] | None = None,
) -> str:
    """Write the README.md of a corpus as it is, or as it is to be.

    Title, licence and languages are those of the newest version.

    Args:
        fresh: a version that is about to come.
        without: a version whose rows are about to go.
        yanked: why versions are yanked, or None where one is taken back, as it is to be.
    """
    there = [one for one in corpus.versions() if one != without and not corpus.dropped(one)]
    manifests = [*map(corpus.manifest, there), *([fresh] if fresh else [])]
    states = {one: corpus.yanked(one) for one in there} | dict(yanked or {})
    newest = max(manifests, key=lambda one: Version.parse(one.version), default=None)
    recipe = _written_out(newest.recipe["document"]) if newest else {}
    return render_root_card(
        corpus.name,
        [version_facts(one, yanked=states.get(one.version)) for one in manifests],
        title=recipe.get("title") or "",
        license=recipe.get("license"),
        language=recipe.get("language") or (),
    )


def _written_out(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what the recipe takes from the environment: a manifest does not hold it."""
    return {key: value for key, value in recipe.items() if "${" not in str(value)}
