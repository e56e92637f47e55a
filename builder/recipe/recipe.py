"""Build the frozen Recipe and its parts from a recipe document."""

from __future__ import annotations

import copy
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.domain.json.canonical import canonical_json
from builder.domain.url import URL_RULES
from builder.errors import BuilderError, Fault, RecipeError
from builder.io.contracts import load_contract
from builder.protocols import Columns, CorpusStage, Source, Stage
from builder.recipe.faults import find_faults, source_names
from builder.recipe.text import apply_settings, fill_variables, read_document
from builder.registry import nearest, source_class, stage_class

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.domain.contract.carried import CarriedColumn
    from builder.domain.contract.contract import Contract

DEFAULT_CONTRACT = "page-1"
DEFAULT_SPLITS = {"train": 1.0}
_NOT_DATA = frozenset({"title", "description", "card", "date", "corpus"})
_NOT_CHAIN = frozenset({"sources", "contract", "license", "language"})
"""Keys outside the chain digest. Sources and the contract have their own digests; license and language are
written to the card and do not affect rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A checked recipe, with its contract, sources and stages.

    ``document`` is the recipe as written, with settings applied. It is published, so its variables are not
    replaced: their values may be secrets. ``filled`` is the recipe with the values of the variables.
    ``carried`` are the published columns that the contract does not declare, once the inputs are known.
    ``url_rules`` is the number of the rules of canonical URLs; an older corpus keeps its own.
    ``stages`` always begins with ``validate``, even if the recipe does not list it.
    """

    name: str
    contract: Contract
    columns: Columns
    sources: tuple[Source, ...]
    stages: tuple[Stage | CorpusStage, ...]
    splits: Mapping[str, float]
    corpus: Path
    folder: Path
    title: str = ""
    description: str = ""
    license: str | None = None
    language: tuple[str, ...] = ()
    date: str | None = None
    card: Path | None = None
    publish: tuple[str, ...] | str = ()
    drop: tuple[str, ...] = ()
    carried: tuple[CarriedColumn, ...] = ()
    url_rules: int = URL_RULES
    document: Mapping[str, Any] = field(default_factory=dict)
    filled: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(
        cls, path: str | Path, *, settings: Sequence[str] = (), schemas: Sequence[str | Path] = ()
    ) -> Recipe:
        """Read and check a recipe from a YAML or TOML file.

        Every fault is reported at once, with its place, so that you can fix them all in one edit. No input is
        opened and no network is used: a valid recipe may still name a folder that does not exist.

        Args:
            settings: ``KEY=VALUE`` pairs that override values, such as ``stages.dedup_near.threshold=0.7``.
            schemas: more folders in which references of the contract are looked up.

        Raises:
            RecipeError: if the file cannot be read or does not match the recipe's schema.
            ContractError: if the contract is not a JSON Schema or cannot be mapped to Arrow.
        """
        path = Path(path)
        try:
            document = apply_settings(read_document(path), settings)
            return cls.from_dict(document, folder=path.resolve().parent, schemas=schemas)
        except BuilderError:
            raise
        except RecursionError:
            what, advice = "nests too deeply", "check that this file is a recipe"
            raise RecipeError(Fault(where=str(path), what=what, advice=advice)) from None
        except Exception as error:
            what = f"cannot be understood: {type(error).__name__}: {str(error)[:200]}"
            advice = "compare it with `builder schema recipe`; if it is valid, report this as a bug"
            raise RecipeError(Fault(where=str(path), what=what, advice=advice)) from error

    @classmethod
    def from_dict(
        cls,
        document: Mapping[str, Any],
        *,
        folder: str | Path = ".",
        schemas: Sequence[str | Path] = (),
        contract: Contract | None = None,
    ) -> Recipe:
        """Check a recipe given as a mapping; relative paths are relative to ``folder``.

        Args:
            contract: replaces the contract that the document names.
        """
        filled = fill_variables(copy.deepcopy(dict(document)))
        if faults := find_faults(filled):
            raise RecipeError(*faults)
        folder = Path(folder).resolve()
        if contract is None:
            named = filled.get("contract", DEFAULT_CONTRACT)
            contract = load_contract(named, folder=folder, schemas=[Path(s) for s in schemas])
        return _assemble(cls, filled, written=dict(document), folder=folder, contract=contract)

    def digest(self) -> str:
        """Return the SHA-256 of ``data_document``."""
        return hashlib.sha256(canonical_json(self.data_document())).hexdigest()

    def data_document(self) -> dict[str, Any]:
        """Return the part of the recipe that affects rows; a change in it requires a rebuild."""
        document = _without_paths(self.filled, self.folder)
        return {key: value for key, value in document.items() if key not in _NOT_DATA}

    def chain_digest(self) -> str:
        """Return the SHA-256 of the part that affects every record; a change requires a full rebuild."""
        document = {key: value for key, value in self.data_document().items() if key not in _NOT_CHAIN}
        return hashlib.sha256(canonical_json(document)).hexdigest()

    def source_digests(self) -> dict[str, str]:
        """Return, by source name, the SHA-256 of each source's kind and options except path and name."""
        digests = {}
        for entry, source in zip(self.filled["sources"], self.sources, strict=True):
            ((kind, options),) = entry.items()
            facts = [kind, {k: v for k, v in options.items() if k not in ("path", "name")}]
            digests[source.label] = hashlib.sha256(canonical_json(facts)).hexdigest()
        return digests

    def public_document(self) -> dict[str, Any]:
        """Return the recipe for the manifest: without ``corpus`` and without absolute paths."""
        return _without_paths(self.document, self.folder)

    def manifest_facts(self, *, limit: int | None) -> dict[str, Any]:
        """Return the entry ``recipe`` of the manifest."""
        facts = {
            "digest": self.chain_digest(),
            "sources": self.source_digests(),
            "document": self.public_document(),
            "url_rules": self.url_rules,
        }
        if self.carried:
            facts["published"] = [column.document() for column in self.carried]
        if self.card:
            facts["notes"] = hashlib.sha256(self.card.read_bytes()).hexdigest()
        return facts | ({"limit": limit} if limit else {})


