"""What shall fail, and the log of all requests.

A fault has a kind and the number of the request at which it happens; ``times`` is how many requests in turn
it happens to. Requests are counted from 1, as they come in; those to ``/-/`` are not counted.

    429, 500, 502, 503, 409, 412   an answer with this status; nothing is done
    drop                           the connection ends in the middle of the request's or the answer's body
    lost                           the request is done, and the connection ends instead of the answer
    page                           an answer that is no JSON, with the status 200; nothing is done
    slow                           the request is done after a while, and answered if somebody waits
"""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, field
from typing import Any

STATUSES = ("429", "500", "502", "503", "409", "412")
KINDS = (*STATUSES, "drop", "lost")
PAGE = "page"
SLOW, SLOW_S = "slow", 0.3


@dataclass(frozen=True)
class Fault:
    """One thing that shall go wrong; only requests whose line holds ``only`` count for it."""

    kind: str
    at: int = 1
    times: int = 1
    retry_after_s: int = 0
    only: str = ""


@dataclass
class Entry:
    """One request, and what became of it."""

    number: int
    method: str
    path: str
    status: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    fault: str | None = None


@dataclass
class Log:
    """All requests so far, and the faults to come."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, method: str, path: str) -> tuple[Entry, Fault | None]:
        """Count a request in, and tell what shall happen to it."""
        with self.lock:
            entry = Entry(len(self.entries) + 1, method, path)
            self.entries.append(entry)
            fault = self._due(f"{method} {path}")
            entry.fault = fault.kind if fault else None
            return entry, fault

    def _due(self, line: str) -> Fault | None:
        for i, fault in enumerate(self.faults):
            if fault.only in line:
                self.seen[i] = self.seen.get(i, 0) + 1
                if fault.at <= self.seen[i] < fault.at + fault.times:
                    return fault
        return None

    def plan(self, faults: list[dict[str, Any]]) -> None:
        """Forget the requests so far, and let these faults happen from now on."""
        with self.lock:
            self.entries.clear()
            self.seen.clear()
            self.faults = [Fault(**one) for one in faults]

    def document(self) -> list[dict[str, Any]]:
        """Return the requests as JSON."""
        with self.lock:
            return [asdict(entry) for entry in self.entries]
