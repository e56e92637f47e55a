"""Describe what decides on the rows of a build: options with defaults, rules, files, libraries.

A stage or source declares these facts, all of them optional:

- ``rules``: a number that its author raises when the same options give other rows.
- ``libraries``: the distributions that it runs, as a tuple or as a property that depends on its options.
- ``files(folder)``: the files that it reads (models, lists), by the name to publish; ``folder`` is the folder
  of the recipe.
- ``recorded_options``: options whose recorded value is another one, such as the digest of a file that an
  option names by its path.

For a stage or source of another package, name and version of the package and a hash of its source count as
well. Such a class can give its own ``identity`` instead, a mapping of JSON values. A function that a stage
calls is identified in the same way (``code_identity``).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.domain.json.canonical import canonical_json
from builder.errors import Fault, RecipeError
from builder.recipe.code_identity import code_identity, function_identity
from builder.recipe.known_options import is_as_before
from builder.recipe.secrets import public_addresses
from builder.recipe.stage_entries import stage_entries
from builder.registry import source_class, stage_class
from builder.stages.binding.placed import inner_stage, where_of
from builder.stages.publishable import Publishable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.protocols import Source
    from builder.stages.binding.placed import AnyStage

NOT_SOURCE_DATA = frozenset({"path", "name", "redirect_hosts"})
"""Options of a source that change where its inputs are found, and not the rows that an input gives."""

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFile:
    """A file that a stage reads, such as a model or a list."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What decides on the rows of a build, apart from inputs, contract and tombstones.

    Attributes:
        chain: name, columns, splits and stages, with all defaults and with the values of variables.
        sources: kind, rules and options of each source, by its name.
        libraries: the version of each library that a stage or source runs.
        public: columns, splits, stages and sources for the manifest: as ``chain`` and ``sources``, but a
            value with ``${VAR}`` is as written, and addresses have no query strings: both can be secrets.
        files: the files that stages read.
    """

    chain: Mapping[str, Any]
    sources: Mapping[str, Mapping[str, Any]]
    libraries: Mapping[str, str]
    public: Mapping[str, Any]
    files: Sequence[StageFile]

    def digest(self, versions: Mapping[str, str] | None = None) -> str:
        """Return the SHA-256 of the chain.

        Args:
            versions: the versions of all libraries of the stages; default: the installed ones.
        """
        stages = self.chain["stages"]
        return _digest({**self.chain, "stages": list(map(_bare, stages))}, self._versions(stages, versions))

    def source_digests(self, versions: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, str]:
        """Return the SHA-256 of each source, by its name; ``versions`` as in ``digest``, by source."""
        versions = versions or {}
        return {
            name: _digest(_bare(facts), self._versions([facts], versions.get(name)))
            for name, facts in self.sources.items()
        }

    def packages(self) -> dict[str, str]:
        """Return the versions of all code that is not part of builder.

        A package has its version. A function that is not in a package has the hash of its source, or the
        version that its author declares.
        """
        versions = {}
        for one in self._identities():
            if one.get("package"):
                versions[one["package"]] = one.get("version")
            elif one.get("function"):
                versions[one["function"]] = one.get("version") or f"sha256:{one.get('source')}"
        return {name: number for name, number in versions.items() if number}

    @property
    def is_declared(self) -> bool:
        """Whether only a declared version identifies a function of the recipe."""
        return any(one.get("reproducible") == "declared" for one in self._identities())

    def _identities(self) -> list[Mapping[str, Any]]:
        parts = [*self.chain["stages"], *self.sources.values()]
        return [part["identity"] for part in parts if "identity" in part]

    def as_known(
        self, stages: Sequence[Mapping[str, Any]], sources: Mapping[str, Mapping[str, Any]]
    ) -> Identity:
        """Return the identity without the options that a version does not know and that change nothing.

        Args:
            stages: the stages of the version, with its options.
            sources: the sources of the version, by name.
        """
        known = {stage["name"]: stage for stage in stages}

        def trim(parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
            return [_as_known(part, known.get(part["name"])) for part in parts]

        def trim_sources(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
            return {name: _as_known(part, sources.get(name)) for name, part in parts.items()}

        public = {
            "stages": trim(self.public["stages"]),
            "sources": trim_sources(self.public["sources"]),
        }
        return replace(
            self,
            chain={**self.chain, "stages": trim(self.chain["stages"])},
            sources=trim_sources(self.sources),
            public={**self.public, **public},
        )

    def _versions(
        self, parts: Sequence[Mapping[str, Any]], versions: Mapping[str, str] | None
    ) -> dict[str, str]:
        if versions is not None:
            return dict(versions)
        return {name: self.libraries[name] for part in parts for name in part.get("libraries", ())}


def _bare(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts without the names of libraries, which enter a digest with their versions."""
    return {key: value for key, value in facts.items() if key != "libraries"}


