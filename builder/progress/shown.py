"""Let a function of the Python API show its progress, where a person looks at it."""

from __future__ import annotations

import inspect
import sys
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from builder.progress.compiling import watch_compiling
from builder.progress.notebook import in_notebook, show_table
from builder.progress.phases import Phases
from builder.progress.terminal import show_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from builder.progress.notebook import NotebookTable
    from builder.progress.terminal import Bars

_P = ParamSpec("_P")
_T = TypeVar("_T")


def shows_progress(
    *, phases: Mapping[str, float] | None = None, compiles: bool = False
) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Let a function show its progress in a terminal and in a notebook.

    It is shown unless the caller gives ``progress=False``, or receives the reports itself with ``advance``.
    A function with ``notice`` shows its notices as well. Elsewhere, as in a script whose stderr goes to a
    file, nothing is shown.

    Args:
        phases: the shares of the phases in the time, for one estimate over all of them. Default: no estimate.
        compiles: whether the work runs kernels, so that the first run compiles them.
    """

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T]:
        takes_notice = "notice" in inspect.signature(function).parameters

        @wraps(function)
        def called(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            if "advance" in kwargs or not kwargs.pop("progress", True):
                return function(*args, **kwargs)
            with _shown(Phases(phases or {}), compiles=compiles) as display:
                given: dict[str, Any] = {}
                if display is not None:
                    given = {"advance": display} | ({"notice": display.note} if takes_notice else {})
                call: Callable[..., _T] = function
                return call(*args, **(given | kwargs))

        return called

    return decorate


@contextmanager
def _shown(phases: Phases, *, compiles: bool) -> Iterator[Bars | NotebookTable | None]:
    """Yield what shows the progress; None where nobody would see it."""
    with ExitStack() as stack:
        if in_notebook():
            display: Bars | NotebookTable = stack.enter_context(show_table(phases))
        elif is_terminal():
            display = stack.enter_context(show_bars(phases))
        else:
            yield None
            return
        if compiles:
            stack.enter_context(watch_compiling(display.note))
        yield display


def is_terminal() -> bool:
    """Return whether stderr is a terminal; a program without a console has no stderr."""
    return sys.stderr is not None and sys.stderr.isatty()
