"""What runs functions: an engine over tasks, and threads over compiled code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from builder.protocols.reading import Guard

T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Runs functions over tasks. Knows nothing of data."""

    workers: int

    def map(
        self, function: Callable[[T, Guard], R], tasks: Iterable[T], *, untrusted: bool = False
    ) -> Iterator[R]:
        """Yield results in the order of the tasks.

        ``function`` is pickled: a module-level function or a frozen dataclass with ``__call__``. With
        ``untrusted`` it always runs in a supervised child: when it hangs or dies inside ``guard.enter``
        the task is called again, and that unit is refused then.
        """

    def alone(self, function: Callable[[T, Guard], R], task: T) -> R:
        """Call a trusted function while nothing else runs, with all the memory that there is."""

    def close(self) -> None:
        """End the workers."""


class Threads(Protocol):
    """Threads of this process, for compiled code; a corpus stage is given them."""

    @property
    def n(self) -> int:
        """How many there are; what they need together must not grow with it."""

    def side_by_side(self, function: Callable[[], R]) -> list[R]:
        """Call a function once in each thread and return all results."""
