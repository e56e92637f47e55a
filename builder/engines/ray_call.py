"""What runs on the nodes of a Ray cluster: one call of a function, in a guarded worker if it is untrusted.

Ray pickles these functions by name, so that each node runs the code that is installed there.
"""

from __future__ import annotations

import os
import pickle
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.engines.guard import NullGuard
from builder.engines.hidden_values import pickle_hidden, unpickle_hidden
from builder.engines.job import MAX_DEATHS
from builder.engines.local import LocalEngine
from builder.errors import Fault, WorkerDiedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.domain.addresses import Variables
    from builder.engines.job import Caught


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """How to call a function on a node.

    Attributes:
        attempts: folder on shared storage with one file for each attempt that has not ended.
        name: how an error calls the task.
        untrusted: whether the function runs in a guarded worker.
        memory_bytes: memory limit of the guarded worker.
        preload: modules that the guarded worker needs.
        variables: names of the environment variables whose values are not sent.
    """

    attempts: str
    name: str
    untrusted: bool
    memory_bytes: int | None
    preload: tuple[str, ...]
    variables: tuple[str, ...]

    def variables_here(self) -> Variables:
        """Return the variables with the values of this environment."""
        return tuple((name, os.environ[name]) for name in self.variables)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAnswer:
    """The answer of a node: a pickled result or a pickled exception, and what the guard has recorded.

    Attributes:
        done: finished records and bytes.
        peak_bytes: peak memory of the Ray worker and of its guarded worker.
    """

    result: bytes = b""
    error: bytes = b""
    trace: str = ""
    caught: Sequence[Caught] = ()
    done: tuple[int, int] = (0, 0)
    peak_bytes: int = 0


def call_on_node(function: bytes, task: bytes, options: CallOptions) -> NodeAnswer:
    """Call a function on a task; an exception is part of the answer."""
    attempts = Path(options.attempts)
    attempts.mkdir(parents=True, exist_ok=True)
    n_before = len(list(attempts.iterdir()))
    if n_before >= MAX_DEATHS:
        return NodeAnswer(error=pickle.dumps(_too_many(options, n_before)))
    attempt = attempts / f"{os.uname().nodename}-{os.getpid()}-{os.urandom(8).hex()}"
    attempt.touch()
    try:
        return _call(unpickle_hidden(function), unpickle_hidden(task), options)
    except Exception as error:  # noqa: BLE001 - the engine raises it
        return _failed(error, options)
    finally:
        attempt.unlink(missing_ok=True)


def _call(function: Any, task: Any, options: CallOptions) -> NodeAnswer:
    _DONE.update(records=0, bytes=0)
    caught: Sequence[Caught] = ()
    if options.untrusted:
        engine = _guarded(options.memory_bytes, options.preload)
        n_known = len(engine.caught)
        (result,) = engine.map(function, [task], untrusted=True)
        caught = engine.caught[n_known:]
        peak_bytes = engine.peak_bytes
    else:
        result = function(task, NullGuard(_count))
        peak_bytes = LocalEngine(workers=1).peak_bytes
    return NodeAnswer(
        result=pickle_hidden(result, options.variables_here()),
        caught=caught,
        done=(_DONE["records"], _DONE["bytes"]),
        peak_bytes=peak_bytes,
    )


_DONE = {"records": 0, "bytes": 0}
"""What the present call has finished; a Ray worker runs one call at a time."""


def _count(n_records: int, n_bytes: int) -> None:
    _DONE["records"] += n_records
    _DONE["bytes"] += n_bytes


def _failed(error: Exception, options: CallOptions) -> NodeAnswer:
    trace = "".join(traceback.format_exception(error))
    for name, value in options.variables_here():
        trace = trace.replace(value, f"${{{name}}}")
    try:
        pickled = pickle_hidden(error, options.variables_here())
        unpickle_hidden(pickled)  # an exception that takes other arguments than it keeps fails only here
    except Exception:  # noqa: BLE001 - any exception of the program
        pickled = b""
    return NodeAnswer(error=pickled, trace=trace)


def _too_many(options: CallOptions, n_attempts: int) -> WorkerDiedError:
    what = f"ended {n_attempts} workers of the cluster, and no page is to blame"
    advice = (
        "give each worker more memory with --max-memory or fewer workers on a node, and run the same command "
        "again to resume"
    )
    return WorkerDiedError(Fault(where=options.name, what=what, advice=advice))


_ENGINES: dict[tuple[int | None, tuple[str, ...]], LocalEngine] = {}


def _guarded(memory_bytes: int | None, preload: tuple[str, ...]) -> LocalEngine:
    """Return the engine of this process, with one worker."""
    key = (memory_bytes, preload)
    if key not in _ENGINES:
        for one in _ENGINES.values():
            one.close()
        _ENGINES.clear()
        _ENGINES[key] = LocalEngine(workers=1, memory_bytes=memory_bytes, on_progress=_count, preload=preload)
    return _ENGINES[key]
