"""An engine that does to functions what a cluster may do: other orders, repeated calls, lost answers."""

from __future__ import annotations

import pickle
import random
from typing import TYPE_CHECKING, TypeVar

from builder.engines.guard import NullGuard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from builder.protocols import Guard

_T = TypeVar("_T")
_R = TypeVar("_R")


class RestlessEngine:
    """Calls each function on each task at least twice, in a random order, and drops a third of the answers.

    Function, task and answer are pickled, as if they were sent to another machine.

    Attributes:
        n_calls: calls of functions; more than two for each task.
    """

    workers = threads = 2

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.n_calls = 0

    def map(
        self,
        function: Callable[[_T, Guard], _R],
        tasks: Iterable[_T],
        *,
        untrusted: bool = False,
    ) -> Iterator[_R]:
        """Yield results in the order of the tasks, after all of them are there."""
        payload = pickle.dumps(function)
        waiting = dict(enumerate(map(pickle.dumps, tasks)))
        answers: dict[int, bytes] = {}
        n_tasks = len(waiting)
        order = [*waiting] * 2
        self._random.shuffle(order)
        while order:
            number = order.pop()
            self.n_calls += 1
            answer = pickle.dumps(pickle.loads(payload)(pickle.loads(waiting[number]), NullGuard()))
            if self._random.random() < 1 / 3:
                order.insert(self._random.randint(0, len(order)), number)
            else:
                answers[number] = answer
        yield from (pickle.loads(answers[number]) for number in range(n_tasks))

    def alone(self, function: Callable[[_T, Guard], _R], task: _T) -> _R:
        """Call a function; no other one runs."""
        (answer,) = self.map(function, [task])
        return answer

    def facts(self) -> dict[str, object]:
        """Return what ``run.json`` records."""
        return {"engine": "restless", "workers": self.workers}

    def start(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> RestlessEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
