"""Load contracts from files, with every document that they refer to; nothing is fetched from a network."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from builder.assets import schemas_folder
from builder.domain.contract.contract import HERE, OUTSIDE, Contract, schema_digest
from builder.domain.contract.dialect import DRAFTS, draft_of, no_such_document
from builder.domain.contract.judge import Judge, check_schema
from builder.domain.contract.mapping import map_schema
from builder.domain.contract.references import follow_references
from builder.domain.json.exact import Broken
from builder.domain.json.text import parse
from builder.errors import ContractError, Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

BUILTIN = ("page-1", "document-1")
_SUFFIX = ".schema.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A JSON Schema and all documents that it refers to; it may have no Arrow mapping."""

    name: str
    major: int
    schema: Any
    documents: Mapping[str, Any]
    digest: str


def load_contract(spec: str, *, folder: Path, schemas: Sequence[Path] = ()) -> Contract:
    """Load a built-in contract by its name, or a contract of your own from a JSON Schema.

    The file name gives the name and the major version: ``article-2.schema.json`` is version 2 of ``article``.
    Without a number, the version is 1.

    Args:
        folder: relative paths are relative to this folder.
        schemas: more folders in which references are looked up, by ``$id`` or by the path of the URI.

    Raises:
        ContractError: if the file is not a JSON Schema, a reference cannot be resolved, or a part of the
            schema cannot be mapped to Arrow; the error lists every such part.
    """
    if spec in BUILTIN:
        return builtin_contract(spec)
    loaded = load_schema(spec, folder=folder, schemas=schemas)
    with _named_after(folder / spec):
        return _contract(loaded, reserved=("id",))


@lru_cache(maxsize=len(BUILTIN))
def builtin_contract(name: str) -> Contract:
    """Load ``page-1`` or ``document-1``."""
    outgoing = builtin_contract("document-1") if name == "page-1" else None
    return _contract(load_schema(name, folder=schemas_folder()), reserved=(), outgoing=outgoing)


def load_schema(spec: str, *, folder: Path, schemas: Sequence[Path] = ()) -> Schema:
    """Load a JSON Schema as ``load_contract`` does, but without mapping it to Arrow."""
    path = schemas_folder() / (spec + _SUFFIX) if spec in BUILTIN else folder / spec
    root = _read_document(path)
    finder = _Finder(root=root, folder=path.parent, schemas=tuple(schemas))
    if draft_of(root, {}) is None:
        finder.try_dialect(root)
    check_schema(root, finder.documents, where=path.name)
    draft = draft_of(root, finder.documents) or ""
    if faults := follow_references(root, {}, draft=draft, retrieve=finder):
        raise ContractError(*(replace(fault, where=path.name + fault.where) for fault in faults))
    documents = dict(sorted(finder.documents.items()))
    for uri, document in documents.items():
        check_schema(document, documents, where=uri.removeprefix(HERE), default=draft)
    with _named_after(path):
        Judge(root, documents)
    name, major = _name_and_major(path)
    return Schema(
        name=name, major=major, schema=root, documents=documents, digest=schema_digest(root, documents)
    )


@contextmanager
def _named_after(path: Path) -> Iterator[None]:
    """Put the file name of a schema before the places of its faults."""
    try:
        yield
    except ContractError as error:
        raise ContractError(
            *(replace(fault, where=path.name + fault.where) for fault in error.faults)
        ) from None


def _contract(loaded: Schema, *, reserved: Sequence[str], outgoing: Contract | None = None) -> Contract:
    return Contract(
        name=loaded.name,
        major=loaded.major,
        schema=loaded.schema,
        documents=loaded.documents,
        columns=map_schema(loaded.schema, loaded.documents, reserved=reserved),
        digest=loaded.digest,
        outgoing=outgoing,
    )


def _name_and_major(path: Path) -> tuple[str, int]:
    """Return the name and the major version that a file's name gives.

    >>> from pathlib import Path
    >>> _name_and_major(Path("article-2.schema.json")), _name_and_major(Path("feed.json"))
    (('article', 2), ('feed', 1))
    """
    stem = path.name.removesuffix(".json").removesuffix(".schema")
    match = re.fullmatch(r"(.+)-([1-9][0-9]{0,8})", stem)
    return (match[1], int(match[2])) if match else (stem, 1)


