"""Seals: the hashes of what no manifest covers.

    .seals/1.0.0.json    manifest.json, .audit/1.0.0/* and .index/1.0.0/*
    .seals/root.json     README.md, tombstones.jsonl, the target of ``latest``, each version's digest and seal

A seal is canonical JSON and holds its own digest, so a byte that was changed in it is found as well.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from builder.corpus.seal_grammar import wrong_root_seal, wrong_version_seal
from builder.domain.json.canonical import canonical_json
from builder.domain.json.strict import read_json
from builder.domain.version import Version
from builder.errors import BuilderError, Fault, TamperedError

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping

S = TypeVar("S", bound="Seal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A file's SHA-256 and size in bytes."""

    sha256: str
    bytes: int

    @classmethod
    def of(cls, data: builtins.bytes) -> Sealed:
        """Seal some bytes."""
        return cls(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What both seals have; ``files`` by path below the corpus."""

    format: ClassVar[str]
    files: Mapping[str, Sealed] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the bytes of the file."""
        return seal_document({"format": self.format, **dataclasses.asdict(self)})

    @classmethod
    def parse(cls: type[S], data: bytes, *, where: str) -> S:
        """Read a seal.

        Raises:
            TamperedError: if it is not as it was written.
        """
        document: dict[str, Any] = read_sealed(data, where=where, expected=cls.format)
        if wrong := cls.find_wrong(document):
            raise TamperedError(Fault(where=where, what=f"is not a seal: {wrong}", advice="run verify"))
        document["files"] = {path: Sealed(**one) for path, one in document["files"].items()}
        facts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in document.items()}
        return cls(**facts)

    @classmethod
    def find_wrong(cls, document: Mapping[str, Any]) -> str:
        """Return what a seal must not hold; empty if it is as a builder writes it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSeal(Seal):
    """What belongs to one version and is not published with it, and the version's digest.

    Of a version that was dropped it covers README.md too, which says so and is not the one of the manifest.
    """

    format = "version-seal-1"
    version: str
    digest: str

    @classmethod
    def find_wrong(cls, document: Mapping[str, Any]) -> str:
        """Return what a seal must not hold; empty if it is as a builder writes it."""
        return wrong_version_seal(document)

    @property
    def dropped(self) -> bool:
        """Whether the version's rows are gone."""
        return f"{self.version}/README.md" in self.files


@dataclass(frozen=True, slots=True, kw_only=True)
class RootSeal(Seal):
    """What belongs to the corpus as a whole.

    Attributes:
        versions: by number, oldest first; each has ``digest``, ``seal`` (SHA-256 of its own seal) and
            ``yanked`` (the reason, or null); ``dropped`` (true) where its rows are gone, and ``purged`` (how
            many rows) where there was a purge.
        latest: what the link ``latest`` points to.
        unused: SHA-256 of objects that no version uses any more and that were not freed yet.
    """

    format = "root-seal-1"
    name: str
    latest: str | None = None
    versions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    unused: tuple[str, ...] = ()

    @classmethod
    def find_wrong(cls, document: Mapping[str, Any]) -> str:
        """Return what a seal must not hold; empty if it is as a builder writes it."""
        return wrong_root_seal(document)


def newest_of(versions: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the highest version of a root seal that is neither yanked nor dropped; None if there is none."""
    good = [
        number for number, facts in versions.items() if facts["yanked"] is None and not facts.get("dropped")
    ]
    return max(good, key=Version.parse, default=None)


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(dict(document))).hexdigest()


def seal_document(document: Mapping[str, Any]) -> bytes:
    """Return the bytes of a document that holds its own digest."""
    return canonical_json({**document, "seal": _digest(document)})


def read_sealed(data: bytes, *, where: str, expected: str) -> dict[str, Any]:
    """Read what ``seal_document`` wrote, without format and seal.

    Raises:
        TamperedError: if it is not as it was written.
    """
    tampered = TamperedError(
        Fault(where=where, what="was changed: it does not have the digest that it holds itself")
    )
    try:
        document = read_json(data)
        seal = document.pop("seal")
        whole = _digest(document) == seal and canonical_json({**document, "seal": seal}) == data
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, BuilderError):
        raise tampered from None
    if not whole:
        raise tampered
    if document.pop("format", None) != expected:
        what = f"is no {expected}"
        raise TamperedError(Fault(where=where, what=what, advice="a newer builder may have written it"))
    return dict(document)
