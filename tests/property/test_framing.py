"""The rule of framing: every byte of an archive, damaged or not, is in exactly one span."""

from __future__ import annotations

import importlib.util
import io
import itertools
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from builder.io.archive import framing, heads, members
from builder.io.archive.framing import Padding, read_spans
from builder.io.archive.members import Piece
from builder.io.archive.parts import part_bounds, read_part
from builder.io.reading.file_source import cut_points

_SPEC = importlib.util.spec_from_file_location("archives", Path(__file__).parent.parent / "archives.py")
archives = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(archives)

EACH_FORM = pytest.mark.parametrize("form", archives.FORMATS)
EACH_PACKING = pytest.mark.parametrize("packing", list(archives.PACKINGS))
BY_RECORD = pytest.mark.parametrize("packing", ["plain", "gzip", "bz2", "zstd", "lz4"])

NASTY = [
    b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r\nWARC/1.1\r\nWARC-Type: resource\r\n",
    b"http://b.example/ 10.0.0.1 20200101000000 text/html 10\n",
    b"\x1f\x8b\x08\x00",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"BZh91AY&SY",
]
PLAIN_BODIES = st.binary(max_size=300).map(lambda data: b"HTTP/1.1 200 OK\r\n\r\n" + data.hex().encode())
NASTY_BODIES = st.lists(st.sampled_from(NASTY) | st.binary(max_size=40), max_size=6).map(b"".join)


@st.composite
def mutated(draw, data: bytes, *, reach: int = 8) -> bytes:
    """Apply one damage in one place: flip a bit, or insert, delete or overwrite up to ``reach`` bytes."""
    at = draw(st.integers(0, max(0, len(data) - 1)))
    what = draw(st.sampled_from(["flip", "insert", "delete", "overwrite"]))
    if what == "flip":
        return data[:at] + bytes([data[at] ^ (1 << draw(st.integers(0, 7)))]) + data[at + 1 :]
    if what == "delete":
        return data[:at] + data[at + draw(st.integers(1, reach)) :]
    new = draw(st.binary(min_size=1, max_size=reach))
    return data[:at] + new + data[at + (len(new) if what == "overwrite" else 0) :]


def spans_are_without_gap(pieces, spans) -> None:
    at = 0
    for span in spans:
        assert span.offset == at
        assert span.length > 0
        at += span.length
    assert at == sum(len(piece.data) + (piece.damage is not None) for piece in pieces)


def bodies_of(spans) -> list[bytes]:
    return [span.body for span in spans if hasattr(span, "body") and span.fault is None]


def make(form, packing, bodies) -> tuple[list[bytes], bytes]:
    records = archives.make_records(bodies, form=form)
    return records, archives.pack(records, packing=packing)


@EACH_FORM
@EACH_PACKING
@settings(max_examples=8)
@given(bodies=st.lists(NASTY_BODIES | PLAIN_BODIES, min_size=1, max_size=6))
def test_an_undamaged_archive_gives_its_records_and_nothing_else(form, packing, bodies):
    """Records and padding add up to the file, whatever the bodies contain."""
    records, data = make(form, packing, bodies)
    pieces, spans = archives.frame(data, packing=packing)
    spans_are_without_gap(pieces, spans)
    whole = b"".join(records)
    assert b"".join(piece.data for piece in pieces) == whole
    assert bodies_of(spans)[form.startswith("arc") :] == bodies
    for span in spans:
        if hasattr(span, "body"):
            assert span.raw == whole[span.offset : span.offset + span.length]
        else:
            assert whole[span.offset : span.offset + span.length].strip(b"\r\n") == b""


@EACH_FORM
@EACH_PACKING
@settings(max_examples=20)
@given(draw=st.data())
def test_no_damage_raises_or_loses_a_byte(form, packing, draw):
    """After any number of damages, every byte is in one span, and the undamaged parts are decompressed."""
    bodies = draw.draw(st.lists(NASTY_BODIES | PLAIN_BODIES, min_size=1, max_size=6))
    data = make(form, packing, bodies)[1]
    for _ in range(draw.draw(st.integers(1, 4))):
        data = draw.draw(mutated(data, reach=64)) if data else data
    pieces, spans = archives.frame(
        data, packing=packing, max_record_bytes=draw.draw(st.sampled_from([50, 1 << 20]))
    )
    spans_are_without_gap(pieces, spans)
    if data and archives.codec(data, packing=packing):
        assert archives.decompress(outside_damage(data, pieces), packing) == data_of_whole_members(pieces)
    else:
        assert b"".join(piece.data for piece in pieces) == data


def outside_damage(data, pieces) -> bytes:
    """Return the file without its damaged parts, which must be in order and must not overlap."""
    at, good = 0, b""
    for damage in (piece.damage for piece in pieces if piece.damage is not None):
        assert at <= damage.offset < damage.offset + damage.length <= len(data)
        good += data[at : damage.offset]
        at = damage.offset + damage.length
    return good + data[at:]


def data_of_whole_members(pieces) -> bytes:
    damaged = {piece.damage.offset for piece in pieces if piece.damage is not None}
    return b"".join(data for at, data in by_member(pieces).items() if at not in damaged)


