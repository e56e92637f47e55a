"""The engine of a Ray cluster: each task is a Ray task, which runs the guard of one machine inside it.

Ray gets paths and counts only. Data is in files on storage that all nodes share, so the loss of a node or of
the whole cluster costs only the tasks that it ran.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import sys
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from builder.engines.hidden_values import pickle_hidden, proof_of, unpickle_hidden
from builder.engines.job import ADVICE, Caught, remote_error
from builder.engines.process_memory import private_bytes
from builder.engines.ray_call import CallOptions, NodeAnswer, call_on_node
from builder.engines.ray_probe import NodeNeeds, node_faults, probe
from builder.errors import BuilderError, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from builder.domain.addresses import Variables
    from builder.protocols import Guard

_T = TypeVar("_T")
_R = TypeVar("_R")

_WAIT_S = 1.0
"""Seconds after which a wait for Ray is interrupted, so that Ctrl-C has an effect."""

_PROBE_S = 300.0
"""Seconds for all nodes to answer the probe. A node needs some seconds to start Python."""

_LOCAL_STORE_BYTES = 100_000_000
"""Size of Ray's object store in a cluster of this machine. It holds functions and answers, never data."""

_MEMORY_SHARE = 0.9
"""Share of a node's memory that its tasks ask for; Ray and its own processes need the rest."""


