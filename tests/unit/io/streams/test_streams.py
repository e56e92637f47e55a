"""Streams are read and decompressed, intact or damaged."""

from __future__ import annotations

import bz2
import gzip
import itertools
import random
import zlib
from typing import TYPE_CHECKING, Any

import fsspec
import lz4.frame
import pytest
import zstandard

from builder.errors import SourceError
from builder.io.streams import streams
from builder.io.streams.streams import REASONS, StreamFault, compression_of, open_input, read_chunks

if TYPE_CHECKING:
    from pathlib import Path

PACK = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "lz4": lambda data: lz4.frame.compress(data, content_checksum=True),
    "zstd": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}
TEXT = "".join(f"line {i} {random.Random(i).random()}\n" for i in range(9000)).encode()
each_codec = pytest.mark.parametrize("codec", sorted(PACK))


def read(path: Path | str, codec: str | None, **options: Any) -> tuple[bytes, StreamFault | None]:
    """Return everything that can be read, and the fault, which must be the last item."""
    chunks = list(read_chunks(str(path), codec=codec, **options))
    fault = chunks.pop() if chunks and isinstance(chunks[-1], StreamFault) else None
    assert all(isinstance(chunk, bytes) and chunk for chunk in chunks)
    return b"".join(chunk for chunk in chunks if isinstance(chunk, bytes)), fault


def test_the_last_suffix_decides_the_codec() -> None:
    """In upper or lower case."""
    assert [compression_of(name) for name in ("a.gz", "b.jsonl.ZST", "c.bz2", "d.lz4", "e.jsonl", "gz")] == [
        "gzip",
        "zstd",
        "bz2",
        "lz4",
        None,
        None,
    ]


@each_codec
def test_members_and_frames_are_one_stream(tmp_path: Path, codec: str) -> None:
    """Concatenated streams, some of them empty, give the concatenated contents."""
    place = tmp_path / "x"
    place.write_bytes(PACK[codec](TEXT) + PACK[codec](b"") + PACK[codec](b"tail"))
    assert read(place, codec) == (TEXT + b"tail", None)


@each_codec
@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_chunk_is_never_longer_than_the_requested_size(tmp_path: Path, codec: str, size: int) -> None:
    """The chunk size does not affect the content."""
    place, text = tmp_path / "x", TEXT[:5000]
    place.write_bytes(PACK[codec](text))
    chunks = list(read_chunks(str(place), codec=codec, chunk_bytes=size))
    assert text == b"".join(c for c in chunks if isinstance(c, bytes))
    assert size >= max(len(c) for c in chunks if isinstance(c, bytes))