@EACH_FORM
@BY_RECORD
@settings(max_examples=25)
@given(draw=st.data())
def test_damage_in_one_place_loses_a_record_and_at_most_its_neighbour(form, packing, draw):
    """With one record a member, or without compression, all other records are unchanged."""
    bodies = draw.draw(st.lists(PLAIN_BODIES, min_size=4, max_size=8))
    undamaged = make(form, packing, bodies)[1]
    data = draw.draw(mutated(undamaged))
    assume(archives.codec(data, packing=packing) == archives.codec(undamaged, packing=packing))
    left = bodies_of(archives.frame(data, packing=packing)[1])
    kept = 0
    for body in bodies:
        if body in left:
            left.remove(body)
            kept += 1
    assert kept >= len(bodies) - 2


@EACH_FORM
@EACH_PACKING
@settings(max_examples=12)
@given(draw=st.data())
def test_truncation_loses_only_the_truncated_record(form, packing, draw):
    """All records that can be decompressed completely are read, and the truncation is one failed span."""
    bodies = draw.draw(st.lists(NASTY_BODIES | PLAIN_BODIES, min_size=1, max_size=6))
    records, data = make(form, packing, bodies)
    size = draw.draw(st.integers(0, len(data) - 1))
    pieces, spans = archives.frame(data[:size], packing=packing)
    spans_are_without_gap(pieces, spans)
    there = sum(len(piece.data) for piece in pieces)
    expected = bodies if len(records) == len(bodies) else [records[0].split(b"\n", 1)[1][:-1], *bodies]
    n_whole = sum(end <= there for end in itertools.accumulate(map(len, records)))
    assert bodies_of(spans)[:n_whole] == expected[:n_whole]
    if size and archives.codec(data, packing=packing) and packing.endswith("_whole"):
        assert spans[-1].reason == f"{packing.removesuffix('_whole')}_truncated"


@EACH_FORM
@settings(max_examples=40)
@given(draw=st.data())
def test_the_parts_of_an_archive_give_the_spans_of_the_whole(form, draw):
    """For any cuts; in a damaged or hostile archive, each byte is still in one span."""
    nasty = draw.draw(st.booleans())
    bodies = draw.draw(st.lists(NASTY_BODIES if nasty else PLAIN_BODIES, min_size=1, max_size=6))
    data = make(form, "plain", bodies)[1]
    data = draw.draw(mutated(data)) if nasty else data
    spans = []
    for start, stop in cut_points(len(data), part_bytes=draw.draw(st.integers(20, 600))):
        stream = io.BytesIO(data)
        first, last = part_bounds(stream, start=start, stop=stop)
        spans += read_spans(read_part(stream, first=first, last=last), max_record_bytes=1 << 20, offset=first)
    whole = archives.frame(data, packing="plain")[1]
    assert [span.offset for span in spans] == [0, *(s.offset + s.length for s in spans)][: len(spans)]
    assert spans[-1].offset + spans[-1].length == len(data)
    assert nasty or spans == whole


@EACH_FORM
@settings(max_examples=40)
@given(draw=st.data())
def test_spans_do_not_depend_on_the_sizes_of_pieces_and_scans(form, draw):
    """Also for a damaged archive."""
    bodies = draw.draw(st.lists(NASTY_BODIES | PLAIN_BODIES, min_size=1, max_size=6))
    data = draw.draw(mutated(make(form, "plain", bodies)[1], reach=64))
    size = draw.draw(st.integers(1, 80))
    pieces = [Piece(data[at : at + size]) for at in range(0, len(data), size)]
    whole = archives.frame(data, packing="plain")[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "_SCAN_BYTES", draw.draw(st.integers(2, 80)))
        patch.setattr(heads, "MAX_START_BYTES", 400)
        spans = list(read_spans(pieces, max_record_bytes=1 << 20))
    assert [span for span in spans if not isinstance(span, Padding)] == [
        span for span in whole if not isinstance(span, Padding)
    ]


@EACH_PACKING
@settings(max_examples=25)
@given(draw=st.data())
def test_members_do_not_depend_on_the_sizes_of_reads(packing, draw):
    """The bytes, members and damages are the same for every size that is read or fed at a time."""
    bodies = draw.draw(st.lists(PLAIN_BODIES, min_size=1, max_size=6))
    data = draw.draw(mutated(make("warc", packing, bodies)[1], reach=64))
    usual = archives.frame(data, packing=packing)[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "READ_BYTES", draw.draw(st.integers(1, 90)))
        patch.setattr(members, "FEED_BYTES", draw.draw(st.integers(1, 90)))
        patch.setattr(members, "CHUNK_BYTES", draw.draw(st.integers(1, 90)))
        patched = archives.frame(data, packing=packing)[0]
    assert [place(piece) for piece in patched if piece.damage] == [place(p) for p in usual if p.damage]
    damaged = {piece.damage.offset for piece in usual if piece.damage}
    assert list(by_member(patched)) == list(by_member(usual))
    for (at, mine), theirs in zip(by_member(patched).items(), by_member(usual).values(), strict=True):
        assert mine == theirs or (at in damaged and (mine.startswith(theirs) or theirs.startswith(mine)))


def by_member(pieces) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    for piece in pieces:
        at = at if piece.member is None else piece.member
        found[at] = found.get(at, b"") + piece.data
    return found


def place(piece) -> tuple:
    return piece.damage.reason, piece.damage.offset, piece.damage.length
