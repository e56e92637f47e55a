"""Each file call of each command fails, once and for good: exit 1 with a sentence, or it continues."""

from __future__ import annotations

from dataclasses import dataclass

from torture.code import digest_of
from torture.scenes import COMMANDS
from torture.shim import FAULTS, Plan
from torture.yard import FINE, Outcome, Yard, stride

WITHOUT_FILES = ("schema", "plugin")
"""Commands that open no file below a folder of the user."""


@dataclass(frozen=True)
class FailingCalls:
    """Tries for one command and one fault; each try hits another call."""

    command: str
    fault: str

    group = "failing calls"
    tries_at_once = 1

    @property
    def name(self) -> str:
        return f"{self.group}: {self.command}: {self.fault}"

    @property
    def code(self) -> str:
        return digest_of(self.command)

    def attempt(self, yard: Yard, number: int) -> Outcome:
        kinds, error = FAULTS[self.fault]
        yard.expected(self.command)
        calls = yard.count(self.command, kinds)
        if not calls:
            return FINE
        plan = Plan(kinds=kinds, error=error, at=stride(number // 2, calls), lasting=bool(number % 2))
        with yard.scene(self.command) as folder:
            ran = yard.call(folder, self.command, plan)
            outcome = yard.judge(self.command, folder, ran)
        how = "for good" if plan.lasting else "once"
        where = f"{self.fault} {how} from call {plan.at} of {calls} ({ran.counted.what}): "
        return Outcome(outcome.fault, where + outcome.note) if outcome.fault else FINE


def targets() -> list[FailingCalls]:
    names = [name for name in COMMANDS if name not in WITHOUT_FILES]
    return [FailingCalls(name, fault) for name in names for fault in FAULTS]
