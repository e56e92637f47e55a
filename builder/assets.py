"""Paths of the data files of the package: next to the package in a clone, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def schemas_folder() -> Path:
    """Return the folder with the contracts and the schemas of the file formats."""
    return _find_data("schemas")


def card_template() -> Path:
    """Return the path of the template for the README.md of published datasets."""
    return _find_data("DATASET_CARD.md")


def _find_data(name: str) -> Path:
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name
