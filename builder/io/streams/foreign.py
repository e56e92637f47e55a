"""Name the formats that no source of text reads, by the first bytes of a file."""

from __future__ import annotations

import re
from typing import Final

_UNPACK: Final = "unpack it, and name the files in it"
_DECOMPRESS: Final = "decompress it, or compress it with gzip or zstd"
_EXPORT: Final = "export it as CSV or JSON lines"
_PARQUET: Final = "read it with a parquet source"
_BINARY: Final = rb"[\x00-\x08\x0e-\x1f\x80-\xff]"

_FORMATS: Final = (
    (rb"7z\xbc\xaf\x27\x1c", "7z", _UNPACK),
    (rb"Rar!\x1a\x07", "RAR", _UNPACK),
    (rb"\x1f[\x9d\xa0]", "compress (.Z)", _DECOMPRESS),
    (rb"\x5d\x00\x00.{2}[\x00-\xff]{8}\x00", "lzma", _DECOMPRESS),
    (rb"\xff\x06\x00\x00sNaPpY", "snappy", _DECOMPRESS),
    (rb"\x78[\x01\x5e\x9c\xda](?=.{0,64}[\x00-\x08\x0e-\x1f\x7f-\xff])", "zlib", _DECOMPRESS),
    (rb"%PDF-", "PDF", "extract its text first"),
    (rb"PAR1" + _BINARY, "Parquet", _PARQUET),
    (rb"ARROW1\x00", "Arrow", "write it as Parquet, and read it with a parquet source"),
    (rb"Obj\x01", "Avro", _EXPORT),
    (rb"ORC" + _BINARY, "ORC", "write it as Parquet, and read it with a parquet source"),
    (rb"SQLite format 3\x00", "SQLite", _EXPORT),
    (rb"\x89HDF\r\n\x1a\n", "HDF5", _EXPORT),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel or Word", _EXPORT),
    (rb"\x93NUMPY|\x80[\x02-\x05][\x8c}\x5d\x63]", "a pickle or an array of Python", _EXPORT),
    (rb"\xff\xfe\x00\x00|\x00\x00\xfe\xff", "text in UTF-32", "convert it to UTF-8"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a", "an image", "select other files"),
)
_KNOWN: Final = tuple((re.compile(magic, re.DOTALL), name, advice) for magic, name, advice in _FORMATS)


def foreign_format(opening: bytes) -> tuple[str, str] | None:
    r"""Return the name of a format that is not text and not an archive that is read, and what to do.

    >>> foreign_format(b"PAR1\x15\x04")
    ('Parquet', 'read it with a parquet source')
    >>> foreign_format(b'{"url": "a"}')
    """
    return next(((name, advice) for magic, name, advice in _KNOWN if magic.match(opening)), None)
