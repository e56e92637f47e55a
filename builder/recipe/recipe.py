"""Build the frozen Recipe and its parts from a recipe document."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.corpus.place import corpus_folder
from builder.domain.addresses import redact_urls
from builder.domain.json.canonical import canonical_json
from builder.domain.url import URL_RULES
from builder.errors import BuilderError, Fault, RecipeError
from builder.io.contracts import load_contract
from builder.io.reading.file_source import FileSource
from builder.io.streams.address import Address, is_local
from builder.recipe.faults import find_faults, source_names
from builder.recipe.given_functions import Functions, take_functions
from builder.recipe.identity import Identity, describe_chain
from builder.recipe.one_or_more import OneOrMore, as_texts
from builder.recipe.roles import assign_columns
from builder.recipe.secrets import hidden_variables, public_document, redacted_urls, used_variables
from builder.recipe.stage_entries import FIRST_KIND, make_stages
from builder.recipe.text import Settings, apply_settings, fill_variables, read_document
from builder.registry import blame, source_class
from builder.stages.binding.placed import stage_kind
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.domain.addresses import Variables
    from builder.domain.contract.carried import CarriedColumn
    from builder.domain.contract.contract import Contract
    from builder.protocols import Columns, CorpusStage, Source, Stage

INPUT_RULES = 2
"""Number of the rule that names inputs, on which record ids and the digest of the inputs depend.

