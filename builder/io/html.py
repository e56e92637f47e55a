"""Files of HTML, each one page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from builder.io.charset.decode import Decoded, decode
from builder.io.reading.file_source import COMPRESSED, GUARD_REASONS, TOO_BIG
from builder.io.reading.html_head import page_url
from builder.io.reading.page_files import PageFiles
from builder.io.streams.streams import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlSource(PageFiles):
    """Read files of HTML.

    Each file is a page with its HTML, and the address that it gives itself by ``<link rel=canonical>`` or
    ``og:url``. Bytes become text by their byte order mark, else by the ``meta`` tag, else by detection; what
    cannot be decoded is replaced and counted. Files may be compressed.
    """

    kind: ClassVar[str] = "html"
    suffixes: ClassVar[Sequence[str]] = tuple(
        stem + codec for stem in (".html", ".htm", ".xhtml") for codec in COMPRESSED
    )
    reasons: ClassVar[Mapping[str, str]] = {**TOO_BIG, **REASONS, **GUARD_REASONS}

    def decode(self, data: bytes) -> Decoded:
        """Turn the bytes of a page into text; its ``meta`` tag has a say."""
        return decode(data, is_html=True)

    def page(self, text: str) -> dict[str, Any]:
        """Return the HTML as it is, with its own address."""
        return {"html": text, "url": page_url(text)}
