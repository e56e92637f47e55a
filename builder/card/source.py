"""Keep the facts of a card that are in the recipe but not in the manifest."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from builder.domain.json.canonical import canonical_json
from builder.domain.json.strict import read_json
from builder.errors import Fault, TamperedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CARD_JSON = "card.json"


def named_options(kind: str, written: Mapping[str, Any] | None) -> tuple[str, Mapping[str, Any]]:
    """Return the name of a stage and its options, as a card lists them; see ``StageFacts``.

    >>> named_options("dedup_near", {"name": "strict", "threshold": 0.9})
    ('strict', {'kind': 'dedup_near', 'threshold': 0.9})
    """
    written = written or {}
    options = {key: value for key, value in written.items() if key != "name"}
    name = str(written.get("name") or kind)
    return name, (options if name == kind else {"kind": kind, **options})


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSource:
    """The facts of a card that are in the recipe but not in the manifest.

    The index stores them, so that a takedown can write a card without a recipe.

    Attributes:
        stages: name and options of sources and stages, in the order of the chain.
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
        """Return the facts that the recipe in a manifest contains."""
        kinds = dict.fromkeys(next(iter(entry)) for entry in document.get("sources", []))
        stages = [next(iter(entry.items())) for entry in document.get("stages", [])]
        return cls(
            title=document.get("title", document["name"]),
            description=document.get("description", ""),
            license=document.get("license"),
            language=tuple(document.get("language", ())),
            date=document.get("date"),
            stages=(*((kind, {}) for kind in kinds), *(named_options(*entry) for entry in stages)),
        )

    def write(self, folder: Path) -> None:
        """Write the facts to the index of a version."""
        (folder / CARD_JSON).write_bytes(canonical_json(dataclasses.asdict(self)))

    @classmethod
    def parse(cls, data: bytes) -> CardSource:
        """Read the facts that ``write`` wrote.

        Raises:
            TamperedError: if it is something else.
        """
        try:
            facts = read_json(data)
            facts["language"] = tuple(facts["language"])
            facts["stages"] = tuple((name, options) for name, options in facts["stages"])
            return cls(**facts)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            what = f"does not hold the facts of a card: {type(error).__name__}"
            raise TamperedError(Fault(where=CARD_JSON, what=what, advice="run `builder verify`")) from None