class RayEngine:
    """Runs functions over tasks on the nodes of a Ray cluster, in the order of the tasks.

    An untrusted function runs in a guarded worker below the Ray worker. If a node is lost, Ray calls the
    function again on another node. A task that has ended three workers fails.

    Args:
        address: address of a cluster. Default: ``RAY_ADDRESS``, else a new cluster on this machine that ends
            with the engine. A cluster that happens to run here is not used.
        workers: number of tasks at the same time; default: one for each processor of the cluster.
        memory_bytes: memory of all tasks of one node; default: what Ray says that the node has.
        folder: folder of unfinished work, on storage that all nodes share.
        files: local inputs with their sizes, which each node must see.
        variables: environment variables whose values must not be sent; each node has its own.
        versions: returns the versions of the libraries that may affect the bytes of a version.
        on_progress: called with the records and bytes of each finished task.
        preload: modules that all guarded workers need.

    Attributes:
        caught: every unit that was refused.
        peak_bytes: peak memory of this process or of the largest worker, without mapped files.
    """

    def __init__(
        self,
        *,
        address: str | None,
        workers: int | None,
        memory_bytes: int | None,
        folder: Path,
        files: Mapping[str, int],
        variables: Variables,
        versions: Callable[[], Mapping[str, str]],
        on_progress: Callable[[int, int], None],
        preload: Sequence[str] = (),
    ) -> None:
        if importlib.util.find_spec("ray") is None:
            what = "needs the library ray, which is not installed"
            raise BuilderError(
                Fault(where="--engine ray", what=what, advice="run `pip install 'builder[ray]'`")
            )
        self.caught: list[Caught] = []
        self.peak_bytes = private_bytes(os.getpid())
        self._address = address or os.environ.get("RAY_ADDRESS") or "local"
        self._workers, self._memory_bytes = workers, memory_bytes
        self._folder = folder / f"ray-{secrets.token_hex(8)}"
        self._files, self._variables, self._versions = files, variables, versions
        self._on_progress, self._preload = on_progress, tuple(preload)
        self._nodes: list[dict[str, Any]] = []
        self._n_maps = 0
        self._is_connected = False

    # -- the cluster

    def start(self) -> None:
        """Connect to the cluster, or start one, and check each of its nodes.

        Raises:
            BuilderError: if the cluster cannot be reached, or a node lacks something; it names the node.
        """
        if not self._nodes:
            self._connect()
            self._nodes = self._alive()
            self._folder.mkdir(parents=True, exist_ok=True)
            self._probe()

    @property
    def workers(self) -> int:
        """Number of tasks at the same time."""
        self.start()
        return self._workers or sum(_processors(node) for node in self._nodes)

    @property
    def threads(self) -> int:
        """Number of processors of the largest node."""
        self.start()
        return max(_processors(node) for node in self._nodes)

    def facts(self) -> dict[str, Any]:
        """Return what ``run.json`` records: the nodes, with their processors and memory."""
        nodes = [
            {"name": _name(node), "processors": _processors(node), "memory_bytes": _memory_bytes(node)}
            for node in self._nodes
        ]
        return {"engine": "ray", "workers": self.workers, "nodes": nodes}

    def close(self) -> None:
        """Disconnect from the cluster; a cluster that this engine has started ends."""
        if self._is_connected:
            import ray

            ray.shutdown()
            self._nodes, self._is_connected = [], False
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- work

    def map(
        self, function: Callable[[_T, Guard], _R], tasks: Iterable[_T], *, untrusted: bool = False
    ) -> Iterator[_R]:
        """Yield results in the order of the tasks; see ``protocols.Engine``.

        Raises:
            Exception: whatever the function raised, with the traceback on the node as a note.
            WorkerDiedError: if a task has ended three workers.
        """
        self.start()
        options = {"num_cpus": 1, "memory": self._task_memory(), "scheduling_strategy": "SPREAD"}
        yield from self._map(function, tasks, untrusted, self._task_memory(), options)

    def alone(self, function: Callable[[_T, Guard], _R], task: _T) -> _R:
        """Call a function on the node with the most memory, with all of its processors and its memory.

        Raises:
            WorkerDiedError: if its worker dies.
        """
        self.start()
        largest = max(self._nodes, key=_memory_bytes)
        memory = self._memory_bytes or int(_memory_bytes(largest) * _MEMORY_SHARE)
        options = {"num_cpus": _processors(largest), "memory": min(memory, _memory_bytes(largest))}
        (result,) = self._map(function, [task], True, memory, options)
        return result

    def _map(
        self,
        function: Callable[[_T, Guard], _R],
        tasks: Iterable[_T],
        untrusted: bool,
        memory_bytes: int,
        options: Mapping[str, Any],
    ) -> Iterator[_R]:
        import ray

        self._n_maps += 1
        folder = self._folder / str(self._n_maps)
        call = ray.remote(call_on_node).options(max_retries=-1, **options)
        payload = ray.put(self._pickled(function))
        numbered = enumerate(tasks)
        waiting: deque[Any] = deque()

        def submit(n_tasks: int) -> None:
            for number, task in islice(numbered, n_tasks):
                call_options = CallOptions(
                    attempts=str(folder / str(number)),
                    name=f"task {number + 1}",
                    untrusted=untrusted,
                    memory_bytes=memory_bytes,
                    preload=self._preload,
                    variables=tuple(name for name, _ in self._variables),
                )
                waiting.append(call.remote(payload, self._pickled(task), call_options))

        try:
            submit(self.workers * (1 if self._workers else 2))
            while waiting:
                answer = _wait_for(waiting[0])
                waiting.popleft()
                submit(1)
                yield self._take(answer)
        finally:
            for one in waiting:
                with contextlib.suppress(Exception):
                    ray.cancel(one, force=True)

    def _take(self, answer: NodeAnswer) -> Any:
        self.caught += answer.caught
        self.peak_bytes = max(self.peak_bytes, answer.peak_bytes)
        if answer.error or answer.trace:
            raise remote_error(answer.error, answer.trace, load=unpickle_hidden)
        self._on_progress(*answer.done)
        return unpickle_hidden(answer.result)

    def _pickled(self, value: Any) -> bytes:
        try:
            return pickle_hidden(value, self._variables)
        except (AttributeError, TypeError, ValueError) as error:
            what = f"cannot be sent to a node: {error}"
            raise BuilderError(Fault(where=f"{value!r:.200}", what=what, advice=ADVICE)) from error

    def _task_memory(self) -> int:
        """Return the memory for one task, so that each processor of each node can run one."""
        shares = [
            (self._memory_bytes or int(_memory_bytes(node) * _MEMORY_SHARE)) // _processors(node)
            for node in self._nodes
        ]
        return min(shares)

    # -- start

    def _connect(self) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if self._address == "local":
            # workers import builder, and functions of the program, from where this process does
            environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            options |= {
                "num_cpus": self._workers,
                "include_dashboard": False,
                "object_store_memory": _LOCAL_STORE_BYTES,
                "runtime_env": {"env_vars": environment},
            }
        try:
            ray.init(address=self._address, **options)
            self._is_connected = True
        except (ConnectionError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            what = f"cannot connect to the cluster {self._address}: {str(error).splitlines()[0][:200]}"
            raise BuilderError(Fault(where="--engine ray", what=what, advice=_advice_on(error))) from error

    def _alive(self) -> list[dict[str, Any]]:
        """Return the nodes that can run tasks.

        Raises:
            BuilderError: if no node can.
        """
        import ray

        nodes = [node for node in ray.nodes() if node["Alive"] and _processors(node)]
        if not nodes:
            what = f"the cluster {self._address} has no node with processors"
            raise BuilderError(Fault(where="--engine ray", what=what, advice="start nodes with `ray start`"))
        return sorted(nodes, key=lambda node: str(node["NodeID"]))

    def _probe(self) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        token = secrets.token_hex(8)
        (self._folder / token).write_text(token, encoding="ascii")
        salt = secrets.token_bytes(16)
        expected = NodeNeeds(
            folder=str(self._folder),
            token=token,
            versions=self._versions(),
            files=self._files,
            variables={name: proof_of([value], salt) for name, value in self._variables},
            salt=salt,
        )
        run = ray.remote(_probe_here)
        answers = {}
        for node in self._nodes:
            where = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = run.options(num_cpus=0, scheduling_strategy=where, max_retries=1)
            answers[_name(node)] = task.remote(expected, self._versions)
        faults = []
        for name, answer in answers.items():
            try:
                faults += node_faults(name, ray.get(answer, timeout=_PROBE_S))
            except ray.exceptions.RayError as error:
                what = f"cannot run builder: {str(error).strip().splitlines()[-1][:200]}"
                faults += node_faults(name, [(what, "install builder in the Python that Ray uses there")])
        if faults:
            raise BuilderError(*faults)


def _probe_here(expected: NodeNeeds, versions: Callable[[], Mapping[str, str]]) -> Sequence[tuple[str, str]]:
    return probe(expected, versions())


def _wait_for(answer: Any) -> NodeAnswer:
    import ray

    while True:
        try:
            found: NodeAnswer = ray.get(answer, timeout=_WAIT_S)
        except ray.exceptions.GetTimeoutError:
            continue
        return found


def _processors(node: Mapping[str, Any]) -> int:
    return int(node["Resources"].get("CPU", 0))


def _memory_bytes(node: Mapping[str, Any]) -> int:
    return int(node["Resources"].get("memory", 0))


def _name(node: Mapping[str, Any]) -> str:
    return f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']}, {str(node['NodeID'])[:8]})"


def _advice_on(error: Exception) -> str:
    if "token" in str(error).lower():
        return "give this machine the cluster's token, as the Ray documentation on token authentication says"
    return "check --ray-address or RAY_ADDRESS, and that `ray status` shows the cluster"