@each_codec
@pytest.mark.parametrize("block", [1, 13, 1 << 16])
def test_the_size_of_raw_reads_does_not_affect_the_content(
    tmp_path: Path, codec: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A header or trailer may be split over several reads."""
    monkeypatch.setattr(streams, "_RAW_BYTES", block)
    place, text = tmp_path / "x", TEXT[:3000]
    place.write_bytes(PACK[codec](text) + PACK[codec](text))
    assert (text * 2, None) == read(place, codec)


@each_codec
@pytest.mark.parametrize("share", [0.1, 0.5, 0.999])
def test_a_truncated_stream_gives_the_data_before_the_end_and_a_fault(
    tmp_path: Path, codec: str, share: float
) -> None:
    """The offset of the fault is the number of readable bytes."""
    packed = PACK[codec](TEXT)
    place = tmp_path / "x"
    place.write_bytes(packed[: int(len(packed) * share)])
    data, fault = read(place, codec)
    assert fault is not None
    assert (f"{codec}_truncated", len(data)) == (fault.reason, fault.offset)
    assert TEXT.startswith(data)


@each_codec
def test_the_member_before_a_truncated_one_is_complete(tmp_path: Path, codec: str) -> None:
    """Damage does not affect earlier members."""
    place = tmp_path / "x"
    place.write_bytes(PACK[codec](TEXT) + PACK[codec](TEXT)[:20])
    data, fault = read(place, codec)
    assert data[: len(TEXT)] == TEXT
    assert fault is not None


@each_codec
def test_a_corrupt_stream_gives_the_data_before_the_damage_and_a_fault(tmp_path: Path, codec: str) -> None:
    """For any changed byte: no exception, and every undamaged member before it."""
    first, packed = PACK[codec](TEXT[:1000]), bytearray(PACK[codec](TEXT[:50_000]))
    place = tmp_path / "x"
    rng = random.Random(7)
    for _ in range(20):
        bad = bytearray(packed)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        place.write_bytes(first + bad)
        data, fault = read(place, codec)
        assert data.startswith(TEXT[:1000])
        assert fault is None or (fault.reason in REASONS and fault.offset == len(data))


@each_codec
def test_a_wrong_checksum_loses_no_byte(tmp_path: Path, codec: str) -> None:
    """Decoders discard the output of the call that fails; it is decompressed again."""
    packed = bytearray(PACK[codec](TEXT))
    packed[{"gzip": -6, "bz2": -3}.get(codec, -1)] ^= 0xFF
    place = tmp_path / "x"
    place.write_bytes(packed)
    data, fault = read(place, codec)
    assert data == TEXT
    assert fault is not None
    assert f"{codec}_corrupt" == fault.reason


def test_bytes_before_a_gzip_error_equal_those_of_zlib_byte_by_byte(tmp_path: Path) -> None:
    """The reference is a decoder that gets one byte at a time."""
    packed = bytearray(PACK["gzip"](TEXT))
    packed[len(packed) // 2] ^= 0xFF
    stream, expected = zlib.decompressobj(31), b""
    try:
        for byte in packed:
            expected += stream.decompress(bytes([byte]))
    except zlib.error:
        pass
    (tmp_path / "x").write_bytes(packed)
    assert expected == read(tmp_path / "x", "gzip")[0]


def test_a_plain_file_with_a_gzip_suffix_is_a_fault_at_0(tmp_path: Path) -> None:
    """No byte of it can be decompressed."""
    (tmp_path / "x").write_bytes(b'{"a": 1}\n')
    data, fault = read(tmp_path / "x", "gzip")
    assert (data, fault and fault.reason, fault and fault.offset) == (b"", "gzip_corrupt", 0)


def test_an_empty_file_is_an_empty_stream(tmp_path: Path) -> None:
    """Zero bytes are zero members."""
    (tmp_path / "x").write_bytes(b"")
    assert read(tmp_path / "x", "gzip") == (b"", None)


def test_zeros_after_a_gzip_member_are_padding_and_other_bytes_are_a_fault(tmp_path: Path) -> None:
    """Tapes and block devices pad with NUL."""
    place = tmp_path / "x"
    place.write_bytes(PACK["gzip"](b"a") + b"\0" * 100_000 + PACK["gzip"](b"b") + b"\0" * 7)
    assert read(place, "gzip") == (b"ab", None)
    place.write_bytes(PACK["gzip"](b"a") + b"garbage")
    assert read(place, "gzip")[0] == b"a"
    assert read(place, "gzip")[1] is not None


def test_skippable_frames_are_skipped(tmp_path: Path) -> None:
    """Frames that pzstd and lz4 write for their own use contain no data."""
    skippable = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    for codec in ("zstd", "lz4"):
        (tmp_path / "x").write_bytes(skippable + PACK[codec](TEXT) + skippable)
        assert read(tmp_path / "x", codec) == (TEXT, None)


def test_a_zstd_window_over_the_limit_is_refused(tmp_path: Path) -> None:
    """A frame cannot allocate half a gigabyte of memory."""
    options = zstandard.ZstdCompressionParameters(window_log=29, enable_ldm=True)
    stream = zstandard.ZstdCompressor(compression_params=options).compressobj()
    (tmp_path / "x").write_bytes(stream.compress(TEXT) + stream.flush())
    data, fault = read(tmp_path / "x", "zstd")
    assert (data, fault and fault.reason) == (b"", "zstd_window")
    assert "window" in (fault.message if fault else "")


def test_a_zstd_window_over_the_limit_is_read_by_option(tmp_path: Path) -> None:
    """Dumps of Pushshift are compressed with `--long=31`."""
    parameters = zstandard.ZstdCompressionParameters(window_log=31, compression_level=1)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    (tmp_path / "a.zst").write_bytes(writer.compress(b"tide" * 1000) + writer.flush())
    chunks = list(read_chunks(str(tmp_path / "a.zst"), codec="zstd", zstd_long=31))
    assert b"".join(one for one in chunks if isinstance(one, bytes)) == b"tide" * 1000
    (fault,) = read_chunks(str(tmp_path / "a.zst"), codec="zstd", zstd_long=27)
    assert isinstance(fault, StreamFault)
    assert "set zstd_long: 31 in the source" in fault.message


@each_codec
def test_a_decompression_bomb_is_read_in_small_chunks(tmp_path: Path, codec: str) -> None:
    """64 MB of zeros in a few KB: no chunk is longer than requested."""
    (tmp_path / "x").write_bytes(PACK[codec](bytes(64 << 20)))
    n_bytes = 0
    for chunk in read_chunks(str(tmp_path / "x"), codec=codec):
        assert isinstance(chunk, bytes)
        assert len(chunk) <= 1 << 20
        n_bytes += len(chunk)
    assert n_bytes == 64 << 20


def test_uncompressed_files_are_read_by_range(tmp_path: Path) -> None:
    """From start to stop, in bytes, in chunks of the requested size."""
    (tmp_path / "x").write_bytes(TEXT)
    assert (TEXT[10:5000], None) == read(tmp_path / "x", None, start=10, stop=5000, chunk_bytes=64)
    assert (TEXT[10:], None) == read(tmp_path / "x", None, start=10)
    assert read(tmp_path / "x", None, start=10, stop=10) == (b"", None)


@each_codec
def test_a_compressed_file_is_read_from_member_to_member(tmp_path: Path, codec: str) -> None:
    """``start`` and ``stop`` are file offsets of members."""
    one, two = PACK[codec](b"one"), PACK[codec](b"two")
    (tmp_path / "x").write_bytes(one + two + one)
    assert read(tmp_path / "x", codec, start=len(one), stop=len(one) + len(two)) == (b"two", None)


class Flaky:
    """A remote file that fails at some reads."""

    def __init__(self, file: Any, failures: Any) -> None:
        self._file, self._failures = file, failures

    def read(self, size: int) -> bytes:
        if next(self._failures):
            raise ConnectionResetError("the peer hung up")
        return bytes(self._file.read(min(size, 100)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def flaky(monkeypatch: pytest.MonkeyPatch, failures: Any) -> str:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/flaky", TEXT)
    opened = type(memory).open
    monkeypatch.setattr(type(memory), "open", lambda *args: Flaky(opened(*args), failures))
    monkeypatch.setattr(streams, "RETRY_DELAYS_S", (0.0, 0.0))
    return "memory://flaky"


def test_a_failed_read_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is opened again at the same offset: no byte is lost or repeated."""
    address = flaky(monkeypatch, itertools.cycle([False, False, True]))
    assert read(address, None) == (TEXT, None)


def test_a_remote_that_keeps_failing_is_a_source_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a bounded number of tries, with the address in the error."""
    address = flaky(monkeypatch, itertools.chain([False] * 5, itertools.repeat(True)))
    with pytest.raises(SourceError, match="memory://flaky"):
        read(address, None)


def test_a_deleted_file_is_a_source_error_without_retries(tmp_path: Path) -> None:
    """A retry cannot bring it back."""
    with pytest.raises(SourceError, match="no longer exists"):
        open_input(str(tmp_path / "gone"))


def test_an_open_input_supports_seek(tmp_path: Path) -> None:
    """From the start, from the current offset, and from the end."""
    (tmp_path / "x").write_bytes(b"0123456789")
    with open_input(f"file://{tmp_path}/x") as file:
        assert file.seek(0, 2) == 10
        assert file.seek(3) == 3
        assert file.read(2) == b"34"
        assert file.seek(2, 1) == 7
        assert file.read() == b"789"
