"""Decode the bytes of a page to text.

1. A byte order mark (UTF-8, UTF-16, UTF-32) decides.
2. Otherwise the declarations are tried in this order: the charset of the HTTP header; the encoding of an XML
   declaration, or of the ``<meta charset>`` / ``<meta http-equiv>`` tag. The tag is found by the prescan of
   the HTML standard (section 13.2.3.2), in the first 4,096 bytes instead of 1,024, and in the first 65,536
   bytes before the charset is guessed. Labels have the meaning that browsers give them (``labels.py``).
3. A declaration is ignored if the bytes contradict it:

   - zero bytes are at the positions typical of UTF-16 or UTF-32;
   - the bytes are valid UTF-8 with at least one character beyond ASCII, and the declared charset cannot
     decode them or is a single-byte charset (which can decode any bytes);
   - the bytes are UTF-8 except for a few broken sequences;
   - the declared charset cannot decode more than 5 % of the bytes beyond ASCII.

4. If no declaration remains, the charset is detected (``detect.py``), valid UTF-8 first.

East Asian charsets are decoded with the vendor variants that the standard names. The exception is Shift_JIS:
text within JIS X 0208 is decoded by that standard, so that a wave dash is the same character in Shift_JIS,
EUC-JP and ISO-2022-JP. Bytes that cannot be decoded become U+FFFD and are counted. A byte order mark is not
part of the text.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Literal

from builder.io.charset.detect import detect, surely_utf8
from builder.io.charset.labels import byte_table, codec_of_label, is_multibyte
from builder.io.charset.prescan import FAR_BYTES, declared_in_page, looks_like_markup
from builder.io.charset.utf16 import unmarked_utf

How = Literal["bom", "http", "meta", "detected", "utf8"]

MAX_LOST = 0.05
"""The largest share of bytes beyond ASCII that a declared charset may fail to decode."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HIGH = bytes(range(0x80, 0x100))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A decoded text, its codec, and how the codec was chosen.

    ``encoding`` is Python's name of the codec. ``n_replaced`` counts the U+FFFD that replace bytes which
    could not be decoded, not those that the bytes encode.
    """

    text: str
    encoding: str
    n_replaced: int
    how: How


def decode(data: bytes, *, http_charset: str | None = None, is_html: bool = False) -> Decoded:
    r"""Decode bytes by the rules of this module; never fails.

    Args:
        http_charset: the ``charset`` parameter of the Content-Type header, unchanged.
        is_html: whether to look for a ``<meta>`` tag; bytes that begin like a page are always searched.

    >>> decode(b"caf\xe9", http_charset="iso-8859-1").text
    'café'
    >>> decode("<meta charset=koi8-r>мир".encode("koi8-r")).how
    'meta'
    """
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], codec, how="bom")
    http = codec_of_label(http_charset.strip(" \"'")) if http_charset else None
    declared: list[tuple[str, How]] = [(http, "http")] if http else []
    is_html = is_html or looks_like_markup(data)
    if is_html and (meta := declared_in_page(data)) is not None:
        declared.append((meta, "meta"))
    if (wide := unmarked_utf(data)) is not None:
        return _decoded(data, wide, how=_how_of(wide, declared))
    utf8 = _strict(data, "utf-8")
    if utf8 is not None:
        return _valid_utf8(data, utf8, declared)
    if surely_utf8(data):
        return _decoded(
            data, "utf-8", how=next((how for name, how in declared if name == "utf-8"), "detected")
        )
    believed = _believed(data, declared)
    if believed is None and is_html and (meta := declared_in_page(data, n_bytes=FAR_BYTES)) is not None:
        believed = _believed(data, [(meta, "meta")])
    return believed or _detected(data, declared)


def _how_of(codec: str, declared: list[tuple[str, How]]) -> How:
    return next((how for name, how in declared if name == codec), "detected")


def _valid_utf8(data: bytes, text: str, declared: list[tuple[str, How]]) -> Decoded:
    """Decode valid UTF-8 bytes, as UTF-8 unless a declared multi-byte charset decodes them without loss."""
    plain = data.isascii()
    for codec, how in declared:
        if codec == "utf-8" or (plain and byte_table(codec) is not None and not codec.startswith("cp8")):
            return Decoded(text=text, encoding=codec, n_replaced=0, how=how)
        if is_multibyte(codec) and not codec.startswith("utf-"):
            found = _decoded(data, codec, how=how)
            if not found.n_replaced:
                return found
    if plain and (codec_found := detect(data)) is not None and codec_found != "utf-8":
        return _decoded(data, codec_found, how="detected")
    return Decoded(text=text, encoding="utf-8", n_replaced=0, how="utf8")


def _believed(data: bytes, declared: list[tuple[str, How]]) -> Decoded | None:
    if not declared:
        return None
    n_high = len(data) - len(data.translate(None, _HIGH))
    for codec, how in declared:
        found = _decoded(data, codec, how=how)
        if found.n_replaced <= MAX_LOST * n_high:
            return found
    return None


def _detected(data: bytes, declared: list[tuple[str, How]]) -> Decoded:
    codec = detect(data)
    if codec is not None:
        return _decoded(data, codec, how="detected")
    if declared:
        return _decoded(data, declared[0][0], how=declared[0][1])
    return _decoded(data, "utf-8", how="utf8")


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return None


def _decoded(data: bytes, codec: str, *, how: How) -> Decoded:
    """Decode with one codec, and count the bytes that it cannot decode."""
    if codec == "cp932" and (text := _strict(data, "shift_jis")) is not None:
        return Decoded(text=text, encoding="shift_jis", n_replaced=0, how=how)
    table = byte_table(codec)
    if table is not None:
        text, _ = codecs.charmap_decode(data, "replace", table)
    else:
        text = data.decode(codec, "replace")
    n_replaced = text.count("\ufffd")
    if n_replaced:
        n_replaced -= _encoded_marks(data, codec)
    return Decoded(text=text, encoding=codec, n_replaced=max(n_replaced, 0), how=how)


def _encoded_marks(data: bytes, codec: str) -> int:
    """Count the U+FFFD that the bytes themselves encode."""
    mark = "\ufffd".encode(codec, "ignore")
    if not mark:
        return 0
    width = {"utf-16": 2, "utf-32": 4}.get(codec[:6], 1)
    return sum(1 for m in re.finditer(re.escape(mark), data) if m.start() % width == 0)
