"""What the card tells that a recipe knows and no manifest does."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from builder.domain.json.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CARD_JSON = "card.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSource:
    """What the card tells that a recipe knows and no manifest does.

    It is kept in the index, so that a takedown can write a card though it has no recipe.

    Attributes:
        stages: name and options of sources and stages, in the order in which records meet them.
        notes: the sections that a person wrote, in Markdown.
    """

    title: str
    description: str = ""
    license: str | None = None
    language: tuple[str, ...] = ()
    date: str | None = None
    column_notes: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    notes: str = ""

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> CardSource:
        """Gather what a manifest's recipe tells of it."""
        kinds = dict.fromkeys(next(iter(entry)) for entry in document.get("sources", []))
        stages = [next(iter(entry.items())) for entry in document.get("stages", [])]
        return cls(
            title=document.get("title", document["name"]),
            description=document.get("description", ""),
            license=document.get("license"),
            language=tuple(document.get("language", ())),
            date=document.get("date"),
            stages=(*((kind, {}) for kind in kinds), *((name, given or {}) for name, given in stages)),
        )

    def write(self, folder: Path) -> None:
        """Keep it in a version's index."""
        (folder / CARD_JSON).write_bytes(canonical_json(dataclasses.asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> CardSource:
        """Read what ``write`` kept."""
        facts = json.loads((folder / CARD_JSON).read_bytes())
        facts["language"] = tuple(facts["language"])
        facts["stages"] = tuple((name, options) for name, options in facts["stages"])
        return cls(**facts)
