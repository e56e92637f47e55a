"""Threads of this process, for compiled code that releases the GIL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class LocalThreads:
    """A fixed number of threads that exist only while a call runs.

    >>> LocalThreads(3).side_by_side(lambda: "done")
    ['done', 'done', 'done']
    """

    n: int

    def side_by_side(self, function: Callable[[], _R]) -> list[_R]:
        """Call a function once in each thread and return all results."""
        with ThreadPoolExecutor(self.n) as pool:
            futures = [pool.submit(function) for _ in range(self.n)]
            return [future.result() for future in futures]
