"""Find out by the first bytes of a file how it is compressed, and whether it is a zip or tar archive."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from builder.io.streams.foreign import foreign_format
from builder.io.streams.streams import compression_of, open_raw, read_chunks

if TYPE_CHECKING:
    from io import RawIOBase

Container = Literal["zip", "tar"]

_OPENING_BYTES: Final = 512
_MAGICS: Final = {
    "gzip": re.compile(rb"\x1f\x8b\x08"),
    "bz2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\x00"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    "lz4": re.compile(rb"\x04\x22\x4d\x18"),
}
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f-\xff]")


class FileContent(NamedTuple):
    """How a file is compressed (None: it is not), and what kind of archive its content is (None: none).

    Attributes:
        refused: why no source of text can read the content, and what to do; None if it may be text.
    """

    codec: str | None
    container: Container | None
    refused: str | None = None


def content_of(address: str, *, name: str) -> FileContent:
    """Examine the first bytes of a file.

    The name decides only if the bytes are neither compressed nor text: the file may be damaged there.

    Raises:
        SourceError: if the file cannot be read.
    """
    with open_raw(address) as file:
        opening = _read(file)
    codec = codec_of(opening, name=name)
    if codec is None:
        return FileContent(None, container_of(opening, name=name), _refusal(opening))
    inside = next(read_chunks(address, codec=codec, chunk_bytes=_OPENING_BYTES), b"")
    if not isinstance(inside, bytes):
        return FileContent(codec, None)
    container = container_of(inside, name="")
    if container == "zip":
        return FileContent(codec, None, f"a zip archive is compressed with {codec}: decompress the file")
    if again := next((one for one, magic in _MAGICS.items() if magic.match(inside)), None):
        return FileContent(codec, None, f"{again} is compressed with {codec} again: decompress the file once")
    return FileContent(codec, container, _refusal(inside))


def codec_of(opening: bytes, *, name: str) -> str | None:
    r"""Return the codec of a file by its first bytes.

    >>> codec_of(b"\x1f\x8b\x08", name="a.jsonl"), codec_of(b"plain", name="a.jsonl.gz")
    ('gzip', None)
    """
    named = compression_of(name)
    if named is not None and _MAGICS[named].match(opening):
        return named  # the magic numbers of skippable frames are valid in lz4 and zstd
    for codec, magic in _MAGICS.items():
        if magic.match(opening):
            return codec
    return named if _NOT_TEXT.search(opening) else None


def _refusal(opening: bytes) -> str | None:
    if (found := foreign_format(opening)) is None:
        return None
    return f"the file is {found[0]}, which this source does not read: {found[1]}"


def container_of(opening: bytes, *, name: str) -> Container | None:
    """Return the kind of archive that the first bytes are of; None if they are not of an archive."""
    if opening.startswith(_ZIP):
        return "zip"
    old_tar = name.lower().endswith(".tar") and len(opening) == _OPENING_BYTES
    return "tar" if opening[257:262] == b"ustar" or old_tar else None


def _read(file: RawIOBase) -> bytes:
    opening = b""
    while len(opening) < _OPENING_BYTES and (more := file.read(_OPENING_BYTES - len(opening))):
        opening += more
    return opening
