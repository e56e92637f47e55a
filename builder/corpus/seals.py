"""Seals: the hashes of the files that manifests do not list.

    .seals/1.0.0.json    manifest.json, .audit/1.0.0/* and .index/1.0.0/*
    .seals/root.json     README.md, tombstones.jsonl, the target of ``latest``, each version's digest and seal

A seal is canonical JSON and contains its own digest, so a changed byte in the seal is found too.
"""

from __future__ import annotations

import dataclasses
import hashlib
from abc import ABC, abstractmethod
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
        """Return the SHA-256 and size of some bytes."""
        return cls(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal(ABC):
    """The common part of both kinds of seals; ``files`` has paths below the corpus."""

    format: ClassVar[str]
    files: Mapping[str, Sealed] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the bytes of the file."""
        return seal_document({"format": self.format, **dataclasses.asdict(self)})

    @classmethod
    def parse(cls: type[S], data: bytes, *, where: str) -> S:
        """Read a seal.

        Raises:
            TamperedError: if the seal was changed.
        """
        document: dict[str, Any] = read_sealed(data, where=where, expected=cls.format)
        if wrong := cls.find_wrong(document):
            raise TamperedError(
                Fault(where=where, what=f"is not a seal: {wrong}", advice="run `builder verify`")
            )
        document["files"] = {path: Sealed(**one) for path, one in document["files"].items()}
        facts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in document.items()}
        return cls(**facts)

    @classmethod
    @abstractmethod
    def find_wrong(cls, document: Mapping[str, Any]) -> str:
        """Return what a seal must not hold; empty if it is as a builder writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSeal(Seal):
    """The seal of one version: its digest, and the files that are not published with it.

    After a drop, the seal also covers the README.md of the version. This file says that the version was
    dropped, so it differs from the README.md in the manifest.
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
        """Whether the version was dropped."""
        return f"{self.version}/README.md" in self.files


@dataclass(frozen=True, slots=True, kw_only=True)
class RootSeal(Seal):
    """The seal of the corpus as a whole.

    Attributes:
        versions: by number, oldest first. Each has ``digest``, ``seal`` (SHA-256 of the seal of the version)
            and ``yanked`` (the reason, or null). A dropped version has ``dropped`` (true), and a purged
            version has ``purged`` (the number of removed rows).
        latest: target of the link ``latest``.
        unused: SHA-256 of objects that no version uses and that are not removed yet.
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
    """Return the highest version of a root seal that is neither yanked nor dropped, or None."""
    good = [
        number for number, facts in versions.items() if facts["yanked"] is None and not facts.get("dropped")
    ]
    return max(good, key=Version.parse, default=None)


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical_json(dict(document))).hexdigest()


def seal_document(document: Mapping[str, Any]) -> bytes:
    """Return a document with its own digest as canonical JSON."""
    return canonical_json({**document, "seal": _digest(document)})


def read_sealed(data: bytes, *, where: str, expected: str) -> dict[str, Any]:
    """Read a document that ``seal_document`` wrote, and remove its format and its digest.

    Raises:
        TamperedError: if the document was changed, or has another format.
    """
    tampered = TamperedError(Fault(where=where, what="was changed: it does not match its own digest"))
    try:
        document = read_json(data)
        seal = document.pop("seal")
        whole = _digest(document) == seal and canonical_json({**document, "seal": seal}) == data
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, BuilderError):
        raise tampered from None
    if not whole:
        raise tampered
    if document.pop("format", None) != expected:
        what = f"is not a {expected}"
        raise TamperedError(Fault(where=where, what=what, advice="a newer builder may have written it"))
    return dict(document)
