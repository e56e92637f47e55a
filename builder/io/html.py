"""Read HTML files, one page each."""

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

    Each file is one page. Its URL is the one that the page declares with ``<link rel=canonical>`` or
    ``og:url``. The charset comes from the byte order mark, else from the ``meta`` tag, else from detection.
    Bytes that cannot be decoded are replaced by U+FFFD and counted. Files may be compressed.
    """

    kind: ClassVar[str] = "html"
    rules: ClassVar[int] = 1
    suffixes: ClassVar[Sequence[str]] = tuple(
        stem + codec for stem in (".html", ".htm", ".xhtml") for codec in COMPRESSED
    )
    reasons: ClassVar[Mapping[str, str]] = {**TOO_BIG, **REASONS, **GUARD_REASONS}

    def decode(self, data: bytes) -> Decoded:
        """Decode the bytes of a page to text; the ``meta`` tag is used."""
        return decode(data, is_html=True)

    def page(self, text: str) -> dict[str, Any]:
        """Return the unchanged HTML and the URL that it declares."""
        return {"html": text, "url": page_url(text)}
