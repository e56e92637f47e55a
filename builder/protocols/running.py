"""Protocols for running functions: an engine with worker processes, and threads for compiled code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from builder.protocols.reading import Guard

T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Runs functions over tasks. It does not know what the data is.

    A function may be called more than once on a task, also at the same time in two places: it writes under
    names of its own and renames, and it looks first whether its result is there.
    """

    @property
    def workers(self) -> int:
        """Number of tasks that run at the same time."""

    @property
    def threads(self) -> int:
        """Number of threads that a task may use while no other task runs in its machine."""

    def map(
        self, function: Callable[[T, Guard], R], tasks: Iterable[T], *, untrusted: bool = False
    ) -> Iterator[R]:
        """Yield results in the order of the tasks.

        The engine pickles ``function``: use a module-level function or a frozen dataclass with ``__call__``.
        With ``untrusted`` the function always runs in a supervised child process. If the process hangs or
        dies between ``guard.enter`` and ``guard.leave``, the engine runs the task again, and the guard then
        refuses that unit.
        """

    def alone(self, function: Callable[[T, Guard], R], task: T) -> R:
        """Call a trusted function while no other task runs, so that it can use all available memory."""

    def facts(self) -> dict[str, Any]:
        """Return what ``run.json`` records about the engine: its name, its workers, its machines."""

    def close(self) -> None:
        """Stop the workers."""


class Threads(Protocol):
    """Threads of this process for compiled code. Corpus stages receive them."""

    @property
    def n(self) -> int:
        """Number of threads. The memory that all threads use together must not grow with it."""

    def side_by_side(self, function: Callable[[], R]) -> list[R]:
        """Call a function once in each thread and return all results."""
