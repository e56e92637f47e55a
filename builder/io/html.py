"""Read HTML files, one page each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from builder.io.archive.payload import NOT_TEXT
from builder.io.charset.decode import Decoded, decode
from builder.io.reading.file_source import COMPRESSED, CONTAINERS, GUARD_REASONS, TOO_BIG
from builder.io.reading.html_head import page_url
from builder.io.reading.html_sniff import file_is_page, is_html, is_mhtml
from builder.io.reading.page_files import PageFiles
from builder.io.reading.saved_pages import mirrored_url, open_mhtml, saved_url
from builder.io.streams.streams import REASONS
from builder.registry import option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlSource(PageFiles):
    """Read files of HTML.

    Each file is one page. In a folder, such as a mirror, files with other names are pages if they begin like
    HTML. Of MHTML the main page is read. The URL of a page is the one that a browser, SingleFile or HTTrack
    wrote in a comment when it saved the page, else the one that the page declares with ``<link
    rel=canonical>`` or ``og:url``. A file that is not HTML by its bytes is rejected as `not_text`. The
    charset comes from the byte order mark, else from the ``meta`` tag, else from detection. Bytes that cannot
    be decoded are replaced by U+FFFD and counted. Files may be compressed.
    """

    kind: ClassVar[str] = "html"
    rules: ClassVar[int] = 1
    suffixes: ClassVar[Sequence[str]] = tuple(
        stem + codec for stem in (".html", ".htm", ".xhtml") for codec in COMPRESSED
    )
    reasons: ClassVar[Mapping[str, str]] = {**NOT_TEXT, **TOO_BIG, **CONTAINERS, **REASONS, **GUARD_REASONS}

    url_from_path: str = option(
        "none",
        help="Scheme of the URLs in a mirror: a page without an address gets its path as its URL.",
        choices=["none", "http", "https"],
    )

    def accepts(self, address: str) -> bool:
        """Return whether a file with another name is HTML or MHTML by its first bytes."""
        return file_is_page(address)

    def accepts_opening(self, opening: bytes) -> bool:
        """Return whether a member of an archive is HTML or MHTML by its first bytes."""
        return is_html(opening) or is_mhtml(opening)

    def open_page(self, data: bytes, *, name: str) -> tuple[Decoded, dict[str, Any]]:
        """Return the decoded HTML and the columns of the page; of MHTML, those of its main part."""
        saved = open_mhtml(data) if is_mhtml(data[:4096]) else None
        if saved is None:
            decoded = self.decode(data)
            page = self.page(decoded.text)
        else:
            decoded = decode(saved.html, http_charset=saved.charset, is_html=True)
            page = {**self.page(decoded.text), **({"url": saved.url} if saved.url else {})}
        if page["url"] is None and self.url_from_path != "none":
            page["url"] = mirrored_url(name.rpartition("!/")[2], scheme=self.url_from_path)
        return decoded, page

    def decode(self, data: bytes) -> Decoded:
        """Decode the bytes of a page to text; the ``meta`` tag is used."""
        return decode(data, is_html=True)

    def page(self, text: str) -> dict[str, Any]:
        """Return the unchanged HTML and the URL that it declares."""
        return {"html": text, "url": saved_url(text) or page_url(text)}
