"""One call of a function in a worker, with its result and the units that it must not enter again."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

from builder.errors import BuilderError, Fault

MAX_DEATHS = 3
"""Number of worker deaths outside of any unit after which a task fails."""


ADVICE = "define functions, stages and sources at the top level of a module, or build with one worker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """A unit that was refused because two workers died or hung in it. Another run may keep it.

    Attributes:
        task: the task as it was given to ``map``.
        reason: ``timeout``, ``crash`` or ``memory``.
        detail: how the last worker ended, in words.
    """

    task: Any
    stage: str
    unit: int
    reason: str
    detail: str


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """A function to call on a task, with the units that it must not enter again.

    Attributes:
        payload: the task, pickled.
        results: the dict that receives the result, by number.
        refusals: (stage, unit) that two workers died or hung in -> the reason.
        suspects: (stage, unit) that one worker died or hung in. It may have died of something else.
        n_deaths: workers that died outside of any unit.
        ticks: finished records and bytes of the task.
    """

    number: int
    function: bytes
    task: Any
    payload: bytes
    results: dict[int, CallResult]
    refusals: dict[tuple[str, int], str] = field(default_factory=dict)
    suspects: set[tuple[str, int]] = field(default_factory=set)
    n_deaths: int = 0
    ticks: tuple[int, int] = (0, 0)

    def settle(self, outcome: CallResult) -> None:
        """Store the result of the call."""
        self.results[self.number] = outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """A pickled result, or an exception to raise."""

    result: bytes = b""
    error: BaseException | None = None

    def get(self) -> Any:
        """Return the result, or raise the exception."""
        if self.error is not None:
            raise self.error
        return pickle.loads(self.result)


def remote_error(pickled: bytes, trace: str, *, load: Callable[[bytes], Any] = pickle.loads) -> BaseException:
    """Return the exception that a worker raised, with the worker's traceback as a note."""
    error: BaseException = load(pickled) if pickled else RuntimeError("an error in a worker")
    if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
        error = RuntimeError(f"{type(error).__name__} in a worker")
    error.add_note("In a worker process:\n" + trace)
    return error


def pickled(value: Any) -> bytes:
    """Pickle a value for a worker. The worker imports functions and classes by module name.

    Raises:
        BuilderError: if it cannot be pickled.
    """
    try:
        return pickle.dumps(value, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise BuilderError(
            Fault(where=f"{value!r:.200}", what=f"cannot be sent to a worker: {error}", advice=ADVICE)
        ) from error
