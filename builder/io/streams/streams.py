"""Read and decompress files, local or remote; damage in a stream is returned as a value, not raised."""

from __future__ import annotations

import io
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from builder.errors import Fault, SourceError
from builder.io.streams.address import as_address, is_local, local_path
from builder.io.streams.codecs import MAX_ZSTD_LONG, NEEDS_WINDOW, ZSTD_LONG, Codec, Decoder, feed, find_codec
from builder.io.streams.limits import SWELLING, swelling_message, swells
from builder.io.streams.remote import explain, open_remote, refused_redirect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_T = TypeVar("_T")

RETRY_DELAYS_S: tuple[float, ...] = (0.5, 2.0, 8.0)
"""Seconds to wait before each retry of a read after an I/O error."""

_RAW_BYTES = 64 << 10
"""Compressed bytes that are read at a time."""

_NO_RANGES = ("support range requests", "Cannot seek streaming HTTP file")
"""What errors of fsspec say of a web server that sends only whole files."""

_PERMANENT = (FileNotFoundError, PermissionError, IsADirectoryError)
"""Errors that a retry cannot fix."""

_SUFFIXES = {
    ".gz": "gzip",
    ".gzip": "gzip",
    ".zst": "zstd",
    ".zstd": "zstd",
    ".bz2": "bz2",
    ".lz4": "lz4",
    ".xz": "xz",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFault:
    """The reason why a compressed stream cannot be read to its end.

    ``offset`` is the number of decompressed bytes before the fault.
    """

    reason: str
    offset: int
    message: str


REASONS = (
    SWELLING
    | {
        "zstd_window": "A zstd frame needs a window over 128 MiB (the option `zstd_long` of some sources); "
        "the data before were read.",
    }
    | {
        f"{codec}_{what}": f"The {codec} stream {sentence}; the data before this place were read."
        for codec in dict.fromkeys(_SUFFIXES.values())
        for what, sentence in (("truncated", "is truncated"), ("corrupt", "is damaged"))
    }
)
"""The reasons of a ``StreamFault``, with the text for ``docs/reasons.md``."""


def compression_of(name: str) -> str | None:
    """Return the codec that a file's name implies, or None for an uncompressed file.

    >>> compression_of("feed/2017.jsonl.GZ"), compression_of("feed.jsonl")
    ('gzip', None)
    """
    return _SUFFIXES.get(Path(name).suffix.lower())


def open_input(address: str, *, buffer_bytes: int = 1 << 20) -> BinaryIO:
    """Open a file on this machine or at any fsspec address, for reading and seeking.

    Args:
        buffer_bytes: bytes that are read at least; reads of more go around the buffer, without a copy.

    Raises:
        SourceError: here or at any read, if the file cannot be read after several tries.
    """
    return cast("BinaryIO", io.BufferedReader(open_raw(address), buffer_size=buffer_bytes))


def open_raw(address: str) -> io.RawIOBase:
    """Open a file like ``open_input``, without a buffer."""
    return _RetryingFile(address)


class DamagedMemberError(ValueError):
    """A member of an archive cannot be read to its end."""


_MEMBERS: dict[str, Callable[[], BinaryIO]] = {}


@contextmanager
def members_at(openers: Mapping[str, Callable[[], BinaryIO]]) -> Iterator[None]:
    """Let members of an archive be opened by addresses of their own, in this process."""
    _MEMBERS.update(openers)
    try:
        yield
    finally:
        for address in openers:
            _MEMBERS.pop(address, None)


def read_chunks(
    address: str,
    *,
    codec: str | None,
    start: int = 0,
    stop: int | None = None,
    chunk_bytes: int = 1 << 20,
    zstd_long: int | None = None,
) -> Iterator[bytes | StreamFault]:
    """Read a file in chunks of decompressed bytes.

    Several members (gzip, bz2) or frames (zstd, lz4) are read as one stream. A damaged stream gives all bytes
    that can be decompressed before the damage, then one ``StreamFault``, and ends. Whatever the compression
    ratio, memory is limited to ``chunk_bytes`` and the buffers of the format. Chunks are never empty; those
    of a damaged stream may be small.

    Args:
        codec: the result of ``compression_of``.
        start: first byte to read, in the stored file; in a compressed file, the start of a member.
        stop: end of the range to read, in bytes of the stored file.
        zstd_long: base-2 logarithm of the largest window that a zstd frame may require; None if the source
            has no option for it.

    Raises:
        SourceError: if the file cannot be read after several tries.
    """
    read = _read_raw if codec is None else partial(_decompress, codec=codec, zstd_long=zstd_long)
    n_out = 0
    try:
        for chunk in read(address, start=start, stop=stop, size=chunk_bytes):
            n_out += len(chunk)
            yield chunk
    except DamagedMemberError as error:
        yield StreamFault(reason="member_corrupt", offset=n_out, message=str(error))
    except _Damage as damage:
        reason = damage.what if damage.what in SWELLING else f"{codec}_{damage.what}"
        yield StreamFault(reason=reason, offset=n_out, message=damage.message)


class _Damage(Exception):  # noqa: N818 - it is caught in this file
    """Damage of a stream: ``truncated``, ``corrupt`` or ``swelling``, and a message."""

    def __init__(self, what: str, message: str) -> None:
        self.what, self.message = what, message


def _read_raw(address: str, *, start: int, stop: int | None, size: int) -> Iterator[bytes]:
    with open_input(address) as file:
        if start:
            file.seek(start)
        left = -1 if stop is None else stop - start
        while left and (data := file.read(size if left < 0 else min(size, left))):
            left -= len(data) if left > 0 else 0
            yield data


def _decompress(
    address: str, *, codec: str, start: int, stop: int | None, size: int, zstd_long: int | None
) -> Iterator[bytes]:
    """Decompress member after member; ``at`` is the file offset of the next byte to feed."""
    log = ZSTD_LONG if zstd_long is None else zstd_long
    opened = find_codec(codec, zstd_long=log)
    new, errors, padded = opened
    decoder: Decoder | None = None
    at = member = start
    n_out = 0
    for block in _read_raw(address, start=start, stop=stop, size=_RAW_BYTES):
        end, data = at + len(block), block
        while data:
            if decoder is None:
                data = data.lstrip(b"\x00") if padded and at > start else data
                at = member = end - len(data)
                if not data:
                    break
                decoder = new()
            n_member = 0
            try:
                for chunk in feed(decoder, data, size):
                    n_out += len(chunk)
                    if swells(n_out, end - start):
                        raise _Damage("swelling", swelling_message(end - start))
                    n_member += len(chunk)
                    yield chunk
            except errors as error:
                yield from _recover(address, opened, (member, at, at + len(data)), n_member, size)
                if codec == "zstd" and NEEDS_WINDOW in str(error):
                    message = f"the frame at byte {member} needs a window over {1 << log} bytes"
                    advice = "compress the file again, without --long"
                    if zstd_long is not None:
                        advice = f"set zstd_long: {MAX_ZSTD_LONG} in the source, or {advice}"
                    raise _Damage("window", f"{message}: {advice}") from error
                message = f"the member at byte {member} of the compressed file is damaged: {error}"
                raise _Damage("corrupt", message) from error
            data = decoder.unused_data if decoder.eof else b""
            at = end - len(data)
            decoder = None if decoder.eof else decoder
    if decoder is not None:
        raise _Damage("truncated", f"the file ends at byte {at}, inside the member at byte {member}")


def _recover(
    address: str, codec: Codec, place: tuple[int, int, int], n_known: int, size: int
) -> Iterator[bytes]:
    """Yield the output that the decoder discarded when it failed.

    A decoder discards the output of the call in which it meets an error. So the member is decompressed again,
    and its last block byte by byte. This takes twice the time, but only for damaged files.

    Args:
        place: file offsets of the member's start, of the failed block's start, and of its end.
        n_known: decompressed bytes of that block that were yielded before the error.
    """
    member, block, end = place
    new, errors, _ = codec
    decoder = new()
    for data in _read_raw(address, start=member, stop=block, size=_RAW_BYTES) if block > member else ():
        for _ in feed(decoder, data, size):
            pass
    last = b"".join(_read_raw(address, start=block, stop=end, size=_RAW_BYTES))
    try:
        for at in range(len(last)):
            for chunk in feed(decoder, last[at : at + 1], size):
                skipped = min(n_known, len(chunk))
                n_known -= skipped
                if skipped < len(chunk):
                    yield chunk[skipped:]
    except errors:
        return


class _RetryingFile(io.RawIOBase):
    """A file that is opened again at the same offset after an I/O error."""

    def __init__(self, address: str) -> None:
        self._address = address
        local = address in _MEMBERS or is_local(address)
        self._errors: type[Exception] = OSError if local else Exception
        self._at = 0
        self._file: Any = None
        self._do(lambda _: None)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True; a remote file that does not support seeking fails in ``seek``."""
        return True

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to another offset."""
        if whence == io.SEEK_CUR:
            offset, whence = self._at + offset, io.SEEK_SET
        self._at = self._do(lambda file: file.seek(offset, whence))
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read up to the size of the buffer; return the bytes read, 0 at the end."""
        n_bytes = self._do(lambda file: _read_into(file, buffer))
        self._at += n_bytes
        return n_bytes

    def close(self) -> None:
        """Close the underlying file."""
        self._drop()
        super().close()

    def _do(self, action: Callable[[Any], _T]) -> _T:
        tries_left = len(RETRY_DELAYS_S)
        while True:
            try:
                if self._file is None:
                    self._file = _open(self._address, at=self._at)
                return action(self._file)
            except DamagedMemberError:
                raise
            except self._errors as error:
                self._drop()
                if any(text in str(error) for text in _NO_RANGES):
                    raise _without_ranges(self._address) from None
                if not tries_left or isinstance(error, _PERMANENT) or refused_redirect(error):
                    raise _unreadable(self._address, error) from None
            time.sleep(RETRY_DELAYS_S[-tries_left])
            tries_left -= 1

    def _drop(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(self._errors):
                file.close()


def _without_ranges(address: str) -> SourceError:
    """Return the error of a web server that only sends whole files; archives and Parquet need parts."""
    what = "the web server sends only whole files (it does not support range requests)"
    advice = "download the file, and name the local copy: archives and Parquet are read in parts"
    return SourceError(Fault(where=str(as_address(address)), what=what, advice=advice))


def _open(address: str, *, at: int) -> Any:
    if address in _MEMBERS:
        file: Any = _MEMBERS[address]()
    elif is_local(address):
        file = Path(local_path(address)).open("rb", buffering=0)  # noqa: SIM115 - the caller closes it
    else:
        file = open_remote(address)
    if at:
        file.seek(at)
    return file


def _read_into(file: Any, buffer: Any) -> int:
    if isinstance(file, io.FileIO):
        return file.readinto(buffer) or 0
    data = file.read(len(buffer))  # not every fsspec file has readinto
    buffer[: len(data)] = data
    return len(data)


def _unreadable(address: str, error: Exception) -> SourceError:
    if redirect := refused_redirect(error):
        return SourceError(Fault(where=str(as_address(address)), what=redirect.what, advice=redirect.advice))
    gone = isinstance(error, FileNotFoundError)
    what = "the input no longer exists" if gone else f"the input cannot be read: {explain(address, error)}"
    fix = "restore the file" if gone else "check the disk or the network"
    advice = f"{fix}, then run the same command again; finished parts are kept"
    return SourceError(Fault(where=str(as_address(address)), what=what, advice=advice))