Rule 1 kept query strings and values of variables in the names of remote inputs, and made no columns of
folders named ``key=value``. Rule 2 removes the former and makes the latter.
"""

DEFAULT_CONTRACT = "page-1"
DEFAULT_SPLITS = {"train": 1.0}
_NOT_DATA = frozenset({"audit", "title", "description", "card", "date", "corpus"})
_NOT_SHARED = _NOT_DATA | {"sources", "stages", "contract", "license", "language"}
"""Keys that the chain digest does not take as they are written. Stages enter it with their defaults. Sources
and the contract have their own digests; license and language are written to the card only."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Recipe(Summarised):
    """A checked recipe, with its contract, sources and stages.

    ``document`` is the recipe as written, with settings applied. It is published, so its variables are not
    replaced, and its addresses have no query strings and no user information: they may be secrets.
    ``filled`` is the recipe with the values of the variables, and ``variables`` has these values. They must
    not be stored or printed. ``carried`` are the published columns that the contract does not declare, once
    the inputs are known.
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
    on_bad_value: str = "reject"
    publish: tuple[str, ...] | str = ()
    drop: tuple[str, ...] = ()
    carried: tuple[CarriedColumn, ...] = ()
    audit_texts: str = "sample"
    document: Mapping[str, Any] = field(default_factory=dict)
    filled: Mapping[str, Any] = field(default_factory=dict, repr=False)
    variables: Variables = field(default=(), repr=False)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        settings: Settings | str = (),
        schemas: OneOrMore[str | Path] = (),
        allow_code: bool = False,
    ) -> Recipe:
        """Read and check a recipe from a YAML or TOML file.

        Every fault is reported at once, with its place, so that you can fix them all in one edit. No input is
        opened and no network is used: a valid recipe may still name a folder that does not exist.

        Args:
            settings: values to override, as ``{"stages.dedup_near.threshold": 0.7}`` or as texts
                ``stages.dedup_near.threshold=0.7``.
            schemas: more folders in which references of the contract are looked up.
            allow_code: allow stages that call a function of the recipe's author. Without it, such a recipe is
                refused, and none of its code is imported.

        Raises:
            RecipeError: if the file cannot be read or does not match the recipe's schema.
            ContractError: if the contract is not a JSON Schema or cannot be mapped to Arrow.

        >>> Recipe.load("my-corpus/recipe.yaml", settings={"splits": {"train": 1.0}}).name
        'my-corpus'
        """
        path = Path(path)
        try:
            with redacted_urls():
                document = apply_settings(read_document(path), settings)
            folder = path.resolve().parent
            return cls.from_dict(document, folder=folder, schemas=schemas, allow_code=allow_code)
        except (BuilderError, UnicodeEncodeError):  # the latter: a file name that the locale cannot encode
            raise
        except RecursionError:
            what, advice = "nests too deeply", "check that this file is a recipe"
            raise RecipeError(Fault(where=str(path), what=what, advice=advice)) from None
        except Exception as error:
            what = f"cannot be understood: {type(error).__name__}: {redact_urls(str(error))[:200]}"
            advice = "compare it with `builder schema recipe`; if it is valid, report this as a bug"
            raise RecipeError(Fault(where=str(path), what=what, advice=advice)) from error

    @classmethod
    def from_dict(
        cls,
        document: Mapping[str, Any],
        *,
        folder: str | Path = ".",
        schemas: OneOrMore[str | Path] = (),
        contract: Contract | None = None,
        allow_code: bool = False,
    ) -> Recipe:
        """Check a recipe given as a mapping; relative paths are relative to ``folder``.

        The list of stages can hold functions that take a row: ``[{"extract_text": {}}, keep]``. If a function
        is a lambda, is inside of another one, or is not in a file, declare a version of it:
        ``{"filter": {"call": keep, "version": "1"}}``.

        Args:
            contract: replaces the contract that the document names.
            allow_code: as in ``load``. Functions that the list of stages holds need no permission.

        Raises:
            RecipeError: if the document does not match the recipe's schema, or a function needs a version.
            ContractError: as in ``load``.

        >>> sources = [{"jsonl": {"path": "my-corpus/pages/*.jsonl"}}]
        >>> Recipe.from_dict({"name": "tides", "sources": sources, "corpus": "out"}).splits
        {'train': 1.0}
        """
        document, functions = take_functions(document)
        filled = fill_variables(copy.deepcopy(dict(document)))
        with redacted_urls(), hidden_variables(used_variables(dict(document))):
            if faults := find_faults(filled, allow_code=allow_code, functions=functions):
                raise RecipeError(*faults)
            folder = Path(folder).resolve()
            if contract is None:
                named = filled.get("contract", DEFAULT_CONTRACT)
                contract = load_contract(named, folder=folder, schemas=[Path(s) for s in as_texts(schemas)])
            return _assemble(
                cls, filled, written=dict(document), folder=folder, contract=contract, functions=functions
            )

    def stage_places(self) -> list[str]:
        """Return the place of each stage in the recipe as written, such as ``stages[2].dedup_near``.

        A first ``validate`` that the recipe does not list has no place there; it is ``validate``.
        """
        written = self.filled.get("stages") or []
        is_listed = bool(written) and FIRST_KIND in written[0]
        kinds = [stage_kind(stage) for stage in self.stages]
        if is_listed:
            return [f"stages[{i}].{kind}" for i, kind in enumerate(kinds)]
        return [kinds[0], *(f"stages[{i}].{kind}" for i, kind in enumerate(kinds[1:]))]

    def digest(self) -> str:
        """Return the SHA-256 of ``data_document``."""
        return hashlib.sha256(canonical_json(self.data_document())).hexdigest()

    def data_document(self) -> dict[str, Any]:
        """Return the part of the recipe that affects rows; a change in it requires a rebuild."""
        document = _without_paths(self.filled, self.folder)
        document["sources"] = [
            _with_public_path(entry, source)
            for entry, source in zip(document["sources"], self.sources, strict=True)
        ]
        return {key: value for key, value in document.items() if key not in _NOT_DATA}

    def identity(self) -> Identity:
        """Describe what decides on the rows; reads the files that stages read.

        Raises:
            RecipeError: if such a file cannot be read.
        """
        roles = dataclasses.asdict(self.columns)
        roles = {role: name for role, name in roles.items() if role != "id" or name != "id"}
        written = {key: value for key, value in self.filled.items() if key not in _NOT_SHARED}
        shared = {**written, "name": self.name, "columns": roles, "splits": dict(self.splits)}
        return describe_chain(
            shared,
            stages=self.stages,
            sources=self.sources,
            document=self.document,
            folder=self.folder,
        )

    def public_document(self) -> dict[str, Any]:
        """Return the recipe for the manifest: without ``corpus`` and without absolute paths."""
        return _without_paths(self.document, self.folder)

    def manifest_facts(
        self,
        *,
        identity: Identity,
        limit: int | None,
        url_rules: int = URL_RULES,
        input_rules: int = INPUT_RULES,
        libraries: Mapping[str, Sequence[str]] | None = None,
    ) -> dict[str, Any]:
        """Return the entry ``recipe`` of the manifest; rule 1 of input names has no entry of its own.

        Args:
            identity: what ``identity`` returned before the build.
            libraries: the versions of each library that made the rows; default: the installed ones.
        """
        made_by = libraries or {name: [one] for name, one in identity.libraries.items()}
        newest = {name: versions[-1] for name, versions in made_by.items()}
        identity = dataclasses.replace(identity, libraries=newest)
        facts = {
            "digest": identity.digest(),
            "sources": identity.source_digests(),
            "effective": identity.public,
            "libraries": {name: list(versions) for name, versions in made_by.items()},
            "document": self.public_document(),
            "url_rules": url_rules,
        }
        if self.carried:
            facts["published"] = [column.document() for column in self.carried]
        facts |= {"input_rules": input_rules} if input_rules > 1 else {}
        facts |= {"reproducible": "declared"} if identity.is_declared else {}
        return facts | self.card_facts() | ({"limit": limit} if limit else {})

    def _summary(self) -> dict[str, object]:
        return {
            "name": self.name,
            "contract": self.contract.label,
            "sources": [source.label for source in self.sources],
            "stages": [stage.name for stage in self.stages],
            "splits": dict(self.splits),
            "corpus": str(self.corpus),
        }

    def card_facts(self) -> dict[str, str]:
        """Return the digest of the sections of the card that a person wrote, if there are any."""
        return {"notes": hashlib.sha256(self.card.read_bytes()).hexdigest()} if self.card else {}


def _assemble(
    cls: type[Recipe],
    document: dict[str, Any],
    *,
    written: dict[str, Any],
    folder: Path,
    contract: Contract,
    functions: Functions,
) -> Recipe:
    return cls(
        name=document["name"],
        contract=contract,
        columns=assign_columns(document.get("columns", {}), contract),
        sources=_make_sources(document["sources"], written=written["sources"], folder=folder),
        stages=make_stages(document.get("stages"), folder=folder, functions=functions),
        splits=dict(document.get("splits", DEFAULT_SPLITS)),
        corpus=corpus_folder(document["corpus"], where="corpus", folder=folder),
        folder=folder,
        title=document.get("title", document["name"]),
        description=document.get("description", ""),
        license=document.get("license"),
        language=tuple(document.get("language", ())),
        date=document.get("date"),
        card=folder / document["card"] if "card" in document else None,
        on_bad_value=document.get("on_bad_value", "nullify" if contract.outgoing else "reject"),
        publish=named if isinstance(named := document.get("publish", ()), str) else tuple(named),
        drop=tuple(document.get("drop", ())),
        audit_texts=document.get("audit", {}).get("texts", "sample"),
        document=public_document(written),
        filled=document,
        variables=used_variables(written),
    )


def _make_sources(
    entries: list[dict[str, Any]], *, written: list[dict[str, Any]], folder: Path
) -> tuple[Source, ...]:
    made = []
    for entry, as_written, name in zip(entries, written, source_names(entries), strict=True):
        ((kind, options),) = entry.items()
        options = {**options, "name": name}
        found = source_class(kind)
        if "path" in options and _is_path(kind, options["path"], folder=folder):
            options["path"] = absolute(options["path"], folder=folder)
            if issubclass(found, FileSource) and not is_local(options["path"]):
                variables = used_variables(as_written[kind]["path"])
                options["path"] = Address(options["path"], variables=variables)
        with blame(kind, kind="source", code=found):
            made.append(found(**options))
    return tuple(made)


def _is_path(kind: str, path: str, *, folder: Path) -> bool:
    """Return whether ``path`` is a path; for a dataset, it may be a name on the Hub instead."""
    return kind != "dataset" or (folder / path).exists()


def _without_paths(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    kept = {key: value for key, value in document.items() if key != "corpus"}
    kept["sources"] = [_relative_source(entry, folder) for entry in kept["sources"]]
    if kept.get("stages"):
        kept["stages"] = [_relative_stage(entry, folder) for entry in kept["stages"]]
    if Path(str(kept.get("contract", ""))).is_absolute():
        kept["contract"] = os.path.relpath(kept["contract"], folder)
    return kept


def _with_public_path(entry: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """Return the entry of a source with the public form of a remote path."""
    ((kind, options),) = entry.items()
    path = getattr(source, "path", None)
    return {kind: {**options, "path": str(path)} if isinstance(path, Address) else options}


def _relative_source(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    ((kind, options),) = entry.items()
    options = dict(options)
    if Path(options.get("path", "")).is_absolute():
        options["path"] = os.path.relpath(options["path"], folder)
    return {kind: options}


def _relative_stage(entry: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the entry of a stage; the paths of files that its options name are relative to the recipe."""
    ((kind, options),) = entry.items()
    if not isinstance(options, dict):
        return {kind: options}
    return {kind: {name: _relative_file(value, folder) for name, value in options.items()}}


def _relative_file(value: Any, folder: Path) -> Any:
    if not isinstance(value, dict) or not Path(str(value.get("path", ""))).is_absolute():
        return value
    return {**value, "path": os.path.relpath(value["path"], folder)}


def absolute(path: str, *, folder: Path) -> str:
    """Return a local path as an absolute one; an address with a scheme (``s3://``, ``hf://``) is unchanged.

    ``~`` is the home of the user. In a chain, the last link may be a local path. A file that exists is local,
    even if its name begins like a chain.

    >>> absolute("s3://bucket/*.warc.gz", folder=Path("/tmp"))
    's3://bucket/*.warc.gz'
    >>> absolute("zip://*.html::pages.zip", folder=Path("/tmp"))
    'zip://*.html::/tmp/pages.zip'
    """
    expanded = os.path.expanduser(path)  # noqa: PTH111 - of an unknown user it leaves the path as it is
    joined = str(folder / expanded)
    if path.startswith("file://"):
        return path
    if is_local(path) or ("://" not in path and os.path.lexists(joined)):
        return joined
    before, chained, last = path.rpartition("::")
    return f"{before}::{absolute(last, folder=folder)}" if chained and last else path
