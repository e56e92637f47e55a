"""Find the function that a recipe names: in a file next to it, in an installed package, or in Python.

A file is read once, and what was read is hashed, sent to the workers and executed. So the code that runs is
the code that the manifest identifies. The folder of a file, and the working directory, are never put on
``sys.path``.
"""

from __future__ import annotations

import hashlib
import re
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING, Any

from builder.errors import Fault, RecipeError
from builder.registry import describe_error

if TYPE_CHECKING:
    from collections.abc import Callable

_IN_FILE = re.compile(r"(?P<file>[^:]+\.py):(?P<name>[A-Za-z_][\w.]*)")
_IN_MODULE = re.compile(r"(?P<module>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):(?P<name>[A-Za-z_][\w.]*)")
_FORMS = "write package.module:function, or ./file.py:function for a file next to the recipe"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledFunction:
    """A function that a stage calls. Its code is not imported before ``load``.

    Attributes:
        reference: the function as the recipe names it.
        source: the content of its file; None if it is in a module, or pickled.
        pickled: the function itself, for one that a worker cannot import.
        source_digest: SHA-256 of the file of a pickled function; None if it is not known, and for a function
            in a module.
    """

    reference: str
    source: bytes | None = None
    pickled: bytes | None = None
    source_digest: str | None = None

    @property
    def module(self) -> str | None:
        """The module to import; None for a function in a file or a pickled one."""
        return None if self.source is not None or self.pickled else self.reference.partition(":")[0]

    def load(self) -> Callable[..., Any]:
        """Import the function; it is imported once in each process.

        Raises:
            RecipeError: if it cannot be imported, whatever its code raises, or is not callable.
        """
        return _load(self)


def find_function(reference: str, *, folder: Path) -> CalledFunction:
    """Read the file of a function; imports nothing.

    Args:
        reference: ``package.module:function`` or ``./file.py:function``.
        folder: the folder of the recipe, to which the file is relative.

    Raises:
        RecipeError: if the reference has another form, or its file cannot be read or is in another folder.
    """
    if _IN_MODULE.fullmatch(reference):
        return CalledFunction(reference=reference)
    found = _IN_FILE.fullmatch(reference)
    if found is None:
        raise RecipeError(Fault(where="call", what=f"{reference!r} is not a function", advice=_FORMS))
    path = PurePosixPath(found["file"])
    if path.is_absolute() or ".." in path.parts:
        what = f"the file {found['file']!r} is not in the folder of the recipe"
        raise RecipeError(Fault(where="call", what=what, advice="move it there, or make it a package"))
    try:
        source = (folder / path).read_bytes()
    except OSError as error:
        what = f"the file {found['file']!r} cannot be read: {error.strerror or error}"
        advice = f"the path is relative to the recipe, which is in {folder}"
        raise RecipeError(Fault(where="call", what=what, advice=advice)) from None
    digest = hashlib.sha256(source).hexdigest()
    return CalledFunction(reference=reference, source=source, source_digest=digest)


@lru_cache(maxsize=64)
def _load(called: CalledFunction) -> Callable[..., Any]:
    try:
        with redirect_stdout(sys.stderr):
            loaded = _import(called)
    except Exception as error:
        what = f"the function {called.reference!r} cannot be loaded: {describe_error(error)}"
        advice = "fix its code, or correct the name"
        if isinstance(error, ModuleNotFoundError) and called.module:
            advice = "install the package, or write ./file.py:function for a file next to the recipe"
        raise RecipeError(Fault(where="call", what=what, advice=advice)) from error
    if not callable(loaded):
        what = f"{called.reference!r} is not a function, but {type(loaded).__name__}"
        raise RecipeError(Fault(where="call", what=what, advice="name a function that takes a row"))
    found: Callable[..., Any] = loaded
    return found


def _import(called: CalledFunction) -> Any:
    if called.pickled is not None:
        import dill

        return dill.loads(called.pickled)
    place, _, name = called.reference.partition(":")
    found: Any = import_module(place) if called.source is None else _execute(place, called.source)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _execute(file: str, source: bytes) -> ModuleType:
    """Execute the content of a file as a module whose name nothing else has, and write no bytecode."""
    name = f"_builder_call_{hashlib.sha256(file.encode() + source).hexdigest()[:16]}"
    module = ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module  # dataclasses look up their module
    try:
        exec(compile(source, file, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module
