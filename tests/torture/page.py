"""Write docs/reliability.md from the tally. Every figure on the page comes from it."""

from __future__ import annotations

from collections import Counter

from torture.tally import Sum, Tally
from torture.yard import FAULTS

ABOUT = {
    "kills": """
The main process, a worker, or the process that forks workers is killed (SIGKILL): at each n-th call that
changes a file, or at a random moment. Then the same command runs again. Its corpus must be the same as
without the kill, `builder verify` must find no fault, and nothing may be left behind.
""",
    "failing calls": """
A file call of a command fails, once or from then on: a full disk (ENOSPC), a broken disk (EIO), too many
open files (EMFILE), no permission (EACCES), or a write of only some of the bytes. The command must end with
status 1 and a sentence, or continue and print the same. Then the same command runs again, as after a kill.
""",
    "power loss": """
All changes of files are recorded, with the bytes. A prefix of them is replayed: what was not synced is
lost, torn or reordered. The same command must then give the same corpus as without the power loss.
""",
    "two at once": """
Two commands run at the same time on one corpus, started at random moments. Half of the rounds kill one of
them. Each command ends with its result or with a sentence, both succeed or say why not when they run again,
and the corpus verifies.
""",
    "fuzz": """
Mutated inputs for each source, each grammar of a file, and each kernel. An input gives rows, rejections or
an error in a sentence, and each record is counted. Kernels run with checked indexes
(`NUMBA_BOUNDSCHECK=1`).
""",
}
_HEAD = """
# Reliability

This page lists how often `builder` was killed, lacked disk, lost power or read garbage on purpose, and what
that found. `make torture` runs the tries and writes this page from `docs/reliability.json`. Tries add up
over runs. A target whose code has changed begins again.

```
make torture SECONDS=600
```
"""


def page(tally: Tally) -> str:
    """Return the page."""
    lines = [
        _HEAD.strip(),
        "",
        *_table(
            ["group", "targets", "tries", *FAULTS],
            [
                [group, n, tries, *(faults.get(one, 0) for one in FAULTS)]
                for group, (n, tries, faults) in tally.groups().items()
            ],
        ),
    ]
    for group in tally.groups():
        sums = {name: one for name, one in tally.sums.items() if one.group == group}
        lines += ["", f"## {group.capitalize()}", "", ABOUT[group].strip(), "", *_targets(group, sums)]
    return "\n".join(lines) + "\n"


def _targets(group: str, sums: dict[str, Sum]) -> list[str]:
    rows = [
        [name.removeprefix(f"{group}: "), one.tries, sum(Counter(one.faults).values())]
        for name, one in sorted(sums.items())
    ]
    return _table(["target", "tries", "faults"], rows)


def _table(header: list[str], rows: list[list[object]]) -> list[str]:
    align = ["---", *["---:"] * (len(header) - 1)]
    return [
        f"| {' | '.join(header)} |",
        f"|{'|'.join(align)}|",
        *(
            f"| {' | '.join(f'{one:,}' if isinstance(one, int) else str(one) for one in row)} |"
            for row in rows
        ),
    ]
