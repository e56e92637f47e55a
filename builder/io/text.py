"""Read plain text files, one page each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from builder.io.archive.payload import NOT_TEXT
from builder.io.reading.file_source import COMPRESSED, CONTAINERS, GUARD_REASONS, TOO_BIG
from builder.io.reading.page_files import PageFiles
from builder.io.streams.streams import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSource(PageFiles):
    """Read files of plain text.

    Each file is one page, with its text and no other column. The charset comes from the byte order mark, else
    from detection. Bytes that cannot be decoded are replaced by U+FFFD and counted. Files may be compressed.
    """

    kind: ClassVar[str] = "text"
    rules: ClassVar[int] = 1
    suffixes: ClassVar[Sequence[str]] = tuple(
        stem + codec for stem in (".txt", ".text", ".md") for codec in COMPRESSED
    )
    reasons: ClassVar[Mapping[str, str]] = {**NOT_TEXT, **TOO_BIG, **CONTAINERS, **REASONS, **GUARD_REASONS}

    def page(self, text: str) -> dict[str, Any]:
        """Return the unchanged text."""
        return {"text": text}
