"""The place of the torture: servers of processes, a stand-in Hub, scenes, and what is expected."""

from __future__ import annotations

import math
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hub.looks import digest_at
from hub.process import StandIn
from pyarrow import ArrowException

from builder.errors import BuilderError
from torture.runner import Ran, Runner
from torture.scenes import (
    COMMANDS,
    READERS,
    WITH_HUB,
    WRITERS,
    State,
    copy_scene,
    corpus_of,
    leftovers,
    litter,
    make_scene,
    remove_scene,
)
from torture.shim import ALL, Plan

REPO = "harbour/tortured"
FAULTS_FOUND = 4


@dataclass(frozen=True)
class Outcome:
    """What a try found: no fault, or one of `FAULTS`, and what there is to see of it."""

    fault: str = ""
    note: str = ""


FAULTS = ("records lost", "versions damaged", "hangs", "tracebacks", "other faults")
FINE = Outcome()


class Yard:
    """Owns all processes and folders of a run of the torture: ``with Yard() as yard``."""

    def __enter__(self) -> Yard:
        self._scratch = tempfile.TemporaryDirectory(prefix="torture-yard-", ignore_cleanup_errors=True)
        self.folder = Path(self._scratch.name)
        self.run = Runner().__enter__()
        self._beside: Runner | None = None
        self._checked: Runner | None = None
        self._hub: StandIn | None = None
        self._expected: dict[str, Expected] = {}
        self.recordings: dict[str, Any] = {}
        self._counts: dict[tuple[str, int], int] = {}
        return self

    def __exit__(self, *error: object) -> None:
        for server in filter(None, (self.run, self._beside, self._checked)):
            server.__exit__(*error)
        if self._hub:
            self._hub.stop()
        for one in self.folder.iterdir():
            if one.is_dir():
                remove_scene(one)
        self._scratch.cleanup()

    @cached_property
    def pristine(self) -> Path:
        folder = self.folder / "pristine"
        folder.mkdir()
        make_scene(folder)
        return folder

    @property
    def hub(self) -> StandIn:
        """The Hub, with the corpus published when a command only fetches."""
        if self._hub is None:
            self._hub = StandIn(self.folder / "hub")
        return self._hub

    @contextmanager
    def scene(self, name: str) -> Iterator[Path]:
        """Yield a fresh scene for a command, and remove it afterwards."""
        folder = self.folder / "scene"
        remove_scene(folder)
        copy_scene(self.pristine, folder)
        if name == "gc":
            litter(folder / "corpus")
        if name in WITH_HUB:
            self.hub.clear()
        if name == "fetch":
            self.call(folder, "publish")
        try:
            yield folder
        finally:
            remove_scene(folder)
            remove_scene(self.folder / "home")

    @contextmanager
    def empty(self) -> Iterator[Path]:
        """Yield an empty folder in the place of a scene, and remove it afterwards."""
        folder = self.folder / "scene"
        remove_scene(folder)
        folder.mkdir()
        try:
            yield folder
        finally:
            remove_scene(folder)

    def call(self, folder: Path, name: str, plan: Plan | None = None, **options: Any) -> Ran:
        """Run a command of the table in a scene."""
        self.start(folder, name, plan, **options)
        return self.run.wait()

    def start(self, folder: Path, name: str, plan: Plan | None = None, **options: Any) -> None:
        environment = {"TMPDIR": str(folder), **self._for_hub(name)}
        scope = (folder, self.folder / "home")
        self.run.start(COMMANDS[name], plan=plan, scope=scope, cwd=folder, environment=environment, **options)

    def call_beside(self, folder: Path, name: str, *, delay_s: float) -> Ran:
        """Run a command in a second server, while another command runs in the first one."""
        if self._beside is None:
            self._beside = Runner().__enter__()
        time.sleep(delay_s)
        environment = {"TMPDIR": str(folder), **self._for_hub(name)}
        return self._beside(COMMANDS[name], cwd=folder, environment=environment)

    @property
    def checked(self) -> Runner:
        """A server whose kernels check each index."""
        if self._checked is None:
            cache = Path(tempfile.gettempdir()) / f"builder-torture-{os.getuid()}-checked"
            cache.mkdir(exist_ok=True, mode=0o700)
            server = Runner(NUMBA_BOUNDSCHECK="1", NUMBA_CACHE_DIR=str(cache))
            self._checked = server.__enter__()
        return self._checked

    def _for_hub(self, name: str) -> dict[str, str]:
        if name not in WITH_HUB:
            return {}
        asked = self.hub.environment(self.folder / "home")
        return {key: value for key, value in asked.items() if os.environ.get(key) != value}

    def expected(self, name: str) -> Expected:
        """Return what a command does when nothing disturbs it."""
        if name not in self._expected:
            with self.scene(name) as folder:
                began = time.monotonic()
                ran = self.call(folder, name, Plan(kinds=ALL))
                seconds = time.monotonic() - began
                assert ran.status in (0, FAULTS_FOUND), ran.said
                state = State.of(folder / corpus_of(name)) if name in WRITERS else None
                self._expected[name] = Expected(ran=ran, state=state, seconds=seconds)
        return self._expected[name]

    def count(self, name: str, kinds: int) -> int:
        """Count the calls of some kinds that an undisturbed command makes."""
        if (name, kinds) not in self._counts:
            with self.scene(name) as folder:
                self._counts[name, kinds] = self.call(folder, name, Plan(kinds=kinds)).counted.calls
        return self._counts[name, kinds]

    # -- judging

    def judge(self, name: str, folder: Path, ran: Ran) -> Outcome:
        """Judge a disturbed command: how it ended, and whether the same command does its work afterwards."""
        expected = self.expected(name)
        if ended := how_it_ended(ran, expected.ran, is_reader=name in READERS):
            return ended
        return self.judge_corpus(name, folder)

    def judge_corpus(self, name: str, folder: Path) -> Outcome:
        """Run the command again, undisturbed, and compare the corpus with what is expected."""
        expected = self.expected(name)
        again = self.call(folder, name)
        if again.has_traceback or again.status not in (0, 1, expected.ran.status):
            return Outcome("tracebacks", f"again: {again.status} {again.said[-1500:]}")
        corpus = corpus_of(name)
        try:
            found = State.of(folder / corpus)
        except (BuilderError, OSError, ArrowException) as error:
            return Outcome("versions damaged", f"{error}; again: {again.status} {again.said[-500:]}")
        if expected.state is not None and found != expected.state:
            return Outcome(_lost(expected.state, found), f"again: {again.status} {again.said[-500:]}")
        if name == "publish" and digest_at(self.hub, "main", REPO) != "2.0.0":
            return Outcome("versions damaged", f"the Hub is incomplete: {again.said[-500:]}")
        if not (folder / corpus).exists():
            return FINE
        checked = self.run(["verify", corpus], cwd=folder)
        if checked.status:
            return Outcome("versions damaged", checked.said[-1500:])
        if name in WRITERS and (left := leftovers(folder / corpus)) and name != "publish":
            return Outcome("other faults", f"left behind: {left}")
        return FINE


