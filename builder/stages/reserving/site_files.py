"""Find the files of a site that were in force when a page was fetched."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.ledger import SITE_RECORDS
from builder.domain.merging import NO_INSTANT
from builder.domain.reservations.site_signals import parse_site_file, site_file_kind
from builder.domain.url import canonical_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from builder.domain.reservations.site_signals import SiteFile
    from builder.protocols import Noted

_PARSED_AT_MOST = 4096


class InForce(NamedTuple):
    """A file of a site, the record that has it, its time, and whether it was fetched after the page."""

    file: SiteFile
    record_id: str
    at: str | None
    is_later: bool


class _Fetch(NamedTuple):
    instant: int
    order: int
    at: str | None
    record_id: str
    status: int | None
    table: int
    row: int


@dataclass
class SiteFiles:
    """All fetches of files of sites, by the authority of their URL; a body is parsed when it is needed.

    ``http`` and ``https`` are one site here, because archives often have the file of only one of them.
    """

    _fetches: Mapping[tuple[str, str, str], list[_Fetch]]
    _bodies: list[pa.ChunkedArray]
    _parsed: dict[tuple[int, int], SiteFile] = field(default_factory=dict)

    @classmethod
    def of(cls, noted: Noted, *, authorities: Iterable[str] | None = None) -> SiteFiles:
        """Collect the fetches.

        Args:
            authorities: the sites that are asked for; None for all.
        """
        wanted = None if authorities is None else frozenset(authorities)
        fetches: dict[tuple[str, str, str], list[_Fetch]] = {}
        bodies: list[pa.ChunkedArray] = []
        order = 0
        for table in noted.tables(SITE_RECORDS):
            names = ("url", "fetched_at", "status", "record_id")
            instants = _instants(table["fetched_at"])
            rows = zip(*(table[name].to_pylist() for name in names), instants, strict=True)
            for row, (url, at, status, record_id, instant) in enumerate(rows):
                order += 1
                canonical, kind = canonical_url(url), site_file_kind(url)
                if canonical is None or kind is None:
                    continue
                authority, path = authority_and_path(canonical)
                if wanted is None or authority in wanted:
                    fetch = _Fetch(instant, order, at, record_id, status, len(bodies), row)
                    fetches.setdefault((authority, kind, path.lower()), []).append(fetch)
            bodies.append(table["body"])
        return cls({key: sorted(found) for key, found in fetches.items()}, bodies)

    @property
    def authorities_with_robots(self) -> frozenset[str]:
        """The sites of which a robots.txt was fetched, whatever its status."""
        return frozenset(authority for authority, kind, _ in self._fetches if kind == "robots.txt")

    def in_force(self, authority: str, instant: int, *, later: bool) -> list[InForce]:
        """Return the files of a site that were in force at an instant: of each address the last one before.

        Args:
            instant: microseconds; ``NO_INSTANT`` for a page without a time, for which the newest file counts.
            later: whether the next file after the instant counts if no file is older.
        """
        found = []
        for key in self._keys_of(authority):
            fetches = self._fetches[key]
            if instant == NO_INSTANT:
                found.append(self._opened(key[1], fetches[-1], is_later=False))
                continue
            place = bisect_right(fetches, instant, key=lambda one: one.instant) - 1
            if place >= 0:
                found.append(self._opened(key[1], fetches[place], is_later=False))
            elif later:
                found.append(self._opened(key[1], fetches[0], is_later=True))
        return found

    def newest(self, authority: str) -> list[InForce]:
        """Return the newest file of each address of a site."""
        return self.in_force(authority, int(NO_INSTANT), later=True)

    def _keys_of(self, authority: str) -> list[tuple[str, str, str]]:
        if not self.__dict__.get("_by_authority"):
            by_authority: dict[str, list[tuple[str, str, str]]] = {}
            for key in sorted(self._fetches):
                by_authority.setdefault(key[0], []).append(key)
            self.__dict__["_by_authority"] = by_authority
        found: list[tuple[str, str, str]] = self.__dict__["_by_authority"].get(authority, [])
        return found

    def _opened(self, kind: str, fetch: _Fetch, *, is_later: bool) -> InForce:
        place = (fetch.table, fetch.row)
        if place not in self._parsed:
            if len(self._parsed) >= _PARSED_AT_MOST:
                self._parsed.clear()
            body = self._bodies[fetch.table][fetch.row].as_py()
            self._parsed[place] = parse_site_file(kind, status=fetch.status, body=body)
        return InForce(self._parsed[place], fetch.record_id, fetch.at, is_later)


def authority_and_path(canonical: str) -> tuple[str, str]:
    """Divide a canonical URL into its authority without the user, and its path.

    >>> authority_and_path("https://user@a.example:8080/robots.txt?x")
    ('a.example:8080', '/robots.txt')
    """
    authority, _, rest = canonical.split("://", 1)[1].partition("/")
    path = rest.partition("#")[0].partition("?")[0]
    return authority.rpartition("@")[2], f"/{path}"


def _instants(column: pa.ChunkedArray) -> list[int]:
    """Return the times of a column of text as microseconds; ``NO_INSTANT`` for a null."""
    trimmed = pc.replace_substring_regex(column, "(Z|[+]00:00)$", "")
    times = pc.strptime(
        pc.replace_substring_regex(trimmed, r"\.[0-9]+$", ""), "%Y-%m-%dT%H:%M:%S", "us", True
    )
    found: list[int] = times.cast(pa.int64()).fill_null(int(NO_INSTANT)).to_pylist()
    return found
