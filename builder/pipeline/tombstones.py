"""Tombstones: what was taken down and must not come back.

``tombstones.jsonl`` holds no URL and no text: only hashes under a key that the file itself holds, which never
leaves the corpus. The first line has the key; each other line is one document.

    {"format": "tombstones-1", "key": "…"}
    {"because": "…", "domains": [], "urls": ["…"], "contents": ["…"], "pages": [{"shingle_words": 5,
     "rows": 6, "band_keys": "…", "shingles": "…"}], "words": ["…"]}
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from blake3 import blake3

from builder.domain.json.canonical import canonical_json
from builder.domain.record import RECORD
from builder.domain.rejection import Rejection, rejection_batch
from builder.errors import CorpusError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

_FORMAT = "tombstones-1"
STAGE, TOMBSTONE = "takedown", "tombstone"
_HASH_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TextTombstone:
    """The shingles of one text, to be compared with by exact Jaccard.

    Attributes:
        keys: uint32[bands], keyed hashes of the band keys that the text had: they say which texts to compare
            it with, so that two are the same by chance costs a comparison.
        shingles: uint32[n], keyed hashes of its shingles, ascending. Two shingles of two texts of 600 have
            the same hash once in ten thousand comparisons.
    """

    shingle_words: int
    rows: int
    keys: NDArray[np.uint32]
    shingles: NDArray[np.uint32]

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "shingle_words": self.shingle_words,
            "rows": self.rows,
            "band_keys": base64.b85encode(self.keys.tobytes()).decode(),
            "shingles": base64.b85encode(self.shingles.tobytes()).decode(),
        }

    @classmethod
    def parse(cls, document: dict[str, Any]) -> TextTombstone:
        """Read what ``document`` wrote."""
        if "keys" in document:  # as they were written at first, with all their bits
            keys = halved(np.frombuffer(base64.b85decode(document["keys"]), np.uint64))
        else:
            keys = np.frombuffer(base64.b85decode(document["band_keys"]), np.uint32)
        shingles = np.frombuffer(base64.b85decode(document["shingles"]), np.uint32)
        return cls(
            shingle_words=document["shingle_words"],
            rows=document["rows"],
            keys=keys,
            shingles=shingles,
        )


def halved(hashes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Return the upper halves of hashes: 32 bits of each are kept."""
    return (hashes >> np.uint64(32)).astype(np.uint32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """One document that was taken down, with all that was merged into it: keyed hashes in hexadecimal.

    ``words`` are those of texts that are too short for a shingle: what has the same words, however they are
    written, is the same page. ``domains`` are hosts of which, and of whose subdomains, nothing may come any
    more.
    """

    because: str
    urls: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    pages: tuple[TextTombstone, ...] = ()
    domains: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "because": self.because,
            "domains": sorted(self.domains),
            "urls": sorted(self.urls),
            "contents": sorted(self.contents),
            "pages": [page.document() for page in self.pages],
            **({"words": sorted(self.words)} if self.words else {}),
        }

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Tombstone:
        """Read what ``document`` wrote."""
        pages = tuple(map(TextTombstone.parse, document["pages"]))
        lists = {name: tuple(document[name]) for name in ("domains", "urls", "contents")}
        words = tuple(document.get("words", ()))
        return cls(because=document["because"], pages=pages, words=words, **lists)


@dataclass(frozen=True)
class Tombstones:
    """All tombstones of a corpus, and the key that hashes are made with.

    Attributes:
        key: 32 bytes.
    """

    key: bytes
    entries: tuple[Tombstone, ...] = field(default=())

    @classmethod
    def parse(cls, data: bytes) -> Tombstones | None:
        """Read ``tombstones.jsonl``; None if nothing was ever taken down.

        Raises:
            CorpusError: if it is no such file.
        """
        if not data:
            return None
        try:
            head, *lines = (json.loads(line) for line in data.splitlines())
            if head["format"] != _FORMAT:
                raise ValueError(f"has the format {head['format']!r}, not {_FORMAT!r}")
            return cls(bytes.fromhex(head["key"]), tuple(map(Tombstone.parse, lines)))
        except (ValueError, KeyError, TypeError) as error:
            fault = Fault(where="tombstones.jsonl", what=f"cannot be read: {error}", advice="run verify")
            raise CorpusError(fault) from None

    def to_bytes(self) -> bytes:
        """Return the bytes of the file."""
        head = {"format": _FORMAT, "key": self.key.hex()}
        return b"".join(
            canonical_json(one) + b"\n" for one in (head, *(stone.document() for stone in self.entries))
        )

    def facts(self) -> dict[str, Any]:
        """Return what a manifest tells of them."""
        return {"count": len(self.entries), "digest": hashlib.sha256(self.to_bytes()).hexdigest()}

    # -- hashes

    def keyed(self, value: bytes) -> str:
        """Hash some bytes under the key."""
        return blake3(value, key=self.key).hexdigest(length=_HASH_BYTES)

    def keyed_words(self, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Hash 64-bit words under the key; the shape stays."""
        from builder.kernels.dedup.keyed import keyed_words

        return keyed_words(words, self.key[:16])

    # -- what they bar

    @cached_property
    def _urls(self) -> frozenset[str]:
        return frozenset(url for stone in self.entries for url in stone.urls)

    @cached_property
    def _contents(self) -> frozenset[str]:
        return frozenset(content for stone in self.entries for content in stone.contents)

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(words for stone in self.entries for words in stone.words)

    @cached_property
    def _domains(self) -> frozenset[str]:
        return frozenset(domain for stone in self.entries for domain in stone.domains)

    @cached_property
    def pages(self) -> tuple[TextTombstone, ...]:
        """The texts of all tombstones."""
        return tuple(page for stone in self.entries for page in stone.pages)

    def match_urls(self, keys: Iterable[bytes | None]) -> NDArray[np.bool_]:
        """bool[n], whether the page of a URL was taken down; the keys are those of ``dedup_url``."""
        return np.asarray([key is not None and self.keyed(key) in self._urls for key in keys], np.bool_)

    def match_hosts(self, hosts: Sequence[str | None]) -> NDArray[np.bool_]:
        """bool[n], whether a host, or one that it is a subdomain of, was taken down."""
        judged: dict[str, bool] = {"": False}
        for host in hosts if self._domains else ():
            judged.setdefault(
                host or "", any(self.keyed(one.encode()) in self._domains for one in above(host or ""))
            )
        return np.asarray([judged.get(host or "", False) for host in hosts], np.bool_)

    def match_contents(self, digests: Iterable[bytes | None]) -> NDArray[np.bool_]:
        """bool[n], whether exactly this text was taken down; the digests are those of ``dedup_exact``."""
        return np.asarray(
            [one is not None and self.keyed(one) in self._contents for one in digests], np.bool_
        )

    def match_words(self, hashes: Iterable[bytes]) -> NDArray[np.bool_]:
        """bool[n], whether a text of these few words was taken down; hashes are those of ``dedup_near``."""
        return np.asarray([self.keyed(one) in self._words for one in hashes], np.bool_)


def tombstone_rejections(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Make rejections of rows that a tombstone bars."""
    records = batch.column(RECORD).to_pylist()
    return rejection_batch(Rejection(record=one, stage=STAGE, reason=TOMBSTONE) for one in records)


def above(host: str) -> list[str]:
    """List a host and the domains that it is part of.

    >>> above("a.b.example.org")
    ['a.b.example.org', 'b.example.org', 'example.org', 'org']
    """
    labels = host.split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]
