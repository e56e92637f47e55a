"""Run the torture for some time: ``python -m torture --seconds 600``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from torture import failing, fuzz, guided, kills, power, together
from torture.code import ROOT
from torture.page import page
from torture.tally import Tally, Target
from torture.yard import Yard

GOALS = {"kills": 500, "failing calls": 1_000, "power loss": 500, "two at once": 200, "fuzz": 50_000}
"""Tries of each group; of `fuzz`, tries of each target."""


def all_targets() -> list[Target]:
    return [
        *kills.targets(),
        *failing.targets(),
        *power.targets(),
        *together.targets(),
        *fuzz.targets(),
        *guided.targets(),
    ]


def is_done(target: Target, tally: Tally, targets: list[Target]) -> bool:
    """Return whether a target has its share of the tries of its group."""
    same = sum(one.group == target.group for one in targets) if target.group != "fuzz" else 1
    return tally.of(target).tries * same >= GOALS[target.group]


def main() -> int:
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="How long to run.")
    parser.add_argument("--only", default="", help="Part of the names of the targets to run.")
    parser.add_argument(
        "--tally", type=Path, default=ROOT / "docs/reliability.json", help="File of the tries."
    )
    parser.add_argument("--page", type=Path, default=ROOT / "docs/reliability.md", help="Page to write.")
    asked = parser.parse_args()
    targets = all_targets()
    tally = Tally(asked.tally)
    tally.forget_others(targets)
    n_attempts = 0
    with Yard() as yard:
        end = time.monotonic() + asked.seconds
        while time.monotonic() < end:
            left = [one for one in targets if asked.only in one.name and not is_done(one, tally, targets)]
            if not left:
                break
            for target in sorted(left, key=lambda one: tally.of(one).tries / one.tries_at_once):
                if time.monotonic() < end:
                    _try(target, yard, tally)
                    n_attempts += 1
    if not n_attempts:
        print(f"no try in {asked.seconds:g} s, so {asked.page} stays as it is")
        return 0
    tally.save()
    asked.page.write_text(page(tally), encoding="utf-8")
    faults = sum(sum(one.faults.values()) for one in tally.sums.values())
    print(f"{sum(one.tries for one in tally.sums.values()):,} tries, {faults} faults: see {asked.page}")
    return 1 if faults else 0


def _try(target: Target, yard: Yard, tally: Tally) -> None:
    found = tally.of(target)
    began = time.monotonic()
    outcome = target.attempt(yard, found.tries)
    found.add(outcome, tries=target.tries_at_once, seconds=time.monotonic() - began)
    tally.save()
    if outcome.fault:
        print(f"{target.name}, try {found.tries}: {outcome.fault}\n{outcome.note}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