def _assemble(
    cls: type[Recipe],
    document: dict[str, Any],
    *,
    written: dict[str, Any],
    folder: Path,
    contract: Contract,
) -> Recipe:
    return cls(
        name=document["name"],
        contract=contract,
        columns=_assign_columns(document.get("columns", {}), contract),
        sources=_make_sources(document["sources"], folder=folder),
        stages=_make_stages(document.get("stages", [])),
        splits=dict(document.get("splits", DEFAULT_SPLITS)),
        corpus=(folder / document["corpus"]).resolve(),
        folder=folder,
        title=document.get("title", document["name"]),
        description=document.get("description", ""),
        license=document.get("license"),
        language=tuple(document.get("language", ())),
        date=document.get("date"),
        card=folder / document["card"] if "card" in document else None,
        publish=named if isinstance(named := document.get("publish", ()), str) else tuple(named),
        drop=tuple(document.get("drop", ())),
        document=written,
        filled=document,
    )


def _assign_columns(named: Mapping[str, str | None], contract: Contract) -> Columns:
    """Assign a column to each role; the default is the column with the name of the role."""
    known = contract.columns.names
    faults = [
        Fault(
            where=f"columns.{role}", what=f"the contract has no column {name!r}", advice=nearest(name, known)
        )
        for role, name in named.items()
        if name is not None and name not in known and role != "id"
    ]
    if faults:
        raise RecipeError(*faults)
    return Columns.among(known, named=named)


def _make_sources(entries: list[dict[str, Any]], *, folder: Path) -> tuple[Source, ...]:
    made = []
    for entry, name in zip(entries, source_names(entries), strict=True):
        ((kind, options),) = entry.items()
        options = {**options, "name": name}
        if "path" in options and _is_path(kind, options["path"], folder=folder):
            options["path"] = absolute(options["path"], folder=folder)
        made.append(source_class(kind)(**options))
    return tuple(made)


def _is_path(kind: str, path: str, *, folder: Path) -> bool:
    """Return whether ``path`` is a path; for a dataset, it may be a name on the Hub instead."""
    return kind != "dataset" or (folder / path).exists()


def _make_stages(entries: list[dict[str, Any]]) -> tuple[Stage | CorpusStage, ...]:
    written = [next(iter(entry.items())) for entry in entries]
    if not written or written[0][0] != "validate":
        written.insert(0, ("validate", {}))
    return tuple(stage_class(name)(**(options or {})) for name, options in written)


def _without_paths(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    kept = {key: value for key, value in document.items() if key != "corpus"}
    kept["sources"] = [_relative_source(entry, folder) for entry in kept["sources"]]
    if Path(str(kept.get("contract", ""))).is_absolute():
        kept["contract"] = os.path.relpath(kept["contract"], folder)
    return kept


def _relative_source(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    ((kind, options),) = entry.items()
    options = dict(options)
    if Path(options.get("path", "")).is_absolute():
        options["path"] = os.path.relpath(options["path"], folder)
    return {kind: options}


def absolute(path: str, *, folder: Path) -> str:
    """Return a local path as an absolute one; an address with a scheme (``s3://``, ``hf://``) is unchanged.

    >>> absolute("s3://bucket/*.warc.gz", folder=Path("/tmp"))
    's3://bucket/*.warc.gz'
    """
    return path if "://" in path else str(folder / path)
