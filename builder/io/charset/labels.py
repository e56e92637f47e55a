"""Map a charset label to a codec, as browsers do (WHATWG Encoding Standard, section 4.2).

Some labels do not mean what their name suggests: ``iso-8859-1`` and ``us-ascii`` mean windows-1252,
``gb2312`` means gb18030, ``shift_jis`` means windows-31J and ``euc-kr`` means windows-949, because pages with
these labels are written in these charsets. Labels of old pages that the standard does not list (code page
855, UTF-32, ISO-2022-KR) map to the codec of that name; browsers refuse some of them for security reasons
that do not apply to text. No label maps to UTF-7 or to a codec that is not a charset.
"""

from __future__ import annotations

import codecs
import re
from functools import cache

_MEANT: dict[str, str] = {
    "cp1252": "ascii us-ascii iso-ir-6 latin1 l1 latin-1 iso8859-1 iso88591 iso-8859-1 iso_8859-1 "
    "iso_8859-1:1987 iso-ir-100 cp819 ibm819 csisolatin1 ansi_x3.4-1968 x-cp1252 windows-1252 cp1252 "
    "x-user-defined",
    "cp1254": "latin5 l5 csisolatin5 iso-8859-9 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 iso-ir-148 "
    "windows-1254 cp1254 x-cp1254",
    "cp874": "tis-620 tis620 iso-8859-11 iso8859-11 iso885911 windows-874 dos-874 cp874 x-windows-874",
    "gb18030": "gb2312 gb_2312 gb_2312-80 gbk x-gbk chinese csgb2312 csiso58gb231280 iso-ir-58 cp936 ms936 "
    "windows-936 gb18030 euc-cn euccn",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5 cp950 ms950 windows-950",
    "cp949": "euc-kr euckr cseuckr csksc56011987 iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 "
    "ksc_5601 ks_c_5601 windows-949 cp949 ms949 uhc",
    "cp932": "shift_jis shift-jis sjis x-sjis ms_kanji ms932 csshiftjis windows-31j cp932 cswindows31j",
    "euc_jp": "euc-jp eucjp x-euc-jp x-euc cseucpkdfmtjapanese",
    "iso2022_jp": "iso-2022-jp csiso2022jp",
    "iso2022_kr": "iso-2022-kr csiso2022kr",
    "iso8859-2": "csisolatin2",
    "iso8859-3": "csisolatin3",
    "iso8859-4": "csisolatin4",
    "iso8859-5": "csisolatincyrillic",
    "iso8859-6": "csisolatinarabic csiso88596e csiso88596i iso-8859-6-e iso-8859-6-i asmo-708 ecma-114",
    "iso8859-7": "csisolatingreek sun_eu_greek elot_928 ecma-118",
    "iso8859-8": "csisolatinhebrew csiso88598e csiso88598i iso-8859-8-e iso-8859-8-i logical visual",
    "iso8859-10": "csisolatin6",
    "iso8859-15": "csisolatin9",
    "cp866": "csibm866 dos-866",
    "cp855": "csibm855",
    "koi8-r": "koi koi8 koi8_r cskoi8r",
    "koi8-u": "koi8-ru",
    "mac-roman": "mac x-mac-roman macintosh csmacintosh",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian maccyrillic",
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 utf8 utf-8 utf8mb4",
    "utf-16-le": "utf-16 utf-16le unicode unicodefeff ucs-2 iso-10646-ucs-2 csunicode",
    "utf-16-be": "utf-16be unicodefffe",
    "utf-32-le": "utf-32 utf-32le ucs-4 iso-10646-ucs-4",
    "utf-32-be": "utf-32be",
}
_BY_LABEL = {label: name for name, labels in _MEANT.items() for label in labels.split()}

_OTHER_CODECS = """
    cp437 cp720 cp737 cp775 cp850 cp852 cp855 cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp866 cp869
    cp1006 cp1125 cp1250 cp1251 cp1253 cp1255 cp1256 cp1257 cp1258 euc_jis_2004 euc_jisx0213 hz
    iso2022_jp_1 iso2022_jp_2 iso2022_jp_2004 iso2022_jp_3 iso2022_jp_ext iso8859-2 iso8859-3 iso8859-4
    iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-10 iso8859-13 iso8859-14 iso8859-15 iso8859-16 johab
    koi8-r koi8-t koi8-u kz1048 mac-croatian mac-cyrillic mac-greek mac-iceland mac-latin2 mac-roman
    mac-romanian mac-turkish ptcp154 shift_jis_2004 shift_jisx0213
"""
_ALSO = frozenset(_OTHER_CODECS.split())
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
    if label in _BY_LABEL:
        return _BY_LABEL[label]
    if not _LABEL.fullmatch(label):
        return None
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    return name if name in _ALSO or name in _MEANT else _BY_LABEL.get(name)


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
