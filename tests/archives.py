"""Makes archives of every kind, for tests."""

from __future__ import annotations

import bz2
import gzip
import io

PACKINGS = {
    "plain": "",
    "gzip": ".gz",
    "gzip_whole": ".gz",
    "bz2": ".bz2",
    "zstd": ".zst",
    "zstd_whole": ".zst",
    "lz4": ".lz4",
    "lz4_whole": ".lz4",
}
"""How records are packed (``_whole``: one member for all), and what the file's name ends in."""

FORMATS = ("warc", "warc_lf", "arc", "arc_2")


class NoGuard:
    """Lets everything pass, or refuses what it is told to."""

    def __init__(self, refused=()):
        self.refused, self.entered = dict(refused), []

    def enter(self, stage, unit, *, limit_s=60.0):
        self.entered.append((stage, unit))
        return self.refused.get(unit)

    def leave(self):
        """Nothing to do."""


def http_response(html: bytes, *, status="200 OK", headers=(("Content-Type", "text/html"),), eol=b"\r\n"):
    lines = [f"HTTP/1.1 {status}".encode(), *(f"{name}: {value}".encode() for name, value in headers)]
    return eol.join([*lines, b"", html])


def warc_record(
    body: bytes,
    *,
    kind="response",
    uri="http://a.example/",
    version="1.0",
    eol=b"\r\n",
    length=None,
    date="2020-01-01T00:00:00Z",
    content_type="application/http; msgtype=response",
    **more,
) -> bytes:
    """Make a record; names in ``more`` get ``-`` for ``_``; a value of None leaves a field out."""
    fields = {"WARC-Type": kind, "WARC-Date": date, "WARC-Target-URI": uri, "Content-Type": content_type}
    fields |= {name.replace("_", "-"): value for name, value in more.items()}
    fields["Content-Length"] = len(body) if length is None else length or None
    lines = [f"WARC/{version}", *(f"{name}: {v}" for name, v in fields.items() if v is not None)]
    return eol.join([*(line.encode() for line in lines), b"", body, b"", b""])


def arc_record(
    body: bytes, *, uri="http://a.example/", version=1, date="20200101000000", length=None, media="text/html"
):
    n_bytes = len(body) if length is None else length
    middle = f"{media} 200 AAAA - 0 x.arc" if version == 2 else media
    return f"{uri} 127.0.0.1 {date} {middle} {n_bytes}\n".encode() + body + b"\n"


def arc_header(*, version=1):
    fields = {
        1: "URL IP-address Archive-date Content-type Archive-length",
        2: "URL IP-address Archive-date Content-type Result-code Checksum Location Offset Filename"
        " Archive-length",
    }
    body = f"{version} 0 Test\n{fields[version]}\n".encode()
    return arc_record(body, uri="filedesc://x.arc", version=version, media="text/plain")


def make_records(bodies, *, form: str):
    """Make one record of each body; those of ARC have the file's header in front."""
    uris = [f"http://a.example/{n}" for n in range(len(bodies))]
    if form.startswith("arc"):
        version = 2 if form == "arc_2" else 1
        records = [arc_record(body, uri=uri, version=version) for uri, body in zip(uris, bodies, strict=True)]
        return [arc_header(version=version), *records]
    eol = b"\n" if form == "warc_lf" else b"\r\n"
    return [warc_record(body, uri=uri, eol=eol) for uri, body in zip(uris, bodies, strict=True)]


def pack(records, *, packing: str) -> bytes:
    """Make a file of records."""
    whole = packing in ("plain",) or packing.endswith("_whole")
    return b"".join(compress(part, packing) for part in ([b"".join(records)] if whole else records))


def compress(data: bytes, packing: str) -> bytes:
    name = packing.removesuffix("_whole")
    if name == "gzip":
        return gzip.compress(data, mtime=0)
    if name == "bz2":
        return bz2.compress(data)
    if name == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(write_checksum=True).compress(data)
    if name == "lz4":
        import lz4.frame

        return lz4.frame.compress(data, content_checksum=True)
    return data


def decompress(data: bytes, packing: str) -> bytes:
    """Decompress with the plain readers of the libraries; raises if anything is wrong."""
    name = packing.removesuffix("_whole")
    if not data or name == "plain":
        return data
    if name == "gzip":
        return gzip.decompress(data)
    if name == "bz2":
        return bz2.decompress(data)
    if name == "zstd":
        import zstandard

        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True)
        return reader.read()
    import lz4.frame

    return lz4.frame.LZ4FrameFile(io.BytesIO(data)).read()


def codec(data: bytes, *, packing: str) -> str | None:
    """Say what our framing takes a file for."""
    from builder.io.archive.members import sniff_codec

    return sniff_codec(data[:16], name="x.warc" + PACKINGS[packing])


def frame(data: bytes, *, packing: str, max_record_bytes=1 << 20, guard=None):
    """Return the pieces and the spans that our framing makes of a file."""
    from builder.io.archive.framing import opens_to_record, read_spans
    from builder.io.archive.members import Members
    from builder.io.archive.parts import read_part

    stream = io.BytesIO(data)
    name = codec(data, packing=packing)
    if name is None:
        pieces = list(read_part(stream, first=0, last=None))
    else:
        pieces = list(Members(stream, codec=name, opens=opens_to_record, guard=guard or NoGuard()))
    return pieces, list(read_spans(pieces, max_record_bytes=max_record_bytes))
