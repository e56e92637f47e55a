"""Pending commits for commands that only read: they wait for the commit and never finish it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from builder.corpus.journal import JOURNAL, find_staged, has_journal, read_journal
from builder.corpus.names import SPOOL
from builder.corpus.opening import LOCK_BYTES, read_file
from builder.domain.json.strict import read_json
from builder.errors import BuilderError, Fault

if TYPE_CHECKING:
    from pathlib import Path

_WAIT_S = 60.0
"""Seconds to wait for the commit of a running builder."""

_GRACE_S = 0.5
"""Seconds to wait for a commit whose builder does not seem to run."""

_PAUSE_S = 0.05
_ADVICE = "the next `builder build`, or any command that writes, finishes it"


def wait_for_commit(corpus: Path) -> list[Fault]:
    """Wait until no commit is pending; return a fault for each commit that stays pending or is invalid.

    This function takes no lock, because a reader changes nothing.
    """
    begun = time.monotonic()
    while True:
        try:
            pending = [one for one in find_staged(corpus) if has_journal(one)]
            for staged in pending:
                read_journal(corpus, staged)
        except FileNotFoundError:  # the builder finished it meanwhile
            pending = None
        except BuilderError as error:
            return list(error.faults)
        if pending == []:
            return []
        waited_s = time.monotonic() - begun
        if waited_s > (_WAIT_S if _is_at_work(corpus) else _GRACE_S):
            where = [f"{SPOOL}/{staged.name}/{JOURNAL}" for staged in pending or ()]
            return [Fault(where=one, what="a commit is pending", advice=_ADVICE) for one in where]
        time.sleep(_PAUSE_S)


def _is_at_work(corpus: Path) -> bool:
    """Return whether the process in the lock file runs; the file of a killed process names it still."""
    try:
        holder = read_json(read_file(corpus, f"{SPOOL}/lock", limit=LOCK_BYTES))
        process = holder["pid"]
        if type(process) is not int or process <= 0:
            return False
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, ValueError, KeyError, TypeError, OverflowError, BuilderError):
        return False
    return True
