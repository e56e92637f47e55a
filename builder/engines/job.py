"""One call on its way through the workers, and what was caught on that way."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from typing import Any

from builder.errors import BuilderError, Fault

MAX_DEATHS = 3
"""Deaths of a worker outside of any unit after which a task is given up."""


ADVICE = "define functions, stages and sources at the top level of a module, or build with one worker"


class WorkerDiedError(RuntimeError):
    """A task has ended its workers, and no unit could be blamed and left out: a bug, not bad data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """A unit that only the net caught, so that another run may keep it: written to ``run.json``.

    Attributes:
        task: the task as it was given to ``map``.
        reason: ``timeout``, ``crash`` or ``memory``.
        detail: how the worker ended, for people.
    """

    task: Any
    stage: str
    unit: int
    reason: str
    detail: str


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """A function to be called on a task, with what must not be touched again.

    Attributes:
        payload: the task, pickled.
        results: where the outcome goes, by number.
        n_deaths: workers that died outside of any unit.
        ticks: records and bytes of the task that are known to be done.
    """

    number: int
    function: bytes
    task: Any
    payload: bytes
    results: dict[int, CallResult]
    refusals: dict[tuple[str, int], str] = field(default_factory=dict)
    n_deaths: int = 0
    ticks: tuple[int, int] = (0, 0)

    def settle(self, outcome: CallResult) -> None:
        """Hand in what came of it."""
        self.results[self.number] = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """A result, pickled, or the exception that is to be raised."""

    result: bytes = b""
    error: BaseException | None = None

    def get(self) -> Any:
        """Return the result, or raise."""
        if self.error is not None:
            raise self.error
        return pickle.loads(self.result)


def remote_error(pickled: bytes, trace: str) -> BaseException:
    """Bring an exception over from a worker; its traceback there comes as a note."""
    error: BaseException = pickle.loads(pickled) if pickled else RuntimeError("an error in a worker")
    if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
        error = RuntimeError(f"{type(error).__name__} in a worker")
    error.add_note("In a worker process:\n" + trace)
    return error


def pickled(value: Any) -> bytes:
    """Pickle for a worker, which imports what it is sent by the name of its module.

    Raises:
        BuilderError: if it cannot be pickled.
    """
    try:
        return pickle.dumps(value, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise BuilderError(
            Fault(where=f"{value!r:.200}", what=f"cannot be sent to a worker: {error}", advice=ADVICE)
        ) from error
