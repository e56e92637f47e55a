"""Find stages and sources by name, and declare their options.

The built-in stage ``dedup_near`` is the class ``DedupNear`` in ``builder/stages/dedup_near.py``. The built-in
source ``jsonl`` is the class ``JsonlSource`` in ``builder/io/jsonl.py``. Other packages add stages and
sources through the entry points ``builder.stages`` and ``builder.sources``.
"""

from __future__ import annotations

import dataclasses
import difflib
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from builder.domain.addresses import redact_urls
from builder.errors import BuilderError, Fault, RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STAGES = (
    "validate",
    "block_urls",
    "extract_text",
    "clean_text",
    "repair_text",
    "license",
    "language",
    "signals",
    "filter",
    "opt_out",
    "dedup_url",
    "dedup_exact",
    "dedup_near",
)
SOURCES = ("jsonl", "json", "warc", "html", "text", "parquet", "csv", "dataset")


def option(
    default: Any = dataclasses.MISSING,
    *,
    help: str,  # noqa: A002 - the word that click and argparse use
    choices: Sequence[str] = (),
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
) -> Any:
    """Declare one option of a stage or source. The recipe's schema is generated from these dataclass fields.

    Args:
        default: value if the recipe does not set the option; without a default the option is required.
        help: one sentence for the docs and the schema, with the unit.
        minimum: smallest allowed value.
        maximum: largest allowed value.
        above: exclusive lower bound.
    """
    metadata = {
        "help": help,
        "choices": tuple(choices),
        "minimum": minimum,
        "maximum": maximum,
        "above": above,
    }
    if isinstance(default, (dict, list)):
        return dataclasses.field(default_factory=lambda: type(default)(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def stage_class(name: str) -> type:
    """Return the class of a stage.

    Raises:
        RecipeError: if no stage has this name; the advice suggests the most similar name.
    """
    return _find(name, kind="stage", builtin=STAGES, package="builder.stages", suffix="")


def source_class(kind: str) -> type:
    """Return the class of a source.

    Raises:
        RecipeError: if no source has this kind; the advice suggests the most similar kind.
    """
    return _find(kind, kind="source", builtin=SOURCES, package="builder.io", suffix="Source")


def stage_names() -> list[str]:
    """List all stages: the built-in stages in the order of a typical recipe, then those of other packages."""
    return [*STAGES, *sorted(_entry_points("builder.stages"))]


def source_kinds() -> list[str]:
    """List all sources: the built-in sources, then those of other packages."""
    return [*SOURCES, *sorted(_entry_points("builder.sources"))]


def nearest(name: str, names: Sequence[str]) -> str:
    """Suggest the known name that is most similar; without a similar name, list all known names.

    >>> nearest("dedup_naer", ["dedup_near", "dedup_url"])
    "did you mean 'dedup_near'?"
    """
    close = difflib.get_close_matches(str(name), names, n=1)
    return f"did you mean {close[0]!r}?" if close else "one of " + ", ".join(names)


def _find(name: str, *, kind: str, builtin: Sequence[str], package: str, suffix: str) -> type:
    if name in builtin:
        camel = "".join(word.capitalize() for word in name.split("_"))
        found: type = getattr(import_module(f"{package}.{name}"), camel + suffix)
        return found
    external = _entry_points(f"builder.{kind}s")
    if name in external:
        return _load(name, external[name], kind=kind)
    known = [*builtin, *sorted(external)]
    advice = f"{nearest(name, known)}; if it is in a package, install that in this Python environment"
    raise RecipeError(Fault(where="", what=f"no {kind} is called {name!r}", advice=advice))


def describe_part(name: str, *, kind: str) -> str:
    """Return what a stage or source of another package is, with the package and its version.

    Args:
        kind: ``stage`` or ``source``.
    """
    package = package_of(name, kind=kind)
    return f"the {kind} {name!r}" + (f" of the package {' '.join(package)}" if package else "")


@contextmanager
def blame(name: str, *, kind: str, code: type) -> Iterator[None]:
    """Turn what the code of another package raises into an error with its name and its package.

    Errors of builder, a lack of memory, and what the code of builder itself raises pass unchanged.

    Args:
        kind: ``stage`` or ``source``.
        code: the class whose code runs.

    Raises:
        RecipeError: if code of another package raises.
    """
    try:
        yield
    except (BuilderError, MemoryError):
        raise
    except Exception as error:
        if is_own(code):
            raise
        text = f"{type(error).__name__}: {redact_urls(' '.join(str(error).split()))[:200]}"
        what = f"{describe_part(name, kind=kind)} raised {text}"
        advice = "fix or update the package, or remove the entry from the recipe"
        raise RecipeError(Fault(where=name, what=what, advice=advice)) from error


def describe_error(error: BaseException) -> str:
    """Return kind and text of an error in one line.

    >>> describe_error(ValueError(" two  spaces"))
    'ValueError: two spaces'
    """
    return f"{type(error).__name__}: {redact_urls(' '.join(str(error).split()))}"[:500]


def is_own(code: type) -> bool:
    """Return whether a class is part of builder."""
    return code.__module__.partition(".")[0] == "builder"


def package_of(name: str, *, kind: str) -> tuple[str, str] | None:
    """Return name and version of the package that has a stage or source; None for those of builder."""
    point = _entry_points(f"builder.{kind}s").get(name)
    if point is None or point.dist is None:
        return None
    return str(point.dist.name), str(point.dist.version)


def _load(name: str, point: Any, *, kind: str) -> type:
    """Import a stage or source of another package.

    Raises:
        RecipeError: if it cannot be imported, whatever its code raises.
    """
    try:
        loaded: type = point.load()
    except Exception as error:
        text = f"{type(error).__name__}: {redact_urls(' '.join(str(error).split()))[:200]}"
        what = f"{describe_part(name, kind=kind)} cannot be loaded: {text}"
        advice = "fix or update the package, or remove the entry from the recipe"
        raise RecipeError(Fault(where=name, what=what, advice=advice)) from error
    if not (isinstance(loaded, type) and dataclasses.is_dataclass(loaded)):
        what = f"{describe_part(name, kind=kind)} is not a dataclass, but {point.value}"
        advice = "make the class a frozen dataclass; its fields are the options"
        raise RecipeError(Fault(where=name, what=what, advice=advice))
    attribute = "name" if kind == "stage" else "kind"
    if (own := getattr(loaded, attribute, None)) != name:
        what = f"{describe_part(name, kind=kind)} has the {attribute} {own!r}, not that of its entry point"
        raise RecipeError(Fault(where=name, what=what, advice=f"write in the class: {attribute} = {name!r}"))
    return loaded


@cache
def _entry_points(group: str) -> dict[str, Any]:
    return {point.name: point for point in entry_points(group=group)}
