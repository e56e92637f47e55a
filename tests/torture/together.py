"""Two commands at once on one corpus, started at random moments, half of them killed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import combinations_with_replacement
from pathlib import Path

from torture.code import digest_of
from torture.runner import Ran
from torture.scenes import READERS, WRITERS, State
from torture.yard import FINE, Outcome, Yard, how_it_ended

PARTNERS = (
    *("addition", "build --full", "build --compact", "takedown", "purge", "yank", "drop", "gc"),
    *("verify", "why", "diff", "versions", "publish"),
)


@dataclass(frozen=True)
class Together:
    """Rounds of two commands. Both then run again alone, until each has done its work or says why not."""

    one: str
    other: str

    group = "two at once"
    tries_at_once = 1

    @property
    def name(self) -> str:
        return f"{self.group}: {self.one} and {self.other}"

    @property
    def code(self) -> str:
        return digest_of(self.one, self.other)

    def attempt(self, yard: Yard, number: int) -> Outcome:
        chance = random.Random(f"{self.name} {number}")
        names = [self.one, self.other]
        longest = max(yard.expected(name).seconds for name in names)
        chance.shuffle(names)
        kill_after_s = chance.uniform(0, longest) if chance.random() < 0.5 else None
        with yard.scene("publish" if "publish" in names else self.one) as folder:
            yard.start(folder, names[0], kill_after_s=kill_after_s)
            second = yard.call_beside(folder, names[1], delay_s=chance.uniform(0, longest))
            first = yard.run.wait()
            for name, ran in zip(names, (first, second), strict=True):
                undisturbed = yard.expected(name).ran
                if ended := how_it_ended(ran, undisturbed, is_reader=False):
                    return Outcome(ended.fault, f"{name}: {ended.note}")
                if fault := _wrong_reading(name, ran):
                    return fault
            return self._afterwards(yard, folder, names)

    def _afterwards(self, yard: Yard, folder: Path, names: list[str]) -> Outcome:
        for name in names:
            again = yard.call(folder, name)
            if ended := how_it_ended(again, again, is_reader=False):
                return Outcome(ended.fault, f"again {name}: {ended.note}")
        checked = yard.run(["verify", "corpus"], cwd=folder)
        if checked.status:
            return Outcome("versions damaged", checked.said[-1500:])
        before = {one[:2] for one in State.of(yard.pristine / "corpus").versions}
        if not before <= {one[:2] for one in State.of(folder / "corpus").versions}:
            return Outcome("records lost", "a version is gone, or has another digest")
        return FINE


def _wrong_reading(name: str, ran: Ran) -> Outcome | None:
    """A reader sees the corpus as it was, or as it will be; `verify` may see a pending commit."""
    if name not in READERS or ran.status in (0, -9) or (name == "verify" and "pending" in ran.said):
        return None
    if name == "verify" and ".objects/sha256/00: was added" in ran.said:  # what `gc` is there to remove
        return None
    what = "dropped" in ran.said or "purge" in ran.said or "changed" in ran.said
    return (
        None
        if what and ran.status == 1
        else Outcome("other faults", f"{name}: {ran.status} {ran.said[-800:]}")
    )


def targets() -> list[Together]:
    pairs = combinations_with_replacement(PARTNERS, 2)
    return [
        Together(one, other)
        for one, other in pairs
        if not (one in READERS and other in READERS) and one in WRITERS
    ]
