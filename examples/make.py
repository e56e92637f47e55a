"""Generate files of ``examples/`` from others: the binary forms of ``sources/``, the tables of the README.

``python examples/make.py`` writes the files; with ``--check`` it lists the stale files. The bytes are the
same on every machine: gzip members contain stored blocks, because compressors differ.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
import sys
import uuid
import zlib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "sources"

_BYTE = re.compile(rb"\{\{byte ([0-9a-f]{2})\}\}")


def outputs() -> dict[Path, bytes]:
    """Return what should stand in each file that this script writes."""
    from ruamel.yaml import YAML

    archives = YAML(typ="safe", pure=True).load((SOURCES / "crawl.yaml").read_text(encoding="utf-8"))
    made = {HERE / "crawl" / name: archive(name, **described) for name, described in archives.items()}
    rights = YAML(typ="safe", pure=True).load((SOURCES / "rights.yaml").read_text(encoding="utf-8"))
    made |= {HERE / "rights" / name: archive(name, **described) for name, described in rights.items()}
    made[HERE / "feed" / "broken.jsonl"] = with_broken_bytes((SOURCES / "feed/broken.jsonl").read_bytes())
    made[HERE / "feed" / "archive.jsonl.gz"] = gzip_member((SOURCES / "feed/archive.jsonl").read_bytes())
    made[HERE / "README.md"] = with_tables((HERE / "README.md").read_text(encoding="utf-8")).encode()
    return made


def with_broken_bytes(text: bytes) -> bytes:
    r"""Put bytes in where the text names them.

    >>> with_broken_bytes(b"caf{{byte e9}}")
    b'caf\xe9'
    """
    return _BYTE.sub(lambda match: bytes.fromhex(match[1].decode()), text)


def gzip_member(data: bytes) -> bytes:
    """Wrap data in one gzip member of stored blocks (RFC 1951, section 3.2.4), without name and time."""
    blocks = [data[at : at + 0xFFFF] for at in range(0, len(data), 0xFFFF)] or [b""]
    packed = b"".join(
        struct.pack("<BHH", at == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for at, block in enumerate(blocks)
    )
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return header + packed + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


# -- WARC ------------------------------------------------------------------------------------------


def archive(name: str, *, records: list[dict[str, Any]], clip: int = 0) -> bytes:
    """Write one WARC file, a gzip member for each record; the last ``clip`` bytes are lost."""
    ids = [f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{name}/{at}')}>" for at in range(len(records))]
    members = [gzip_member(record(ids[at], records, at, ids=ids)) for at in range(len(records))]
    whole = b"".join(members)
    return whole[: len(whole) - clip]


def record(record_id: str, records: list[dict[str, Any]], at: int, *, ids: list[str]) -> bytes:
    """Write one record: its header, its block, and two line ends."""
    entry = records[at]
    headers = {"WARC-Type": entry["type"], "WARC-Record-ID": record_id, "WARC-Date": entry["date"]}
    if "url" in entry:
        headers["WARC-Target-URI"] = entry["url"]
    if entry["type"] == "response":
        headers["WARC-Payload-Digest"] = digest(payload(entry))
    if entry["type"] == "revisit":
        headers |= revisit_headers(records, entry, ids=ids)
    if entry["type"] == "request":
        headers["WARC-Concurrent-To"] = ids[entry["of"]]
    content_type, block = content(entry)
    headers |= {"Content-Type": content_type, "Content-Length": str(len(block))}
    lines = ["WARC/1.0", *(f"{key}: {value}" for key, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + block + b"\r\n\r\n"


def revisit_headers(
    records: list[dict[str, Any]], entry: dict[str, Any], *, ids: list[str]
) -> dict[str, str]:
    """Say which record a revisit repeats."""
    headers = {"WARC-Profile": "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"}
    if "of" not in entry:
        return headers | {"WARC-Payload-Digest": entry["digest"]}
    original = records[entry["of"]]
    return headers | {
        "WARC-Payload-Digest": digest(payload(original)),
        "WARC-Refers-To": ids[entry["of"]],
        "WARC-Refers-To-Target-URI": original["url"],
        "WARC-Refers-To-Date": original["date"],
    }


def content(entry: dict[str, Any]) -> tuple[str, bytes]:
    """Return the content type of a record and its block."""
    kind = entry["type"]
    if kind in ("warcinfo", "metadata"):
        return "application/warc-fields", entry["text"].encode()
    if kind in ("resource", "conversion"):
        return entry["content_type"], body(entry)
    if kind == "request":
        host, path = re.fullmatch(r"https://([^/]+)(/.*)", entry["url"]).groups()  # type: ignore[union-attr]
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: a crawler\r\n\r\n"
        return "application/http; msgtype=request", head.encode()
    if kind == "revisit":
        return "application/http; msgtype=response", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
    return "application/http; msgtype=response", response(entry)


def response(entry: dict[str, Any]) -> bytes:
    """Write an HTTP response as it went over the wire."""
    headers = [f"HTTP/1.1 {entry['http']}", f"Content-Type: {entry['content_type']}"]
    sent = payload(entry)
    if "gzip" in entry.get("transfer", ()):
        headers.append("Content-Encoding: gzip")
    if "chunked" in entry.get("transfer", ()):
        headers.append("Transfer-Encoding: chunked")
        sent = chunked(sent)
    else:
        headers.append(f"Content-Length: {len(sent)}")
    return "\r\n".join([*headers, "", ""]).encode() + sent


def payload(entry: dict[str, Any]) -> bytes:
    """Return the body with its content encoding, which is what digests are taken of."""
    return gzip_member(body(entry)) if "gzip" in entry.get("transfer", ()) else body(entry)


def body(entry: dict[str, Any]) -> bytes:
    """Return the bytes of the page itself."""
    if "hex" in entry:
        return bytes.fromhex(str(entry["hex"]))
    if "nested_tags" in entry:
        n = int(entry["nested_tags"])
        return b"<!doctype html>\n" + b"<div>" * n + b"There is a bottom to it." + b"</div>" * n
    if "text" in entry:
        return str(entry["text"]).encode()
    text = (SOURCES / str(entry["body"])).read_text(encoding="utf-8")
    return text.encode(str(entry.get("encode", "utf-8")))


def chunked(data: bytes, *, size: int = 500) -> bytes:
    """Cut a body into chunks (RFC 9112, section 7.1)."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def digest(data: bytes) -> str:
    """Write a digest as WARC files do."""
    return "sha1:" + base64.b32encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()