def _read_document(path: Path) -> Any:
    try:
        data = path.read_bytes()
    except OSError as error:
        what = f"cannot be read as a contract: {error.strerror}"
        if not path.suffix:
            what = f"{path.name} is neither a built-in contract nor a file"
        close = get_close_matches(path.name, BUILTIN, n=1)
        advice = "give the path of a JSON Schema, or a built-in contract: " + ", ".join(BUILTIN)
        advice = f"did you mean {close[0]}?" if close else advice
        raise ContractError(Fault(where=str(path), what=what, advice=advice)) from None
    parsed = parse(data)
    if isinstance(parsed, Broken):
        what = f"the file is not JSON ({parsed.reason}): {parsed.message}"
        raise ContractError(Fault(where=str(path), what=what, advice="fix the file, or give another path"))
    if parsed.faults:
        raise ContractError(
            *(Fault(where=f"{path}{f.pointer}", what=f"{f.keyword}: {f.message}") for f in parsed.faults)
        )
    return parsed.value


@dataclass(slots=True, kw_only=True)
class _Finder:
    """Finds the document of a URI, below the schema's own folder or in the given folders."""

    root: Any
    folder: Path
    schemas: tuple[Path, ...]
    documents: dict[str, Any] = field(default_factory=dict)
    _by_id: dict[str, Path] | None = None

    def __call__(self, uri: str) -> Any:
        """Return the document of a URI; raise ``NoSuchResource`` if it is not found."""
        uri = uri.removesuffix("#")
        if uri not in self.documents:
            path = None if uri.lower().startswith("file:") else self._find(uri)
            if path is None:
                raise no_such_document(uri)
            self.documents[uri] = _read_document(path)
        return self.documents[uri]

    def try_dialect(self, schema: Any) -> None:
        """Load a custom metaschema and its own metaschemas; a missing one is reported by a later step."""
        from referencing.exceptions import NoSuchResource

        while isinstance(schema, dict) and isinstance(uri := schema.get("$schema"), str):
            uri = uri.removesuffix("#")
            if uri in DRAFTS or uri in self.documents:
                return
            try:
                schema = self(uri)
            except NoSuchResource:
                return

    def _find(self, uri: str) -> Path | None:
        own = [(self.folder, name) for name in self._names_here(uri)]
        given = [(folder, name) for name in self._names_anywhere(uri) for folder in self.schemas]
        for folder, name in own + given:
            if (path := _inside(folder, name)) is not None:
                return path
        return self._ids().get(uri)

    def _names_here(self, uri: str) -> list[str]:
        """Return the paths below the schema's own folder at which the document of a URI may be."""
        bases = [HERE]
        if isinstance(self.root, dict) and isinstance(name := self.root.get("$id", self.root.get("id")), str):
            bases.append(name[: name.rfind("/") + 1])
        return [uri.removeprefix(base) for base in bases if base and uri.startswith(base)]

    def _names_anywhere(self, uri: str) -> list[str]:
        if uri.startswith(OUTSIDE):
            return [uri.removeprefix(HERE)] if uri.startswith(HERE) else []
        parts = urlsplit(uri)
        path = parts.path.lstrip("/")
        return [*([f"{parts.netloc}/{path}"] if parts.netloc else []), path]

    def _ids(self) -> dict[str, Path]:
        """Index the documents in the given folders by the identifiers that they declare."""
        if self._by_id is None:
            self._by_id = {}
            for path in _json_files(self.schemas):
                document = parse(path.read_bytes())
                value = None if isinstance(document, Broken) else document.value
                name = value.get("$id", value.get("id")) if isinstance(value, dict) else None
                if isinstance(name, str):
                    self._by_id.setdefault(name.removesuffix("#"), path)
        return self._by_id


def _json_files(folders: Iterable[Path]) -> list[Path]:
    return [path for folder in folders for path in sorted(folder.rglob("*.json")) if path.is_file()]


def _inside(folder: Path, name: str) -> Path | None:
    """Return the file of this name below a folder, or None if it does not exist or is outside the folder."""
    name = unquote(name)
    if not name or "\0" in name or name.startswith("/"):
        return None
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
