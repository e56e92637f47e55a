"""Describe the published columns for the card, in the words of the contract or of a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.io.contracts import builtin_contract
from builder.pipeline.chain import tagging_stages
from builder.stages.binding.placed import inner_stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from builder.domain.contract.contract import Contract
    from builder.domain.manifest import Manifest
    from builder.recipe import Recipe

_EXTRA = "The members of the record that the contract does not declare, as JSON."


def column_notes(recipe: Recipe) -> dict[str, str]:
    """Return a description of each column that a recipe can publish.

    A stage knows better than the contract what it writes, so its description wins.
    """
    contract = recipe.contract
    notes = {name: f"The property {name} of the contract {contract.label}." for name in _names(contract)}
    notes |= {"extra": _EXTRA} | contract_notes(contract)
    notes |= {one.name: f"The column {one.name} of the inputs." for one in recipe.carried}
    for stage in recipe.stages:
        inner = inner_stage(stage)
        added: Iterable[str] = getattr(inner, "adds", ())
        notes |= dict.fromkeys(added, f"A column of the stage {stage.name}.")
        notes |= getattr(inner, "column_notes", {})
    for name in tagging_stages(recipe):
        notes[f"{name}_cluster"] = f"Id of the document that represents this one by the stage {name}."
    return {name: " ".join(text.split()) for name, text in notes.items()}


def contract_notes(contract: Contract) -> dict[str, str]:
    """Return the contract's own descriptions of its columns."""
    schema = (contract.outgoing or contract).schema
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    described = {name: p.get("description") for name, p in properties.items() if isinstance(p, dict)}
    return {name: text for name, text in described.items() if isinstance(text, str) and text.strip()}


def notes_of_manifest(manifest: Manifest) -> dict[str, str]:
    """Return the descriptions of the columns of a built-in contract; a fetched version has no others."""
    if manifest.contract["name"] != "page-1":
        return {}
    return contract_notes(builtin_contract("page-1"))


def _names(contract: Contract) -> list[str]:
    return list((contract.outgoing or contract).columns.names)
