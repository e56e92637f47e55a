"""Map a charset label to a codec, as browsers do (WHATWG Encoding Standard, section 4.2).

The labels of the standard come from `webencodings`. Some labels do not mean what their name suggests:
``iso-8859-1`` and ``us-ascii`` mean windows-1252, ``gb2312`` means gb18030, ``shift_jis`` means windows-31J
and ``euc-kr`` means windows-949, because pages with these labels are written in these charsets. Labels of old
pages that the standard does not list or refuses (code page 855, UTF-32, ISO-2022-KR) map to the codec of that
name. Browsers refuse some of them for security reasons that do not apply to text. No label maps to UTF-7 or
to a codec that is not a charset.
"""

from __future__ import annotations

import codecs
import re
from functools import cache

from webencodings.labels import LABELS

_CODECS = {
    "big5": "big5hkscs",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "iso-2022-jp": "iso2022_jp",
    "iso-8859-8-i": "iso8859-8",
    "macintosh": "mac-roman",
    "shift_jis": "cp932",
    "utf-16be": "utf-16-be",
    "utf-16le": "utf-16-le",
    "utf-8": "utf-8",
    "windows-1252": "cp1252",
    "windows-1254": "cp1254",
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-user-defined": "cp1252",
}
"""Codecs of the standard's encodings; the others have the codec that Python finds by their name."""

_FURTHER: dict[str, str] = {
    "big5hkscs": "cp950 ms950 windows-950",
    "cp1252": "iso-ir-6 latin-1",
    "cp855": "csibm855",
    "cp866": "dos-866",
    "cp874": "cp874 tis620 x-windows-874",
    "cp932": "cp932 cswindows31j",
    "cp949": "cp949 euckr ks_c_5601 ms949 uhc",
    "euc_jp": "eucjp x-euc",
    "gb18030": "cp936 euc-cn euccn ms936 windows-936",
    "hz": "hz-gb-2312",
    "iso2022_kr": "csiso2022kr iso-2022-kr",
    "mac-cyrillic": "maccyrillic",
    "utf-32-be": "utf-32be",
    "utf-32-le": "iso-10646-ucs-4 ucs-4 utf-32 utf-32le",
    "utf-8": "utf8mb4",
}
"""Labels that the standard does not know or refuses."""

_CODEC_OF_FURTHER = {label: codec for codec, labels in _FURTHER.items() for label in labels.split()}

_OTHER_CODECS = """
    cp437 cp720 cp737 cp775 cp850 cp852 cp855 cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869
    cp1006 cp1125 cp1250 cp1251 cp1253 cp1255 cp1256 cp1257 cp1258 euc_jis_2004 euc_jisx0213 hz
    iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso8859-2 iso8859-3 iso8859-4
    iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-10 iso8859-13 iso8859-14 iso8859-15 iso8859-16 johab
    koi8-r koi8-t koi8-u kz1048 mac-croatian mac-cyrillic mac-greek mac-iceland mac-latin2 mac-roman
    mac-romanian mac-turkish ptcp154 shift_jis_2004 shift_jisx0213
"""
_ALLOWED = frozenset(_OTHER_CODECS.split()) | frozenset(_CODECS.values()) | frozenset(_FURTHER)
"""Codecs that any of their Python names may select."""

_LABEL = re.compile(r"[a-z0-9][a-z0-9._:+-]{0,40}")
_MULTIBYTE = ("utf", "gb18030", "big5", "cp949", "cp932", "euc", "iso2022", "hz", "johab", "shift")


def codec_of_label(label: str | None) -> str | None:
    """Return the name of the codec that a label means, or None for an unknown label.

    >>> [codec_of_label(label) for label in (" ISO-8859-1 ", "maccyrillic", "rot13", "utf-7")]
    ['cp1252', 'mac-cyrillic', None, None]
    """
    if label is None:
        return None
    label = label.strip(" \t\r\n\f").lower()
    return _named(label) or _found_by_python(LABELS.get(label, label))


def _named(label: str) -> str | None:
    """Return the codec that the tables of this module give to a label."""
    return _CODEC_OF_FURTHER.get(label) or _CODECS.get(LABELS.get(label, ""))


def _found_by_python(name: str) -> str | None:
    if not _LABEL.fullmatch(name):
        return None
    try:
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return codec if codec in _ALLOWED else _named(codec)


def is_multibyte(codec: str) -> bool:
    """Return whether a character may take more than one byte."""
    return codec.startswith(_MULTIBYTE)


@cache
def byte_table(codec: str) -> str | None:
    """Return the 256 characters of a single-byte charset, or None for a multi-byte charset.

    Bytes 0x80 to 0x9F that a Windows code page does not define map to the C1 control of the same number, as
    in the standard's indexes. Other undefined bytes map to ``U+FFFE``, which ``codecs.charmap_decode`` treats
    as undefined.
    """
    if is_multibyte(codec):
        return None
    table = []
    for byte in range(256):
        char = bytes([byte]).decode(codec, "replace")
        if char == "\ufffd":
            char = chr(byte) if codec.startswith("cp12") and 0x80 <= byte <= 0x9F else "\ufffe"
        table.append(char)
    return "".join(table)
