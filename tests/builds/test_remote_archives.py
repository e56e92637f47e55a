"""Members of archives behind a web server, and zstd windows that a source refuses."""

from __future__ import annotations

import io
import json
import random
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import zstandard
from file_server import Site, serving

from builder import Recipe, build
from builder.errors import NothingKeptError, SourceError

ROWS = "".join(
    json.dumps({"url": f"https://a.example/{n}", "text": f"The boats lean on their keels {n}."}) + "\n"
    for n in range(3)
).encode()


def build_in(folder: Path, kind: str, path: str) -> Any:
    recipe = {"name": "t", "sources": [{kind: {"path": path}}], "stages": [], "corpus": "out"}
    return build(Recipe.from_dict(recipe, folder=folder), workers=1)


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("in/a.jsonl", ROWS)
        archive.writestr("in/notes.txt", "not read")
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo("in/a.jsonl")
        info.size = len(ROWS)
        archive.addfile(info, io.BytesIO(ROWS))
    return out.getvalue()


@pytest.mark.parametrize("chain", ["", "zip://in/*.jsonl::", "zip://in/a.jsonl::", "zip://::"])
def test_members_of_a_zip_of_a_web_server_are_read(tmp_path: Path, chain: str) -> None:
    """The archive is named with the protocol of its server, as fsspec writes chains."""
    with serving(Site(files={"/a.zip": zipped()})) as site:
        result = build_in(tmp_path, "jsonl", chain + site.url("/a.zip"))
    assert {k: n for k, n in result.outcomes.items() if n} == {"kept": 3}


@pytest.mark.parametrize("chain", ["", "tar://in/*.jsonl::", "tar://in/a.jsonl::"])
def test_members_of_a_tar_of_a_web_server_are_read(tmp_path: Path, chain: str) -> None:
    """The tar is compressed."""
    with serving(Site(files={"/a.tar.gz": tarred()})) as site:
        result = build_in(tmp_path, "jsonl", chain + site.url("/a.tar.gz"))
    assert {k: n for k, n in result.outcomes.items() if n} == {"kept": 3}


def test_a_server_that_sends_only_whole_files_is_named(tmp_path: Path) -> None:
    """An archive is read in parts; without them, the error says what to do, and no retry is made."""
    out = io.BytesIO(zipped())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("padding.bin", random.Random(0).randbytes(8 << 20))
    message = r"does not support range requests.*download the file"
    site = Site(files={"/a.zip": out.getvalue()}, ranges=False)
    with serving(site), pytest.raises(SourceError, match=re.compile(message)):
        build_in(tmp_path, "jsonl", "zip://in/*.jsonl::" + site.url("/a.zip"))


@pytest.mark.parametrize(
    ("kind", "name"), [("html", "a.html.zst"), ("text", "a.txt.zst"), ("warc", "a.warc.zst")]
)
def test_a_source_without_the_option_does_not_name_it(tmp_path: Path, kind: str, name: str) -> None:
    """The reason is the same for every source; the advice is one that can be followed."""
    options = zstandard.ZstdCompressionParameters(window_log=28, enable_ldm=True)
    stream = zstandard.ZstdCompressor(compression_params=options).compressobj()
    (tmp_path / name).write_bytes(stream.compress(b"<p>tide</p>" * 9000) + stream.flush())
    with pytest.raises(NothingKeptError):
        build_in(tmp_path, kind, name)
    ledger = tmp_path / "out/.spool/stopped/ledger.parquet"
    (row,) = pq.read_table(ledger).to_pylist()
    assert row["reason"] == "zstd_window"
    assert "zstd_long" not in row["message"]
    assert "without --long" in row["message"]
