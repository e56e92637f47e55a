"""Inputs that are far too large: memory stays bounded, and the build continues."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import COMMAND, ledger_rows, write_recipe

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the proportional set size"),
]

LIMIT_BYTES = 1_200_000_000
SAMPLE_S = 0.05
MEGABYTE = 1_000_000
HTTP_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 2.2 GB of inputs, mostly compressed zeros, between good pages."""
    folder = tmp_path_factory.mktemp("hostile")
    for kind in ("html", "jsonl", "warc"):
        (folder / kind).mkdir()
    _write_html(folder / "html")
    _write_jsonl(folder / "jsonl")
    _write_warc(folder / "warc" / "bomb.warc.gz")
    return folder


def test_memory_stays_bounded(hostile: Path) -> None:
    """All processes together use less than 1.2 GB (proportional set size); good pages are kept."""
    sources = [{kind: {"path": f"{kind}/*"}} for kind in ("html", "jsonl", "warc")]
    recipe = write_recipe(hostile, sources)
    output = hostile / "output.txt"
    with output.open("wb") as file:
        command = [*COMMAND, "build", str(recipe), "--workers", "2"]
        process = subprocess.Popen(command, stdout=file, stderr=file)
        peak_bytes = max(_sample(process), default=0)
    assert process.wait() == 0, output.read_text()
    print(f"peak: {peak_bytes / MEGABYTE:.0f} MB")  # noqa: T201 - pytest shows it with -s
    assert 100 * MEGABYTE < peak_bytes < LIMIT_BYTES
    ledger = ledger_rows(hostile / "corpus")
    outcomes = {(row["path"], row["ordinal"]): row["reason"] or row["outcome"] for row in ledger}
    kept = [place for place, outcome in outcomes.items() if outcome == "kept"]
    assert {place: outcome for place, outcome in outcomes.items() if outcome != "kept"} == {
        ("big.html", 0): "html_too_big",
        ("bomb.html.gz", 0): "record_too_big",
        ("nested.html", 0): "html_too_deep",
        ("bomb.jsonl.gz", 1): "record_too_big",
        ("long.jsonl", 10): "record_too_big",
        ("bomb.warc.gz", 1): "record_too_big",
        ("bomb.warc.gz", 2): "record_too_big",
    }
    assert len(kept) == 20 + 2 + 4 + 20 + 2


def _sample(process: subprocess.Popen[bytes]) -> Iterator[int]:
    while process.poll() is None:
        began = time.monotonic()
        yield sum(_share(pid) for pid in _family(process.pid))
        time.sleep(max(0.0, SAMPLE_S - (time.monotonic() - began)))


def _family(root: int) -> list[int]:
    children = defaultdict(list)
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                parent = int(Path(entry.path, "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children[parent].append(int(entry.name))
    family = [root]
    for pid in family:
        family += children[pid]
    return family


def _share(pid: int) -> int:
    """Return the proportional set size in bytes: a memory page of n processes counts 1/n for each."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


# -- inputs ----------------------------------------------------------------------------------------


def _words(prefix: str, n_words: int = 200) -> str:
    return " ".join(f"{prefix}{i}" for i in range(n_words))


def _line(name: str, n_words: int = 200) -> str:
    return json.dumps({"url": f"https://example.org/{name}", "text": _words(name, n_words)}) + "\n"


def _write_html(folder: Path) -> None:
    paragraph = "<p>" + _words("long") + "</p>\n"
    (folder / "big.html").write_text("<html><body>" + paragraph * (50 * MEGABYTE // len(paragraph)))
    (folder / "nested.html").write_text("<div>" * 100_000 + "deep" + "</div>" * 100_000)
    for i in range(20):
        (folder / f"good{i}.html").write_text(f"<html><body><p>{_words(f'good{i}x')}</p></body></html>")
    _write_zeros(folder / "bomb.html.gz", b"<html><body><p>", b"")


def _write_jsonl(folder: Path) -> None:
    _write_zeros(folder / "bomb.jsonl.gz", _line("before").encode(), b"\n" + _line("behind").encode())
    with (folder / "doc.jsonl").open("w") as file:  # two documents of 50 MB, for two shards
        file.write(_line("first"))
        for name in ("oneword", "another"):
            file.write(_line(name, 50 * MEGABYTE // 15))
        file.write(_line("last"))
    with (folder / "long.jsonl").open("w") as file:
        file.writelines(_line(f"up{i}") for i in range(10))
        file.write('{"text": "')
        for _ in range(1_000):
            file.write("abcdefghi " * (MEGABYTE // 10))
        file.write('"}\n')
        file.writelines(_line(f"down{i}") for i in range(10))


def _write_warc(path: Path) -> None:
    """Write a page, a record of 1 GB of zeros, a record that decompresses to 1 GB, and a page."""
    n_bytes = 1_000 * MEGABYTE
    with path.open("wb") as file:
        file.write(gzip.compress(_record(1, HTTP_HEAD + b"\r\n<p>" + _words("opening").encode())))
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1) as member:
            body = HTTP_HEAD + b"\r\n"
            member.write(_record(2, body, n_bytes=len(body) + n_bytes).removesuffix(b"\r\n\r\n"))
            for _ in range(1_000):
                member.write(bytes(MEGABYTE))
            member.write(b"\r\n\r\n")
        packed = gzip.compress(bytes(n_bytes), compresslevel=1)
        file.write(gzip.compress(_record(3, HTTP_HEAD + b"Content-Encoding: gzip\r\n\r\n" + packed)))
        file.write(gzip.compress(_record(4, HTTP_HEAD + b"\r\n<p>" + _words("closing").encode())))


def _record(number: int, body: bytes, *, n_bytes: int | None = None) -> bytes:
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\n"
        f"WARC-Target-URI: https://example.net/{number}\r\nWARC-Date: 2024-01-01T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:{number:032x}>\r\n"
        "Content-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {n_bytes or len(body)}\r\n\r\n"
    )
    return head.encode() + body + b"\r\n\r\n"


def _write_zeros(path: Path, head: bytes, tail: bytes) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(head)
        for _ in range(1_000):
            file.write(bytes(MEGABYTE))
        file.write(tail)
