"""Take the functions that a list of stages holds in Python, and name them as a recipe does.

A function that workers can import is named by its module. Other functions are sent to the workers as they
are. If neither a file nor a package identifies such a function, its author must declare a version.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from builder.errors import Fault, RecipeError
from builder.recipe.code_identity import is_identified
from builder.recipe.stage_entries import CALLS, is_free_name
from builder.stages.functions.called import CalledFunction

_SCRIPT = "__main__"
_ADVICE = (
    "move it to the top level of a file, or declare a version: "
    "{'filter': {'call': function, 'version': '1'}}; change the version when you change the function"
)

Functions = dict[str, CalledFunction]
"""The functions that were given in Python, by the name that the recipe has for them."""


def take_functions(document: Mapping[str, Any]) -> tuple[dict[str, Any], Functions]:
    """Return a recipe with the names of the functions in its stages, and the functions.

    An entry is a function, or ``{"filter": {"call": function, ...}}``. The stage of a plain function has its
    name, if a stage can have it.

    Raises:
        RecipeError: if nothing identifies a function and it has no version, or it cannot be sent to workers.
    """
    written = document.get("stages")
    if not isinstance(written, (list, tuple)):
        return dict(document), {}
    functions: Functions = {}
    stages = [_named(entry, functions, where=f"stages[{i}]") for i, entry in enumerate(written)]
    return {**document, "stages": stages}, functions


def _named(entry: Any, functions: Functions, *, where: str) -> Any:
    function, options = entry, {}
    if isinstance(entry, Mapping) and isinstance(entry.get(CALLS), Mapping):
        options = dict(entry[CALLS])
        function = options.get("call")
    elif callable(entry) and is_free_name(name := getattr(entry, "__name__", "")):
        options = {"name": name}
    if not callable(function):
        return entry
    called = _called(function, version=options.get("version"), where=where, taken=functions)
    functions[called.reference] = called
    return {CALLS: {**options, "call": called.reference}}


def _called(function: Callable[..., Any], *, version: Any, where: str, taken: Functions) -> CalledFunction:
    name = _importable_name(function)
    if name is not None and is_identified(name.partition(":")[0]):
        return CalledFunction(reference=name)
    source = _script_of(function)
    if source is None and not version:
        what = f"{_kind(function)} cannot be identified, so a change of it would not be seen"
        raise RecipeError(Fault(where=where, what=what, advice=_ADVICE))
    shown = getattr(function, "__qualname__", type(function).__qualname__)
    reference = unique = f"{_SCRIPT}:{shown}"
    while unique in taken:
        unique = f"{reference}-{len(taken) + 1}"
    return CalledFunction(
        reference=unique,
        pickled=_pickled(function, where=where),
        source_digest=hashlib.sha256(source.read_bytes()).hexdigest() if source else None,
    )


def _importable_name(function: Callable[..., Any]) -> str | None:
    """Return ``module:name`` of a function that an import of its module finds; else None."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    found: Any = sys.modules.get(module or "")
    if found is None or module == _SCRIPT or not inspect.isfunction(inspect.unwrap(function)):
        return None
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is function else None


def _script_of(function: Callable[..., Any]) -> Path | None:
    """Return the file of the program, if it defines the function at its top level; None for a prompt."""
    code = getattr(function, "__code__", None)
    file = getattr(sys.modules[_SCRIPT], "__file__", None)
    if code is None or file is None or getattr(function, "__module__", None) != _SCRIPT:
        return None
    is_top = getattr(sys.modules[_SCRIPT], function.__name__, None) is function
    is_there = is_top and "<" not in function.__qualname__ and Path(code.co_filename).is_file()
    return Path(file) if is_there and Path(code.co_filename).samefile(file) else None


def _kind(function: Callable[..., Any]) -> str:
    name = getattr(function, "__qualname__", type(function).__name__)
    if name.endswith("<lambda>"):
        return "a lambda"
    if "<locals>" in name:
        return f"the function {name!r}, which is inside of another one,"
    return f"the function {name!r}, which is not in a file,"


def _pickled(function: Callable[..., Any], *, where: str) -> bytes:
    import dill

    try:
        found: bytes = dill.dumps(function, recurse=True)
    except Exception as error:
        what = f"the function cannot be sent to workers: {type(error).__name__}: {error}"
        raise RecipeError(Fault(where=where, what=what, advice="put it in a file of its own")) from error
    return found
