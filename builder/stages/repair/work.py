"""Count the work of a repair in steps, so that its limit does not depend on the machine.

A round of repairs passes over each character of a part of a line. Text that was encoded and decoded wrongly
several times takes several rounds, and an entity that was escaped thousands of times takes thousands.
"""

from __future__ import annotations

MAX_STEPS = 25_000_000
"""Steps that the repair of one document may take: about 20 s of mojibake."""

CALL_STEPS = 32
"""Steps of a round in addition to one for each character: what the calls cost, measured in characters."""


class TooMuchRepairError(ValueError):
    """The repair of a document takes more than ``MAX_STEPS`` steps."""

    reason = "too_much_repair"


class Work:
    """The steps that the repair of one document has taken."""

    def __init__(self) -> None:
        self.n_steps = 0

    def spend(self, n_steps: int) -> None:
        """Add steps.

        Raises:
            TooMuchRepairError: if the sum is over the limit.
        """
        self.n_steps = within_limit(self.n_steps + n_steps)


def within_limit(n_steps: int) -> int:
    """Return a number of steps that is not over the limit.

    Raises:
        TooMuchRepairError: if it is.
    """
    if n_steps > MAX_STEPS:
        raise TooMuchRepairError
    return n_steps
