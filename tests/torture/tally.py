"""Adds up the tries of each target over runs, in a file. A target whose code has changed begins again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from torture.yard import FAULTS, Outcome, Yard


class Target(Protocol):
    """What is tortured in one way.

    Attributes:
        code: digest of the code that it tests.
        tries_at_once: number of tries of one `attempt`.
    """

    @property
    def group(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def tries_at_once(self) -> int: ...

    def attempt(self, yard: Yard, number: int) -> Outcome: ...


@dataclass
class Sum:
    """The tries of one target, and the faults that they found."""

    group: str
    code: str
    tries: int = 0
    seconds: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, outcome: Outcome, *, tries: int, seconds: float) -> None:
        self.tries += tries
        self.seconds = round(self.seconds + seconds, 1)
        if outcome.fault:
            assert outcome.fault in FAULTS
            self.faults[outcome.fault] = self.faults.get(outcome.fault, 0) + 1
            self.notes = [*self.notes[-4:], outcome.note[-2000:]]


class Tally:
    """The sums of all targets, by name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        document = json.loads(path.read_text()) if path.exists() else {}
        self.sums = {name: Sum(**one) for name, one in document.items()}

    def of(self, target: Target) -> Sum:
        """Return the sum of a target; a new one if there is none for its present code."""
        found = self.sums.get(target.name)
        if found is None or found.code != target.code:
            found = self.sums[target.name] = Sum(group=target.group, code=target.code)
        return found

    def forget_others(self, targets: list[Target]) -> None:
        names = {target.name for target in targets}
        self.sums = {name: one for name, one in self.sums.items() if name in names}

    def save(self) -> None:
        document = {name: asdict(one) for name, one in sorted(self.sums.items())}
        beside = self.path.with_name(self.path.name + ".tmp")
        beside.write_text(json.dumps(document, indent=1) + "\n")
        beside.replace(self.path)

    def groups(self) -> dict[str, tuple[int, int, Counter[str]]]:
        """Return, by group: the number of targets, the tries, and the faults."""
        found: dict[str, tuple[int, int, Counter[str]]] = {}
        for one in self.sums.values():
            n, tries, faults = found.get(one.group, (0, 0, Counter()))
            found[one.group] = (n + 1, tries + one.tries, faults + Counter(one.faults))
        return dict(sorted(found.items()))
