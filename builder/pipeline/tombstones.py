"""Tombstones: keyed hashes of documents that were taken down, which keep them out of later versions.

``tombstones.jsonl`` contains no URL and no text, only hashes under a key. The key is in the first line of the
file, and the file never leaves the corpus. Each other line is one document.

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
    """The shingles of one text, for a comparison by exact Jaccard similarity.

    Attributes:
        keys: uint32[bands], keyed hashes of the text's band keys. They select the texts to compare with, so
            two keys that are equal by chance cost one comparison, and nothing else.
        shingles: uint32[n], keyed hashes of its shingles, ascending. In one of ten thousand comparisons of
            texts with 600 shingles each, two different shingles have the same hash.
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
        if "keys" in document:  # the older format, with all 64 bits of each key
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
    """Return the upper 32 bits of each hash."""
    return (hashes >> np.uint64(32)).astype(np.uint32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """One document that was taken down, with its merged records, as keyed hashes in hexadecimal.

    ``words`` are hashes of the words of texts that are too short for a shingle: a text with the same folded
    words is the same page. ``domains`` are hosts whose pages, and whose subdomains' pages, stay out.
    ``url_rules`` is the number of the rules of canonical URLs by which ``urls`` were hashed.
    """

    because: str
    urls: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    pages: tuple[TextTombstone, ...] = ()
    domains: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    url_rules: int = 1

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "because": self.because,
            "domains": sorted(self.domains),
            "urls": sorted(self.urls),
            "contents": sorted(self.contents),
            "pages": [page.document() for page in self.pages],
            **({"words": sorted(self.words)} if self.words else {}),
            **({"url_rules": self.url_rules} if self.url_rules > 1 else {}),
        }

    @classmethod
    def parse(cls, document: dict[str, Any]) -> Tombstone:
        """Read what ``document`` wrote."""
        pages = tuple(map(TextTombstone.parse, document["pages"]))
        lists = {name: tuple(document[name]) for name in ("domains", "urls", "contents")}
        words = tuple(document.get("words", ()))
        url_rules = document.get("url_rules", 1)
        return cls(because=document["because"], pages=pages, words=words, url_rules=url_rules, **lists)


@dataclass(frozen=True)
class Tombstones:
    """All tombstones of a corpus, and the key of their hashes.

    Attributes:
        key: 32 bytes.
    """

    key: bytes
    entries: tuple[Tombstone, ...] = field(default=())

    @classmethod
    def parse(cls, data: bytes) -> Tombstones | None:
        """Read the bytes of ``tombstones.jsonl``; return None if nothing was ever taken down.

        Raises:
            CorpusError: if the bytes have another format.
        """
        if not data:
            return None
        try:
            head, *lines = (json.loads(line) for line in data.splitlines())
            if head["format"] != _FORMAT:
                raise ValueError(f"has the format {head['format']!r}, not {_FORMAT!r}")
            return cls(bytes.fromhex(head["key"]), tuple(map(Tombstone.parse, lines)))
        except (ValueError, KeyError, TypeError) as error:
            fault = Fault(
                where="tombstones.jsonl", what=f"cannot be read: {error}", advice="run builder verify"
            )
            raise CorpusError(fault) from None

    def to_bytes(self) -> bytes:
        """Return the bytes of the file."""
        head = {"format": _FORMAT, "key": self.key.hex()}
        return b"".join(
            canonical_json(one) + b"\n" for one in (head, *(entry.document() for entry in self.entries))
        )

    def facts(self) -> dict[str, Any]:
        """Return the count and the digest that a manifest stores."""
        return {"count": len(self.entries), "digest": hashlib.sha256(self.to_bytes()).hexdigest()}

    # -- hashes

    def keyed(self, value: bytes) -> str:
        """Hash bytes under the key."""
        return blake3(value, key=self.key).hexdigest(length=_HASH_BYTES)

    def keyed_words(self, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Hash 64-bit words under the key; return an array of the same shape."""
        from builder.kernels.dedup.keyed import keyed_words

        return keyed_words(words, self.key[:16])

    # -- matches

    @cached_property
    def url_rules(self) -> tuple[int, ...]:
        """The numbers of the rules of canonical URLs by which the tombstones were made."""
        return tuple(sorted({entry.url_rules for entry in self.entries}))

    @cached_property
    def _urls(self) -> frozenset[tuple[int, str]]:
        return frozenset((entry.url_rules, url) for entry in self.entries for url in entry.urls)

    @cached_property
    def _contents(self) -> frozenset[str]:
        return frozenset(content for entry in self.entries for content in entry.contents)

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(words for entry in self.entries for words in entry.words)

    @cached_property
    def _domains(self) -> frozenset[str]:
        return frozenset(domain for entry in self.entries for domain in entry.domains)

    @cached_property
    def pages(self) -> tuple[TextTombstone, ...]:
        """The texts of all tombstones."""
        return tuple(page for entry in self.entries for page in entry.pages)

    def match_urls(self, keys: Iterable[bytes | None], *, rules: int) -> NDArray[np.bool_]:
        """Return bool[n], whether the page of a URL was taken down.

        Args:
            keys: those of ``dedup_url``, by the rules of canonical URLs with the number ``rules``.
        """
        urls = self._urls
        return np.asarray([key is not None and (rules, self.keyed(key)) in urls for key in keys], np.bool_)

    def match_hosts(self, hosts: Sequence[str | None]) -> NDArray[np.bool_]:
        """Return bool[n], whether a host, or a domain above it, was taken down."""
        judged: dict[str, bool] = {"": False}
        for host in hosts if self._domains else ():
            judged.setdefault(
                host or "", any(self.keyed(one.encode()) in self._domains for one in domains_of(host or ""))
            )
        return np.asarray([judged.get(host or "", False) for host in hosts], np.bool_)

    def match_contents(self, digests: Iterable[bytes | None]) -> NDArray[np.bool_]:
        """Return bool[n], whether exactly this text was taken down; digests are those of ``dedup_exact``."""
        return np.asarray(
            [one is not None and self.keyed(one) in self._contents for one in digests], np.bool_
        )

    def match_words(self, hashes: Iterable[bytes]) -> NDArray[np.bool_]:
        """Return bool[n], whether a text of these few words was taken down; hashes: ``dedup_near``'s."""
        return np.asarray([self.keyed(one) in self._words for one in hashes], np.bool_)


def tombstone_rejections(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rejections of rows that a tombstone matches."""
    records = batch.column(RECORD).to_pylist()
    return rejection_batch(Rejection(record=one, stage=STAGE, reason=TOMBSTONE) for one in records)


def domains_of(host: str) -> list[str]:
    """List a host and all domains above it.

    >>> domains_of("a.b.example.org")
    ['a.b.example.org', 'b.example.org', 'example.org', 'org']
    """
    labels = host.split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]
