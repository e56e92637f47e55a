"""Where records begin and end, case by case; the general rule is in tests/property."""

from __future__ import annotations

import gzip
import io
import random
import tracemalloc

import archives
import pytest

from builder.io.archive import framing, heads
from builder.io.archive.framing import Failed, Padding, Record, opens_to_record, read_spans
from builder.io.archive.heads import MAX_HEAD_BYTES, to_rfc3339
from builder.io.archive.members import Members, Piece, sniff_codec
from builder.io.archive.parts import part_bounds
from builder.io.reading.file_source import cut_points

BODIES = [b"HTTP/1.1 200 OK\r\n\r\n<p>%d</p>" % n * 5 for n in range(5)]


def spans_of(data: bytes, *, packing="plain", **options) -> list:
    """Return all spans except padding."""
    spans = archives.frame(data, packing=packing, **options)[1]
    return [span for span in spans if not isinstance(span, Padding)]


def outcomes(spans) -> list[str]:
    """Return for each span ``ok``, the fault of a record, or the reason of a failure."""
    return [span.reason if isinstance(span, Failed) else span.fault or "ok" for span in spans]


# -- heads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["0.17", "0.18", "1.0", "1.1", "2.0"])
@pytest.mark.parametrize("eol", [b"\r\n", b"\n"])
def test_any_version_of_warc_is_read(version, eol):
    """A version that does not exist is read like the others."""
    data = archives.warc_record(b"abc", version=version, eol=eol)
    (record,) = spans_of(data)
    assert (record.body, record.fault) == (b"abc", None)
    assert record.head.fields["warc-type"] == "response"


def test_a_header_may_have_folded_lines_repeated_fields_and_spaces():
    """The first value of a repeated field counts; names are lower case; values are stripped."""
    head = b"WARC/1.0\r\nWARC-TYPE : resource \r\nX: 1\r\n  2\r\nx: 3\r\nContent-Length:3\r\n\r\nabc"
    (record,) = spans_of(head)
    assert record.head.fields == {"warc-type": "resource", "x": "1 2", "content-length": "3"}


def test_an_arc_line_gives_the_fields_of_both_versions():
    """The URL may contain spaces; in version 2 the content type is one of several fields."""
    uri = "http://a.example/a b?c d"
    for version in (1, 2):
        record = archives.arc_record(b"x", uri=uri, version=version, media="text/html")
        header, found = spans_of(archives.arc_header(version=version) + record)
        assert header.head.fields["warc-type"] == "filedesc"
        assert found.head.fields["warc-target-uri"] == uri
        assert found.head.fields["content-type"] == "text/html"
        assert found.head.fields["warc-date"] == "20200101000000"
        assert found.body == b"x"


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("2016", "warc", "2016-01-01T00:00:00Z"),
        ("2016-02", "warc", "2016-02-01T00:00:00Z"),
        ("2016-02-03", "warc", "2016-02-03T00:00:00Z"),
        ("2016-02-03T04:05Z", "warc", "2016-02-03T04:05:00Z"),
        ("2016-02-03T04:05:06Z", "warc", "2016-02-03T04:05:06Z"),
        ("2016-02-03T04:05:06.1Z", "warc", "2016-02-03T04:05:06.1Z"),
        ("2016-02-03T04:05:06.123456789Z", "warc", "2016-02-03T04:05:06.123456Z"),
        ("2016-02-03T04:05:06+0200", "warc", "2016-02-03T02:05:06Z"),
        ("2016-02-30T04:05:06Z", "warc", None),
        ("2008-10-294T05:21:46-0700", "warc", None),
        ("2016-02-03T04:05:60Z", "warc", None),
        ("0000-01-01", "warc", None),
        ("0001-01-01T00:00:00+01:00", "warc", None),
        ("٢٠١٦", "warc", None),
        ("yesterday", "warc", None),
        ("", "warc", None),
        ("20160203040506", "arc", "2016-02-03T04:05:06Z"),
        ("201404010000000000", "arc", "2014-04-01T00:00:00Z"),
        ("20160203", "arc", "2016-02-03T00:00:00Z"),
        ("20161303040506", "arc", None),
    ],
)
def test_dates_of_any_precision_are_converted_to_utc(text, kind, expected):
    """Missing parts are filled in; an invalid date is null."""
    assert to_rfc3339(text, kind=kind) == expected


