"""Convert a stream in UTF-16 with a byte order mark to UTF-8, chunk by chunk."""

from __future__ import annotations

import codecs
from itertools import chain
from typing import TYPE_CHECKING

from builder.io.streams.streams import StreamFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def utf16_codec(head: bytes) -> str | None:
    r"""Return the codec of a file that begins with the byte order mark of UTF-16, else None.

    >>> utf16_codec(b"\xff\xfea\0"), utf16_codec(b"\xef\xbb\xbfa")
    ('utf-16-le', None)
    """
    return _MARKS.get(head[:2])


def utf8_chunks(chunks: Iterable[bytes | StreamFault]) -> Iterator[bytes | StreamFault]:
    """Yield the chunks of a file; those of a file with the byte order mark of UTF-16 in UTF-8.

    A unit that is not valid UTF-16 becomes the byte 0xFF, which is not valid UTF-8, so its record fails.

    Args:
        chunks: the bytes of the file from its start.
    """
    return read_mark(chunks)[1]


def read_mark(
    chunks: Iterable[bytes | StreamFault],
) -> tuple[str | None, Iterator[bytes | StreamFault]]:
    """Return the codec of a file with the byte order mark of UTF-16, and the result of ``utf8_chunks``."""
    chunks = iter(chunks)
    head: list[bytes | StreamFault] = []
    while sum(len(one) for one in head if isinstance(one, bytes)) < len(codecs.BOM_UTF16_LE):
        if (one := next(chunks, None)) is None:
            break
        head.append(one)
        if isinstance(one, StreamFault):
            break
    first = b"".join(one for one in head if isinstance(one, bytes))
    codec = utf16_codec(first)
    if codec is None:
        return None, put_back(head, chunks)
    rest = chain([first[len(codecs.BOM_UTF16_LE) :]], head[-1:] if _is_fault(head) else [], chunks)
    return codec, transcoded(rest, codec=codec)


def put_back(
    head: list[bytes | StreamFault], chunks: Iterator[bytes | StreamFault]
) -> Iterator[bytes | StreamFault]:
    """Yield the chunks of ``head``, which is emptied, and then the others.

    ``itertools.chain`` would keep the first chunk until the end, and each later one would take fresh memory.
    """
    while head:
        yield head.pop(0)
    yield from chunks


def _is_fault(head: list[bytes | StreamFault]) -> bool:
    return isinstance(head[-1], StreamFault)


def transcoded(chunks: Iterable[bytes | StreamFault], *, codec: str) -> Iterator[bytes | StreamFault]:
    """Yield the chunks of a file in UTF-8; see ``utf8_chunks`` for what is not valid."""
    decoder = codecs.getincrementaldecoder(codec)(_ERRORS)
    for chunk in chunks:
        if isinstance(chunk, StreamFault):
            yield chunk
            return
        if text := decoder.decode(chunk):
            yield _encoded(text)
    if text := decoder.decode(b"", final=True):
        yield _encoded(text)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", _ERRORS)


def _wrong_unit(error: UnicodeError) -> tuple[str | bytes, int]:
    """Decode what is not valid as half of a surrogate pair, and encode that as a byte that is not UTF-8."""
    if isinstance(error, UnicodeDecodeError):
        return "\udcff", error.end
    if isinstance(error, UnicodeEncodeError):
        return b"\xff" * (error.end - error.start), error.end
    raise error


_ERRORS = "builder.wrong_unit"
codecs.register_error(_ERRORS, _wrong_unit)
