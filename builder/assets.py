"""Where the files lie that come with the package: in a clone beside it, in a wheel inside it."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def schemas_folder() -> Path:
    """Return the folder of the contracts and formats."""
    return _beside_or_inside("schemas")


def card_template() -> Path:
    """Return the template that every published dataset's README.md is made from."""
    return _beside_or_inside("DATASET_CARD.md")


def _beside_or_inside(name: str) -> Path:
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name
