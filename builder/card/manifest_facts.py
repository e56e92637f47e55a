"""Collect the facts of a card that are in the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from builder.card.card import render_root_card
from builder.card.facts import ShardFile, SplitFacts, VersionFacts
from builder.domain.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.domain.manifest import Manifest


def corpus_card(name: str, manifests: Sequence[Manifest], *, yanked: Mapping[str, str | None]) -> str:
    """Write the README.md of a corpus folder from the manifests of its versions.

    Title, licence and languages are those of the newest version.

    Args:
        yanked: the reason for each yanked version, by version.
    """
    newest = max(manifests, key=lambda one: Version.parse(one.version), default=None)
    recipe = _written_out(newest.recipe["document"]) if newest else {}
    return render_root_card(
        name,
        [version_facts(one, yanked=yanked.get(one.version)) for one in manifests],
        title=recipe.get("title") or "",
        license=recipe.get("license"),
        language=recipe.get("language") or (),
    )


def _written_out(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out values with environment variables: a manifest does not contain their values."""
    return {key: value for key, value in recipe.items() if "${" not in str(value)}


def version_facts(manifest: Manifest, *, yanked: str | None = None) -> VersionFacts:
    """Return the facts of one version for the card of the corpus; ``yanked`` is the reason, if yanked."""
    return VersionFacts(
        version=manifest.version,
        columns=manifest.columns,
        splits=split_facts(manifest),
        reason=manifest.reason,
        date=recipe_date(manifest),
        yanked=yanked,
    )


def recipe_date(manifest: Manifest) -> str | None:
    """Return the date that the recipe of a version gives; None without one."""
    date = _written_out(manifest.recipe["document"]).get("date")
    return str(date) if date else None


def split_facts(manifest: Manifest) -> dict[str, SplitFacts]:
    """Return the facts of each split, by name."""
    return {
        name: SplitFacts(
            rows=split.rows,
            raw_bytes=split.raw_bytes,
            shards=tuple(
                ShardFile(path=s.path, size_bytes=s.bytes, rows=s.rows, sha256=s.sha256) for s in split.shards
            ),
        )
        for name, split in manifest.splits.items()
    }