@dataclass(frozen=True)
class Expected:
    """What an undisturbed command prints, and the corpus after it."""

    ran: Ran
    state: State | None
    seconds: float


def how_it_ended(ran: Ran, undisturbed: Ran, *, is_reader: bool) -> Outcome | None:
    """Return the fault of how a command ended: it says in a sentence what is wrong, or it continues."""
    if ran.status is None:
        return Outcome("hangs", ran.said[-1500:])
    if ran.has_traceback or ran.status == 99:
        return Outcome("tracebacks", ran.said[-3000:])
    if ran.left:
        return Outcome("other faults", f"{ran.left} processes left: {ran.said[-500:]}")
    if ran.status == -9:
        return None
    if ran.status not in (0, 1, FAULTS_FOUND):
        return Outcome("other faults", f"exit status {ran.status}: {ran.said[-1500:]}")
    if ran.status == 1 and not ran.said.strip():
        return Outcome("other faults", "exit status 1 without a word")
    if is_reader and ran.status == 0 and _plain(ran.said) != _plain(undisturbed.said):
        return Outcome("other faults", f"prints something else: {ran.said[-1500:]}")
    return None


def _plain(said: str) -> list[str]:
    """Return the lines of an output without what differs from run to run."""
    return [
        re.sub(r"about .*|\d+(\.\d+)? (seconds?|[kMG]?B)\b", "#", line)
        for line in said.splitlines()
        if ":" not in line
    ]


def _lost(expected: State, found: State) -> str:
    rows = [{row for *_, rows in state.versions for row in rows} for state in (expected, found)]
    return "records lost" if rows[0] - rows[1] else "versions damaged"


def stride(number: int, n: int) -> int:
    """Return a position from 1 to ``n``: consecutive numbers jump about, and ``n`` of them meet each one."""
    step = max(1, round(n * 0.618))
    while math.gcd(step, n) != 1:
        step += 1
    return number * step % n + 1
