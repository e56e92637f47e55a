"""``note``: a source for files that begin with a header, an empty line after it, and then the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from builder.plugin import PageFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSource(PageFiles):
    """Read notes: lines `Name: value`, an empty line, and the text."""

    kind = "note"
    suffixes = (".note",)
    reasons: ClassVar = {}

    def page(self, text: str) -> dict[str, Any]:
        """Return the URL and the time of the header, and the text."""
        header, _, body = text.partition("\n\n")
        fields = dict(line.split(": ", 1) for line in header.splitlines() if ": " in line)
        return {"url": fields.get("URL"), "fetched_at": fields.get("Fetched"), "text": body}
