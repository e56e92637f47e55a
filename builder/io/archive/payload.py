"""Decide by its bytes whether a page is HTML or text at all, whatever its name or its server says."""

from __future__ import annotations

import codecs
from typing import Final

from builder.io.archive.content_coding import undo_codings
from builder.io.charset.utf16 import unmarked_utf

NOT_TEXT = {"not_text": "The bytes are not HTML or text: a PDF, an image, an archive, or other binary data."}
"""Reason with the text for ``docs/reasons.md``."""

_MAGICS: Final = (
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe", "application/postscript"),
    (b"{\\rtf", "application/rtf"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"OggS\x00", "application/ogg"),
    (b"fLaC\x00", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"wOFF\x00", "font/woff"),
    (b"wOF2\x00", "font/woff2"),
    (b"\x00\x01\x00\x00\x00", "font/ttf"),
    (b"\x7fELF", "application/x-executable"),
    (b"\x00asm", "application/wasm"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"PAR1", "application/vnd.apache.parquet"),
)
_TEXT_MAGICS: Final = (b"%PDF-", b"%!PS-Adobe", b"{\\rtf", b"BZh", b"ID3", b"PAR1")
"""Magic numbers of printable characters; a short text may begin with some of them."""

_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BOMS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_EXAMINED_BYTES: Final = 4 << 10
_BINARY = bytes(n for n in range(32) if n not in b"\t\n\v\f\r\x1b")
"""Bytes that the MIME Sniffing Standard calls binary data bytes, without the vertical tab."""

_MIN_BINARY: Final = 4
_MAX_BINARY_SHARE_OF_UTF8: Final = 0.3
_MAX_BINARY_SHARE: Final = 0.04
"""Compressed and encrypted bytes have a share of 0.10; broken pages have some such bytes."""


def binary_type(data: bytes) -> str | None:
    r"""Return the media type of bytes that are not HTML or text; None if they may be.

    >>> binary_type(b"%PDF-1.4\n1 0 obj"), binary_type(b"<p>%PDF-1.4 is a format"), binary_type(b"BZh?")
    ('application/pdf', None, None)
    >>> binary_type(b"{\\rtf1\\ansi hello}"), binary_type(b"{\\rtf begins a file of RTF")
    ('application/rtf', None)
    """
    if data.startswith(b"<") and data[4:8] != b"ftyp":  # most pages; no magic number begins so
        return None
    opening = data[:_EXAMINED_BYTES]
    start = opening.lstrip(b"\t\n\f\r ")
    for magic, kind in _MAGICS:
        if start.startswith(magic) and (magic not in _TEXT_MAGICS or _follows(magic, start)):
            return kind
    if opening.startswith(b"RIFF") and opening[8:12] in _RIFF:
        return _RIFF[opening[8:12]]
    if opening[4:8] == b"ftyp":
        return "video/mp4"
    if opening.startswith(_BOMS) or unmarked_utf(opening) is not None:
        return None
    if start.startswith(b"<"):
        return None
    n_binary = len(opening) - len(opening.translate(None, _BINARY))
    allowed = _MAX_BINARY_SHARE_OF_UTF8 if _is_utf8(opening) else _MAX_BINARY_SHARE
    if n_binary < _MIN_BINARY or n_binary <= allowed * len(opening):
        return None
    return "application/octet-stream"


def undo_undeclared_gzip(data: bytes, *, max_bytes: int) -> bytes | None:
    """Decompress bytes that are gzip although nothing says so; None if they are not, or are damaged."""
    if not data.startswith(b"\x1f\x8b\x08"):
        return None
    content = undo_codings(data, ["gzip"], max_bytes=max_bytes)
    return content.data if content.state == "whole" else None


def _follows(magic: bytes, start: bytes) -> bool:
    """Return whether what follows a printable magic number is what the format has there."""
    after = start[len(magic) : len(magic) + 7]
    if magic == b"BZh":
        return after[:1].isdigit() and after[1:4] == b"1AY"
    if magic == b"ID3":
        return bool(after) and after[0] < 8
    if magic == b"PAR1":
        return b"\x00" in start[:64] or not start[:64].isascii()
    return after[:1].isdigit() or magic == b"%!PS-Adobe"


def _is_utf8(opening: bytes) -> bool:
    """Return whether bytes are UTF-8; the last character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(opening)
    except UnicodeDecodeError:
        return False
    return True