# -- faults of a record ----------------------------------------------------------------------------


@pytest.mark.parametrize("length", ["", "abc", "-1", "5", "5000", "99999999999", "1e3"])
def test_a_wrong_length_does_not_affect_the_next_record(length):
    """The length is missing, not a number, too small or too large."""
    first = archives.warc_record(b"A" * 40, length=length)
    second = archives.warc_record(b"B" * 40)
    spans = spans_of(first + second)
    assert outcomes(spans)[0] == "wrong_length"
    assert [span.body for span in spans if isinstance(span, Record)][-1] == b"B" * 40
    assert outcomes(spans)[-1] == "ok"


def test_a_record_of_wrong_length_has_the_body_up_to_the_next_record():
    """The line ends between the records are not part of it."""
    data = archives.warc_record(b"A" * 40, length="50") + archives.warc_record(b"B")
    assert [span.body for span in spans_of(data)] == [b"A" * 40, b"B"]


def test_a_length_that_includes_the_next_record_is_wrong_even_at_a_blank_line():
    """Line ends that close a record are not evidence if a record begins before them."""
    second = archives.warc_record(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n<p>B</p>")
    reach = 40 + len(b"\r\n\r\n") + second.index(b"\r\n\r\n<p>")
    first = archives.warc_record(b"A" * 40, length=str(reach))
    assert outcomes(spans_of(first + second + second)) == ["wrong_length", "ok", "ok"]


def test_a_file_that_ends_inside_a_record_gives_the_bytes_before_the_end():
    """The last record is marked as truncated; without a complete head it fails."""
    data = archives.warc_record(b"A") + archives.warc_record(b"B" * 40)
    spans = spans_of(data[:-20])
    assert outcomes(spans) == ["ok", "truncated"]
    assert spans[1].body == b"B" * 24
    assert outcomes(spans_of(data[: data.rindex(b"Content-Length")])) == ["ok", "truncated"]


def test_garbage_between_records_is_one_failed_span():
    """The span has its offset and its bytes; both neighbouring records are read."""
    one = archives.warc_record(b"A")
    spans = spans_of(one + b"garbage\n" * 30 + b"\r\n" + one)
    assert outcomes(spans) == ["ok", "bad_header", "ok"]
    assert (spans[1].offset, spans[1].length) == (len(one), 8 * 30 + 2)
    assert spans[1].raw.startswith(b"garbage\n")


@pytest.mark.parametrize("data", [b"\0" * 999, b"GIF89a" * 99, b"java.net.URL#equals(x)\n", b"WARC/1.0\n\n"])
def test_a_file_that_is_not_an_archive_is_one_failed_span(data):
    """For any length of the file."""
    (span,) = spans_of(data)
    assert (span.reason, span.offset, span.length) == ("bad_header", 0, len(data))


def test_a_member_without_a_record_does_not_affect_the_next_member():
    """The next member begins a record, although no line end is before it."""
    parts = [b"no record", archives.warc_record(b"A")[:-4], b"\0\0", archives.warc_record(b"B")]
    data = b"".join(archives.compress(part, "gzip") for part in parts)
    assert outcomes(spans_of(data, packing="gzip")) == ["bad_header", "wrong_length", "ok"]


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", gzip.compress(b"", mtime=0)])
def test_a_file_without_records_gives_no_record_and_no_failure(data):
    """The file is empty, or has only line ends or an empty member."""
    assert spans_of(data) == []


def test_a_header_that_does_not_end_fails_and_the_next_record_is_read():
    """The header is over its limit, or the next record begins inside it."""
    cut = b"WARC/1.0\r\nWARC-Type: response\r\nX: 1\r\n"
    long = b"WARC/1.0\r\nX: " + b"y" * MAX_HEAD_BYTES + b"\r\n\r\n"
    for head in (cut, long):
        assert outcomes(spans_of(head + archives.warc_record(b"A"))) == ["bad_header", "ok"]


def test_a_record_is_found_across_the_borders_of_the_scan(monkeypatch):
    """Garbage of any length may be before it."""
    monkeypatch.setattr(framing, "_SCAN_BYTES", 32)
    monkeypatch.setattr(heads, "MAX_START_BYTES", 300)
    record = archives.warc_record(b"A" * 400)
    for n_bytes in range(1, 100):
        garbage = b"x" * n_bytes + b"\n"
        misframed = archives.warc_record(b"y" * n_bytes, length="none")
        for data, expected in ((garbage, "bad_header"), (misframed, "wrong_length")):
            pieces = [Piece(bytes([byte])) for byte in data + record]
            spans = [s for s in read_spans(pieces, max_record_bytes=1 << 20) if not isinstance(s, Padding)]
            assert outcomes(spans) == [expected, "ok"]


def test_an_archive_in_a_body_is_a_body():
    """If the length of a record is right, nothing in its body is a record."""
    inner = archives.warc_record(b"A") + archives.warc_record(b"B")
    data = archives.warc_record(inner) + archives.warc_record(b"C")
    assert [span.body for span in spans_of(data)] == [inner, b"C"]


def test_concatenated_archives_are_read_as_one():
    """The number of line ends between records may vary."""
    one = archives.warc_record(b"A")
    assert outcomes(spans_of(one + b"\r\n\n\n" + one.rstrip(b"\r\n") + b"\n" + one)) == ["ok"] * 3


# -- size ------------------------------------------------------------------------------------------


def test_a_record_over_the_limit_fails_and_its_neighbours_do_not():
    """The whole record is skipped; only its first bytes are kept."""
    data = archives.warc_record(b"A") + archives.warc_record(b"B" * 5000) + archives.warc_record(b"C")
    spans = spans_of(data, max_record_bytes=1000)
    assert outcomes(spans) == ["ok", "record_too_big", "ok"]
    assert spans[1].head.fields["warc-target-uri"] == "http://a.example/"


def read_and_measure(pieces) -> tuple[list, int]:
    """Return all spans except padding, and the largest number of bytes held at a time."""
    tracemalloc.start()
    try:
        read = read_spans(pieces, max_record_bytes=1 << 20)
        return [s for s in read if not isinstance(s, Padding)], tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def endless(n_bytes: int, *, block=1 << 18):
    """Yield pieces of one record of ``n_bytes``, and a small record after it."""
    yield Piece(archives.warc_record(b"", length=n_bytes)[:-4])
    for _ in range(n_bytes // block):
        yield Piece(bytes(block))
    yield Piece(b"\r\n\r\n" + archives.warc_record(b"A"))


@pytest.mark.parametrize("claim", [1 << 28, 1 << 40, None])
def test_a_huge_record_is_not_held_in_memory(claim):
    """256 MiB take a few MiB of memory, also if the declared length is wrong or missing."""
    pieces = endless(1 << 28)
    if claim != 1 << 28:
        next(pieces)
        head = archives.warc_record(b"", length=claim if claim else "none")[:-4]
        pieces = (piece for part in ([Piece(head)], pieces) for piece in part)
    spans, peak = read_and_measure(pieces)
    assert outcomes(spans) == ["record_too_big" if claim == 1 << 28 else "wrong_length", "ok"]
    assert peak < 8 << 20


def test_a_decompression_bomb_is_not_held_in_memory():
    """A member that expands a thousandfold is skipped in bounded memory."""
    bomb = gzip.compress(bytes(1 << 26), mtime=0) + gzip.compress(archives.warc_record(b"A"), mtime=0)
    members = Members(io.BytesIO(bomb), codec="gzip", opens=opens_to_record, guard=archives.NoGuard())
    spans, peak = read_and_measure(members)
    assert outcomes(spans) == ["bad_header", "ok"]
    assert peak < 12 << 20


def test_endless_padding_is_not_held_in_memory():
    """Line ends between records are skipped as they are read."""
    pieces = [Piece(archives.warc_record(b"A")), *[Piece(b"\n" * (1 << 18))] * 100]
    spans, peak = read_and_measure(iter(pieces))
    assert outcomes(spans) == ["ok"]
    assert peak < 4 << 20


# -- compressed files ------------------------------------------------------------------------------


@pytest.mark.parametrize("packing", ["gzip", "bz2", "zstd", "lz4"])
def test_a_damaged_member_is_located_and_loses_only_its_own_content(packing):
    """The failed span gives the lost bytes of the file; all other records are read."""
    packed = [archives.compress(r, packing) for r in archives.make_records(BODIES, form="warc")]
    packed[2] = packed[2][:20] + bytes(8) + packed[2][28:]
    pieces, spans = archives.frame(b"".join(packed), packing=packing)
    (damage,) = [piece.damage for piece in pieces if piece.damage]
    start = len(packed[0] + packed[1])
    assert (damage.reason, damage.offset, damage.length) == (f"{packing}_corrupt", start, len(packed[2]))
    assert [s.body for s in spans if isinstance(s, Record)] == [BODIES[n] for n in (0, 1, 3, 4)]
    assert outcomes([s for s in spans if isinstance(s, Failed)]) == [f"{packing}_corrupt"]


@pytest.mark.parametrize("packing", ["gzip", "gzip_whole", "bz2", "zstd", "lz4"])
def test_a_truncated_compressed_file_is_reported(packing):
    """The data before the end are read; the truncation is one failed span."""
    data = archives.pack(archives.make_records(BODIES, form="warc"), packing=packing)
    spans = spans_of(data[:-12], packing=packing)
    assert [s.body for s in spans if isinstance(s, Record)] == BODIES[: len(spans) - 1]
    assert outcomes(spans)[-1] == f"{packing.removesuffix('_whole')}_truncated"
    assert len(spans) >= 4 or packing == "bz2"


def test_a_wrong_checksum_fails_the_record_that_it_covers():
    """All bytes of the member are present, but they are not the written ones."""
    packed = [archives.compress(r, "gzip") for r in archives.make_records(BODIES, form="warc")]
    packed[1] = packed[1][:-8] + bytes(4) + packed[1][-4:]
    assert outcomes(spans_of(b"".join(packed), packing="gzip")) == ["ok", "gzip_corrupt", "ok", "ok", "ok"]


@pytest.mark.parametrize("packing", ["gzip", "bz2", "zstd", "lz4"])
def test_the_next_member_is_found_whatever_the_size_of_its_blocks(packing):
    """Block codecs give no output before a block is complete, which may take more bytes than are tried."""
    bodies = [b"%d" % n + random.Random(n).randbytes(300_000).hex().encode() for n in range(4)]
    packed = [archives.compress(r, packing) for r in archives.make_records(bodies, form="warc")]
    packed[1] = packed[1][:2000] + bytes(50) + packed[1][2050:]
    spans = spans_of(b"".join(packed), packing=packing)
    assert outcomes(spans) == ["ok", f"{packing}_corrupt", "ok", "ok"]


def test_consecutive_damaged_members_are_one_failed_span_each():
    """A damaged member after another is found by its first bytes."""
    packed = [archives.compress(r, "gzip") for r in archives.make_records(BODIES, form="warc")]
    for n in (1, 2, 3):
        packed[n] = packed[n][:-8] + bytes(4) + packed[n][-4:]
    assert outcomes(spans_of(b"".join(packed), packing="gzip")) == ["ok", *["gzip_corrupt"] * 3, "ok"]


def test_the_data_before_the_damage_are_read_in_a_file_of_one_member():
    """Decoders discard their last output; it is decompressed again, up to the last byte."""
    bodies = [b"HTTP/1.1 200 OK\r\n\r\n" + bytes(str(n), "ascii") * 300 for n in range(60)]
    data = archives.pack(archives.make_records(bodies, form="warc"), packing="gzip_whole")
    at = len(data) * 3 // 4
    spans = spans_of(data[:at] + b"\xff" * 30 + data[at + 30 :], packing="gzip_whole")
    n_whole = sum(isinstance(span, Record) and span.fault is None for span in spans)
    assert n_whole >= 35
    assert [span.body for span in spans[:n_whole]] == bodies[:n_whole]
    assert outcomes(spans)[-1] == "gzip_corrupt"


def test_a_frame_with_a_wrong_block_size_does_not_lose_the_rest_of_the_file():
    """The decoder waits for bytes that do not exist; the damage is detected only at the end of the file."""
    packed = [archives.compress(r, "lz4") for r in archives.make_records(BODIES, form="warc")]
    packed[1] = packed[1][:15] + b"\xff\xfe\x00\x00" + packed[1][19:]  # the size of the first block
    data = b"".join(packed)
    pieces, spans = archives.frame(data, packing="lz4")
    (damage,) = [piece.damage for piece in pieces if piece.damage]
    assert (damage.reason, damage.offset, damage.length) == ("lz4_corrupt", len(packed[0]), len(packed[1]))
    assert [s.body for s in spans if isinstance(s, Record)] == [BODIES[n] for n in (0, 2, 3, 4)]


def test_garbage_between_members_is_located():
    """The failure gives the offsets of the garbage; NULs after a member are padding."""
    one = archives.compress(archives.warc_record(b"A"), "gzip")
    pieces, spans = archives.frame(one + b"garbage!" + one + bytes(500) + one, packing="gzip")
    (damage,) = [piece.damage for piece in pieces if piece.damage]
    assert (damage.offset, damage.length) == (len(one), 8)
    assert outcomes([s for s in spans if not isinstance(s, Padding)]) == ["ok", "gzip_corrupt", "ok", "ok"]


def test_records_may_span_members():
    """Members of any size are one stream."""
    whole = b"".join(archives.make_records(BODIES, form="warc"))
    data = b"".join(archives.compress(whole[n : n + 100], "gzip") for n in range(0, len(whole), 100))
    assert [span.body for span in spans_of(data, packing="gzip")] == BODIES


def test_a_span_knows_the_member_that_it_begins_in():
    """A person can then find it in the compressed file."""
    packed = [archives.compress(r, "gzip") for r in archives.make_records(BODIES, form="warc")]
    starts = [sum(map(len, packed[:n])) for n in range(5)]
    assert [span.member for span in spans_of(b"".join(packed), packing="gzip")] == starts


def test_a_step_that_the_guard_refuses_is_a_failed_span():
    """The step is not repeated; the next member is read."""
    packed = [archives.compress(r, "gzip") for r in archives.make_records(BODIES, form="warc")]
    guard = archives.NoGuard(refused={-2 - len(packed[0]): "crash"})
    spans = spans_of(b"".join(packed), packing="gzip", guard=guard)
    assert outcomes(spans) == ["ok", "crash", "ok", "ok", "ok"]


@pytest.mark.parametrize(
    ("opening", "name", "codec"),
    [
        (b"\x1f\x8b\x08\x00", "a.warc", "gzip"),
        (b"\x28\xb5\x2f\xfd", "a.warc.gz", "zstd"),
        (b"\x5d\x2a\x4d\x18", "a.warc.zst", "zstd"),
        (b"\x04\x22\x4d\x18", "a", "lz4"),
        (b"\x50\x2a\x4d\x18", "a.warc.lz4", "zstd"),
        (b"WARC/1.0", "a.warc.gz", None),
        (b"filedesc://a", "a.arc.gz", None),
        (b"\x00\x8b\x08", "a.warc.gz", "gzip"),
        (b"License", "a.txt", None),
        (b"", "a.warc.gz", None),
    ],
)
def test_the_first_bytes_decide_the_compression_before_the_name(opening, name, codec):
    """A file with a wrong suffix is read as what it is."""
    assert sniff_codec(opening, name=name) == codec


# -- parts -----------------------------------------------------------------------------------------


def test_parts_are_split_by_size_and_begin_at_a_record():
    """A part in which no record begins is empty; the part before it has the whole record."""
    one = archives.warc_record(b"A" * 500)
    stream = io.BytesIO(one * 4)
    bounds = [part_bounds(stream, start=a, stop=b) for a, b in cut_points(4 * len(one), part_bytes=300)]
    whole = [(first, last) for first, last in bounds if first != last]
    assert [first for first, _ in whole] == [0, len(one), 2 * len(one), 3 * len(one)]
    assert [last for _, last in whole] == [len(one), 2 * len(one), 3 * len(one), None]
