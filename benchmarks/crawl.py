"""Make the inputs of ``further_versions``: a crawl of real pages, and later additions to it.

The pages come from documentation packages, package by package, and each package has its own host. One percent
of the pages, next to each other, have the host ``together.example``. One percent, spread over the crawl, have
the host ``scattered.example``. A random percent is left out of the crawl and added later.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from benchmarks.corpus import PACKAGES, response, unpack_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

SEED = 20_240_101
SHARE = 100
"""A hundredth of the pages is added, taken down or fetched again."""

TOGETHER, SCATTERED, MIRROR = "together.example", "scattered.example", "mirror.example"
PAGES_PER_ARCHIVE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the crawl.

    Attributes:
        insert: HTML that is inserted before the first paragraph of the page.
    """

    host: str
    name: str
    path: Path
    insert: str = ""

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://{self.host}/{quote(self.name)}"

    def html(self) -> bytes:
        """Read it."""
        data = self.path.read_bytes()
        return data.replace(b"<p>", self.insert.encode() + b"<p>", 1) if self.insert else data


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """The first crawl in its order, and the pages that come later."""

    first: Sequence[Page]
    later: Sequence[Page]

    @classmethod
    def of(cls, folder: Path) -> Crawl:
        """Make it from the packages, which are downloaded into ``folder`` where they are not there."""
        root = folder / "unpacked"
        found = unpack_pages(folder, PACKAGES, PACKAGES.with_name("further_packages.txt"))
        pages = [_page(path.relative_to(root).as_posix(), path) for path in found]
        later = set(random.Random(SEED).sample(range(len(pages)), len(pages) // SHARE))
        first = [page for i, page in enumerate(pages) if i not in later]
        return cls(first=_with_domains(first), later=[pages[i] for i in sorted(later)])

    @property
    def n_share(self) -> int:
        """Pages in a hundredth."""
        return len(self.later)

    def mirrored(self, urls: Iterable[str]) -> list[Page]:
        """Return a hundredth of the pages that are published, under addresses that are new."""
        return [replace(page, host=MIRROR, name=f"{page.host}/{page.name}") for page in self._draw(urls, 1)]

    def changed(self, urls: Iterable[str]) -> list[Page]:
        """Return a hundredth of the pages that are published, each with a paragraph more."""
        drawn = [page for page in self._draw(urls, 4) if b"<p>" in page.html()]
        return [
            replace(
                page, insert=f"<p>This page was changed on the second day of the crawl, as number {i}.</p>"
            )
            for i, page in enumerate(drawn[: self.n_share])
        ]

    def _draw(self, urls: Iterable[str], times: int) -> list[Page]:
        published = set(urls)
        there = [page for page in self.first if page.url in published]
        return random.Random(SEED + times).sample(there, self.n_share * times)


def _page(name: str, path: Path) -> Page:
    package, _, rest = name.partition("/")
    return Page(host=f"{package}.example", name=rest, path=path)


def _with_domains(pages: Sequence[Page]) -> list[Page]:
    """Give each of two domains one percent of the pages; the pages of one are next to each other."""
    n, middle = len(pages) // SHARE, len(pages) // 2
    hosts = dict.fromkeys(range(middle, middle + n), TOGETHER)
    hosts |= {i: SCATTERED for i in range(0, len(pages), SHARE) if i not in hosts}
    return [
        replace(page, host=hosts[i], name=f"{page.host}/{page.name}") if i in hosts else page
        for i, page in enumerate(pages)
    ]


def write_archives(folder: Path, name: str, pages: Sequence[Page], *, day: int) -> None:
    """Write pages as WARC files; all were fetched on a day of January."""
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(pages), PAGES_PER_ARCHIVE):
        with (folder / f"{name}-{first // PAGES_PER_ARCHIVE:03}.warc").open("wb") as file:
            file.writelines(_responses(pages[first : first + PAGES_PER_ARCHIVE], first=first, day=day))


def _responses(pages: Sequence[Page], *, first: int, day: int) -> Iterator[bytes]:
    for number, page in enumerate(pages, first):
        yield response(number, page.url, page.html(), date=f"2024-01-{day:02}T00:00:00Z")