def _as_known(now: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    if before is None:
        return dict(now)
    kind = str(now["stage"] if "stage" in now else now["source"])
    defaults = _defaults(kind, is_stage="stage" in now)
    options = {
        name: value
        for name, value in now["options"].items()
        if name in before["options"] or not is_as_before(kind, name, value, default=defaults.get(name))
    }
    return {**now, "options": options}


def _defaults(kind: str, *, is_stage: bool) -> dict[str, Any]:
    """Return the defaults of today."""
    if kind == Publishable.name:
        return {}
    found = stage_class(kind) if is_stage else source_class(kind)
    fields = [one for one in dataclasses.fields(found) if "help" in one.metadata]
    defaults = {one.name: one.default for one in fields if one.default is not dataclasses.MISSING}
    made = {one.name: one.default_factory for one in fields}
    return defaults | {name: make() for name, make in made.items() if make is not dataclasses.MISSING}


def describe_chain(
    shared: Mapping[str, Any],
    *,
    stages: Sequence[AnyStage],
    sources: Sequence[Source],
    document: Mapping[str, Any],
    folder: Path,
) -> Identity:
    """Describe what decides on the rows of a recipe; reads the files that its stages read.

    Args:
        shared: the values of the chain that are not stages.
        document: the recipe as written.
        folder: the folder of the recipe.

    Raises:
        RecipeError: if a file that a stage reads cannot be read.
    """
    files: dict[str, StageFile] = {}
    exact = [_describe_stage(stage, folder=folder, files=files) for stage in (*stages, Publishable())]
    exact_sources = {source.label: describe_source(source) for source in sources}
    written = [*(one.options for one in stage_entries(document.get("stages"))), {}]
    of_sources = [next(iter(entry.values())) or {} for entry in document["sources"]]
    public = {
        **{key: _as_written(value, document.get(key)) for key, value in shared.items() if key != "name"},
        "stages": [_with_variables(*both) for both in zip(exact, written, strict=True)],
        "sources": {
            name: _with_variables(facts, options)
            for (name, facts), options in zip(exact_sources.items(), of_sources, strict=True)
        },
    }
    named = {name for facts in (*exact, *exact_sources.values()) for name in facts.get("libraries", ())}
    return Identity(
        chain={**shared, "stages": exact},
        sources=exact_sources,
        libraries={name: _installed(name) for name in sorted(named)},
        public=public,
        files=[files[path] for path in sorted(files)],
    )


def describe_source(source: Source) -> dict[str, Any]:
    """Return kind, rules and effective options of a source."""
    options = {k: v for k, v in effective_options(source).items() if k not in NOT_SOURCE_DATA}
    return {"source": source.kind, "options": options, **_declared(source, kind="source")}


def effective_options(found: Any) -> dict[str, Any]:
    """Return every option of a stage or source with its value, as plain JSON values."""
    fields = dataclasses.fields(found) if dataclasses.is_dataclass(found) else ()
    return {one.name: _plain(getattr(found, one.name)) for one in fields if "help" in one.metadata}


def _describe_stage(stage: AnyStage, *, folder: Path, files: dict[str, StageFile]) -> dict[str, Any]:
    inner, where = inner_stage(stage), where_of(stage)
    options = effective_options(inner) | getattr(inner, "recorded_options", {})
    facts = {"stage": inner.name, "name": stage.name, "options": options}
    facts |= _declared(inner, kind="stage")
    if called := getattr(inner, "called", None):
        facts["identity"] = function_identity(called, declared=inner.version)
    if where:
        facts["where"] = where.document()
    read = getattr(inner, "files", None)
    found = {name: _hash_file(name, path) for name, path in read(folder).items()} if read else {}
    files |= found
    if found:
        facts["files"] = {name: one.sha256 for name, one in sorted(found.items())}
    return facts


def _declared(found: Any, *, kind: str) -> dict[str, Any]:
    """Return what a stage or source declares about itself, and what identifies code of another package."""
    facts: dict[str, Any] = {"rules": getattr(found, "rules", 1)}
    if libraries := sorted(getattr(found, "libraries", ())):
        facts["libraries"] = libraries
    name = found.kind if kind == "source" else found.name
    if identity := getattr(found, "identity", None) or code_identity(type(found), name=name, kind=kind):
        facts["identity"] = _plain(identity)
    return facts


def _with_variables(facts: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts with the options that contain ``${VAR}`` as they are written."""
    options = {name: _as_written(value, written.get(name)) for name, value in facts["options"].items()}
    return {**facts, "options": options}


def _as_written(value: Any, written: Any) -> Any:
    return public_addresses(written if _has_variable(written) else value)


def _has_variable(value: Any) -> bool:
    if isinstance(value, str):
        return "${" in value
    if isinstance(value, Mapping):
        return any(map(_has_variable, value.values()))
    return isinstance(value, (list, tuple)) and any(map(_has_variable, value))


def _plain(value: Any) -> Any:
    """Return a value of an option with lists in place of tuples and text in place of paths."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _hash_file(name: str, path: Path) -> StageFile:
    digest, n_bytes = hashlib.sha256(), 0
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                n_bytes += len(chunk)
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise RecipeError(Fault(where=name, what=what, advice="check the path in the recipe")) from None
    return StageFile(path=name, sha256=digest.hexdigest(), bytes=n_bytes)


def _digest(facts: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    return hashlib.sha256(canonical_json({**facts, "versions": dict(versions)})).hexdigest()
