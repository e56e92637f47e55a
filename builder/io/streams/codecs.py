"""Decoders of compressed streams that never give more than they are asked for."""

from __future__ import annotations

import bz2
import zlib
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from zstandard import ZstdDecompressor

ZSTD_MAX_WINDOW = 1 << 27
"""Bytes of window that a zstd frame may ask for: the limit of the format's own tool without ``--long``."""

_ZSTD_SLICE = 1 << 10
"""Compressed bytes given to zstd at a time. A block of 4 bytes can hold 128 KiB, so at most 32 MiB come."""


class Decoder(Protocol):
    """One member or frame; ``unused_data`` is what was fed behind its end."""

    @property
    def eof(self) -> bool:
        """Whether the end of the member was reached."""

    @property
    def unused_data(self) -> bytes:
        """What was fed behind the end."""

    def pour(self, data: bytes, size: int) -> Iterator[bytes]:
        """Decompress as much as ``data`` gives, in pieces."""


class Codec(NamedTuple):
    """How to make a decoder, what it raises on damaged bytes, and whether NUL may pad between members."""

    decoder: Callable[[], Decoder]
    errors: tuple[type[Exception], ...]
    padded: bool


def feed(decoder: Decoder, data: bytes, size: int) -> Iterator[bytes]:
    """Give a decoder more and take what it has, in chunks that are not empty and at most ``size`` long."""
    for piece in decoder.pour(data, size):
        for at in range(0, len(piece), size):
            yield piece[at : at + size]


class _Zlib:
    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data

    def pour(self, data: bytes, size: int) -> Iterator[bytes]:
        while not self._stream.eof:
            piece = self._stream.decompress(data, size)
            data = self._stream.unconsumed_tail
            yield piece
            if not data and len(piece) < size:
                return


class _Limited:
    """For decoders with the interface of ``bz2.BZ2Decompressor``, which lz4's has as well."""

    def __init__(self, stream: bz2.BZ2Decompressor) -> None:
        self._stream = stream

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._stream.unused_data or b""

    def pour(self, data: bytes, size: int) -> Iterator[bytes]:
        while not self._stream.eof:
            yield self._stream.decompress(data, max_length=size)
            data = b""
            if self._stream.needs_input:
                return


class _Zstd:
    def __init__(self, context: ZstdDecompressor) -> None:
        self._stream = context.decompressobj()
        self._unused = b""

    @property
    def eof(self) -> bool:
        return self._stream.eof

    @property
    def unused_data(self) -> bytes:
        return self._unused

    def pour(self, data: bytes, size: int) -> Iterator[bytes]:
        del size
        for at in range(0, len(data), _ZSTD_SLICE):
            yield self._stream.decompress(data[at : at + _ZSTD_SLICE])
            if self._stream.eof:
                self._unused = self._stream.unused_data + data[at + _ZSTD_SLICE :]
                return


def find_codec(name: str, *, dictionary: bytes = b"") -> Codec:
    """Return the codec called ``gzip``, ``bz2``, ``lz4`` or ``zstd``; its library is loaded only now.

    Args:
        dictionary: what frames of zstd may refer to, if there is one.
    """
    if name == "gzip":
        return Codec(_Zlib, (zlib.error,), padded=True)
    if name == "bz2":
        return Codec(lambda: _Limited(bz2.BZ2Decompressor()), (OSError,), padded=False)
    if name == "lz4":
        from lz4.frame import LZ4FrameDecompressor

        return Codec(lambda: _Limited(LZ4FrameDecompressor()), (RuntimeError,), padded=False)
    from zstandard import ZstdError

    return Codec(partial(_Zstd, _zstd_context(dictionary)), (ZstdError,), padded=False)


def _zstd_context(dictionary: bytes) -> ZstdDecompressor:
    """Make what decoders of frames are made from; a dictionary that is none is as if it were not there."""
    from zstandard import DICT_TYPE_FULLDICT, ZstdCompressionDict, ZstdDecompressor, ZstdError

    if not dictionary:
        return ZstdDecompressor(max_window_size=ZSTD_MAX_WINDOW)
    try:
        entries = ZstdCompressionDict(dictionary, dict_type=DICT_TYPE_FULLDICT)
        return ZstdDecompressor(dict_data=entries, max_window_size=ZSTD_MAX_WINDOW)
    except ZstdError:
        return _zstd_context(b"")
