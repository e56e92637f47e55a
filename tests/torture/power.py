"""The power fails: what was not synced is lost, torn or reordered. The corpus verifies, or is made again."""

from __future__ import annotations

import random
from dataclasses import dataclass

from torture.code import digest_of
from torture.record import MODES, Change, Disk, after_power_loss, read_changes
from torture.scenes import WITH_HUB, WRITERS
from torture.shim import Plan
from torture.yard import FINE, Outcome, Yard, stride

WITHOUT_LOSS = ("build of HTML", "dedup", *WITH_HUB)
"""Commands that write with the same code as others of the table, or to the Hub."""


@dataclass(frozen=True)
class PowerLoss:
    """Prefixes of the recorded changes of one command, each as one of four disks may have it."""

    command: str

    group = "power loss"
    tries_at_once = 1

    @property
    def name(self) -> str:
        return f"{self.group}: {self.command}"

    @property
    def code(self) -> str:
        return digest_of(self.command)

    def attempt(self, yard: Yard, number: int) -> Outcome:
        yard.expected(self.command)
        before, changes = recorded(yard, self.command)
        at, mode = stride(number // len(MODES), len(changes)), MODES[number % len(MODES)]
        chance = random.Random(f"{self.name} {number}")
        disk = after_power_loss(before, changes[:at], mode, chance=chance)
        with yard.empty() as folder:
            disk.write_to(folder)
            outcome = yard.judge_corpus(self.command, folder)
        last = changes[at - 1]
        where = f"after change {at} of {len(changes)} ({last.verb} {last.one[-60:]}), {mode}: "
        return Outcome(outcome.fault, where + outcome.note) if outcome.fault else FINE


def recorded(yard: Yard, command: str) -> tuple[Disk, list[Change]]:
    """Return the disk before a command, and the changes that the command makes."""
    if command not in yard.recordings:
        record = yard.folder / "record"
        record.unlink(missing_ok=True)
        with yard.scene(command) as folder:
            before = Disk.of(folder)
            ran = yard.call(folder, command, Plan(record=record))
            assert ran.status == 0, ran.said
        yard.recordings[command] = before, read_changes(record)
    return yard.recordings[command]


def targets() -> list[PowerLoss]:
    return [PowerLoss(name) for name in WRITERS if name not in WITHOUT_LOSS]
