"""Find stages and sources by name, and declare their options.

The built-in stage ``dedup_near`` is the class ``DedupNear`` in ``builder/stages/dedup_near.py``. The built-in
source ``jsonl`` is the class ``JsonlSource`` in ``builder/io/jsonl.py``. Other packages add stages and
sources through the entry points ``builder.stages`` and ``builder.sources``.
"""

from __future__ import annotations

import dataclasses
import difflib
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from builder.errors import Fault, RecipeError

if TYPE_CHECKING:
    from collections.abc import Sequence

STAGES = (
    "validate",
    "extract_text",
    "repair_text",
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
        loaded: type = external[name].load()
        return loaded
    known = [*builtin, *sorted(external)]
    raise RecipeError(Fault(where="", what=f"no {kind} is called {name!r}", advice=nearest(name, known)))


@cache
def _entry_points(group: str) -> dict[str, Any]:
    return {point.name: point for point in entry_points(group=group)}
