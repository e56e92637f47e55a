"""The default corpus: the HTML pages of documentation packages, as pages and as text.

    python -m benchmarks.corpus FOLDER

needs ``apt-get`` and ``dpkg-deb``. What is there already is not made again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PACKAGES = Path(__file__).with_name("packages.txt")
HTML_PAGES = 12_000
"""Pages of the archive that extraction is measured on: every fifth or so, so that all packages are in it."""

MIN_TEXT_BYTES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchCorpus:
    """The paths of the corpus: its texts as lines of JSON, and a part of its pages as an archive."""

    pages: Path
    archive: Path
    packages: tuple[str, ...]


def make_corpus(folder: Path) -> BenchCorpus:
    """Download, unpack and extract; 50,000 pages and 200 MB of text take a minute."""
    found = unpack_pages(folder, PACKAGES)
    corpus = BenchCorpus(
        pages=folder / "pages.jsonl",
        archive=folder / "pages.warc",
        packages=tuple(sorted(path.stem for path in (folder / "deb").glob("*.deb"))),
    )
    if not corpus.pages.exists():
        _write(corpus.pages, _texts(found, folder / "unpacked"))
    if not corpus.archive.exists():
        _write(corpus.archive, _records(found[:: max(1, len(found) // HTML_PAGES)], folder / "unpacked"))
    return corpus


def unpack_pages(folder: Path, *lists: Path) -> list[Path]:
    """Return the HTML files of the packages that some lists name, package by package."""
    lines = [line for path in lists for line in path.read_text().splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    unpacked = [_unpack(_download(name, folder / "deb"), folder / "unpacked" / name) for name in names]
    return [path for root in unpacked for path in sorted(root.rglob("*.html")) if path.is_file()]


def _download(name: str, debs: Path) -> Path:
    debs.mkdir(parents=True, exist_ok=True)
    if not (there := sorted(debs.glob(f"{name}_*.deb"))):
        if shutil.which("apt-get") is None:
            raise SystemExit("the default corpus is made from Debian packages: give a JSONL or Parquet file")
        subprocess.run(["apt-get", "download", "-qq", name], cwd=debs, check=True)
        there = sorted(debs.glob(f"{name}_*.deb"))
    return there[0]


def _unpack(deb: Path, folder: Path) -> Path:
    if not folder.exists():
        beside = folder.with_name(f"{folder.name}.tmp")
        beside.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", "-x", deb, beside], check=True)
        beside.rename(folder)
    return folder


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    beside = path.with_name(path.name + ".tmp")
    with beside.open("wb") as file:
        file.writelines(pieces)
    beside.replace(path)


def _url(path: Path, root: Path) -> str:
    return f"https://docs.example/{path.relative_to(root).as_posix()}"


def _texts(found: list[Path], root: Path) -> Iterator[bytes]:
    with ProcessPoolExecutor() as pool:
        for path, text in zip(found, pool.map(extract, found, chunksize=64), strict=True):
            if len(text) >= MIN_TEXT_BYTES:
                yield orjson.dumps({"url": _url(path, root), "text": text}) + b"\n"


def extract(path: Path) -> str:
    """Return the main text of a page, or all text of a page without a main text."""
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.html import HTMLTree

    tree = HTMLTree.parse_from_bytes(path.read_bytes(), "utf-8")
    text = extract_plain_text(tree, main_content=True) or extract_plain_text(tree)
    return text.encode("utf-8", "replace").decode()


def _records(found: list[Path], root: Path) -> Iterator[bytes]:
    """Give the pages as WARC responses, one after the other and not compressed."""
    for number, path in enumerate(found):
        yield response(number, _url(path, root), path.read_bytes())


def response(number: int, url: str, html: bytes, *, date: str = "2024-01-01T00:00:00Z") -> bytes:
    """Return a page as a WARC response."""
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\n"
        f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012d}>\r\n"
        f"WARC-Target-URI: {url}\r\nWARC-Date: {date}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


if __name__ == "__main__":
    print(make_corpus(Path(sys.argv[1])))