# -- what is expected ------------------------------------------------------------------------------

_TABLES = re.compile(r"(<!-- expected:begin -->\n).*(<!-- expected:end -->)", re.DOTALL)
_FORMS = {"html": "html/", "warc": "crawl/", "jsonl": "feed/"}


def with_tables(readme: str) -> str:
    """Replace the tables of expected outcomes in the README, one table for each recipe."""
    tables = [
        "## Expected outcome of each record",
        "The records of each file are numbered from 0.",
        table("expected.json", folders=_FORMS),
        "## Expected outcome of each forum post",
        table("contract/expected.json", folders={"jsonl": "contract/"}),
    ]
    text = "\n\n".join(tables) + "\n"
    return _TABLES.sub(lambda match: match[1] + text + match[2], readme)


def table(name: str, *, folders: dict[str, str]) -> str:
    """Return one file of expected outcomes as a Markdown table."""
    records = json.loads((HERE / name).read_text(encoding="utf-8"))["records"]
    lines = ["| record | what it is | outcome | stage and reason |", "|---|---|---|---|"]
    for expected in records:
        place = f"`{folders[expected['source']]}{expected['path']}` {expected['ordinal']}"
        because = f"`{expected['stage']}` `{expected['reason']}`" if "stage" in expected else ""
        if into := expected.get("merged_into"):
            because += f", into `{folders[into['source']]}{into['path']}` {into['ordinal']}"
        lines.append(f"| {place} | {expected['what']} | {expected['outcome']} | {because} |")
    return "\n".join(lines)


# -- the command -----------------------------------------------------------------------------------


def stale() -> list[Path]:
    """List the files that are missing or not as they should be."""
    return [path for path, data in outputs().items() if not path.is_file() or path.read_bytes() != data]


def main(arguments: list[str]) -> int:
    """Write the files, or only say which are stale."""
    old = stale()
    for path in old:
        print(f"{'stale' if '--check' in arguments else 'written'}: {path.relative_to(HERE)}")
    if "--check" in arguments:
        return 1 if old else 0
    made = outputs()
    for path in old:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made[path])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
