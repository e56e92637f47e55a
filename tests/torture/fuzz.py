"""Mutated inputs for each reader, grammar and kernel: rows, rejections, or an error in a sentence."""

from __future__ import annotations

import json
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

from builder.errors import BuilderError
from torture import inputs
from torture.code import digest_of
from torture.inputs import Fuzzed
from torture.mutation import mutant
from torture.yard import FINE, Outcome, Yard

KINDS = {"source": inputs.SOURCES, "grammar": inputs.GRAMMARS, "kernel": inputs.KERNELS}
_CODE = """
import json
from torture.fuzz import run
print("RESULT " + json.dumps(run(*json.loads(arguments[0]))))
"""


@dataclass(frozen=True)
class Fuzzing:
    """Mutants for one function, in a process of its own for each batch of them."""

    kind: str
    what: str

    group = "fuzz"

    @property
    def fuzzed(self) -> Fuzzed:
        return KINDS[self.kind][self.what]

    @property
    def name(self) -> str:
        return f"{self.group}: {self.kind} {self.what}"

    @property
    def code(self) -> str:
        return digest_of(*self.fuzzed.modules)

    @property
    def tries_at_once(self) -> int:
        return self.fuzzed.tries_at_once

    def attempt(self, yard: Yard, number: int) -> Outcome:
        run = yard.checked if self.kind == "kernel" else yard.run
        asked = json.dumps([self.kind, self.what, number, self.tries_at_once])
        ran = run([asked], code=_CODE)
        where = f"mutants {number} to {number + self.tries_at_once - 1}: "
        if ran.status is None:
            return Outcome("hangs", where + ran.said[-1500:])
        _, _, result = ran.said.rpartition("RESULT ")
        if ran.status or not result:
            return Outcome("tracebacks", f"{where}status {ran.status}: {ran.said[-1500:]}")
        fault, note = json.loads(result.splitlines()[0])
        return Outcome(fault, note) if fault else FINE


def run(kind: str, what: str, first: int, n: int) -> tuple[str, str]:
    """Call the function with some mutants; return the first fault and what there is to see of it."""
    fuzzed = KINDS[kind][what]
    seeds = fuzzed.seeds()
    for number in range(first, first + n):
        data = mutant(seeds, number)
        with tempfile.TemporaryDirectory() as folder:
            try:
                fuzzed.call(data, Path(folder))
            except BuilderError:
                continue
            except AssertionError:
                return "records lost", f"mutant {number}: {data[:300]!r}\n{traceback.format_exc()[-1500:]}"
            except Exception:
                return "tracebacks", f"mutant {number}: {data[:300]!r}\n{traceback.format_exc()[-1500:]}"
    return "", ""


def targets() -> list[Fuzzing]:
    return [Fuzzing(kind, what) for kind, table in KINDS.items() for what in table]
