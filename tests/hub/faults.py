"""Planned faults, and the log of all requests.

A fault has a kind and the number of the request at which it happens. ``times`` is the number of consecutive
requests that fail. Requests are counted from 1 in order of arrival; requests to ``/-/`` are not counted.

    429, 500, 502, 503, 409, 412   an answer with this status; the request is not executed
    drop                           the connection ends in the middle of the body of the request or the answer
    lost                           the request is executed, but the connection ends before the answer
    page                           an HTML page with the status 200; the request is not executed
    slow                           the request is executed after a delay, and answered if the client waits
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
    """A planned fault; it counts only requests whose line contains ``only``."""

    kind: str
    at: int = 1
    times: int = 1
    retry_after_s: int = 0
    only: str = ""


@dataclass
class Entry:
    """A request and its outcome."""

    number: int
    method: str
    path: str
    status: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    fault: str | None = None


@dataclass
class Log:
    """All requests so far, and the planned faults."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    seen: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, method: str, path: str) -> tuple[Entry, Fault | None]:
        """Count a request; return its log entry and its planned fault, if any."""
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
        """Clear the log and replace the planned faults."""
        with self.lock:
            self.entries.clear()
            self.seen.clear()
            self.faults = [Fault(**one) for one in faults]

    def document(self) -> list[dict[str, Any]]:
        """Return the requests as JSON."""
        with self.lock:
            return [asdict(entry) for entry in self.entries]
