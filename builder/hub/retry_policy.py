"""What to try again, how often, and after how long."""

from __future__ import annotations

import errno
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PASSING = frozenset({408, 409, 412, 425, 429, 500, 502, 503, 504})
"""Answers after which the same may go well: busy, broken, or somebody else was faster."""

LOCAL = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOENT}
)
"""Faults of this machine's disk; waiting mends none of them."""


@dataclass(slots=True, kw_only=True)
class RetryPolicy:
    """Failures in a row that are borne, and the waits between them: twice as long each time.

    ``rest`` says that something has arrived, so that a long upload over a bad line is not given up.
    """

    attempts: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    longest_asked_s: float = 600.0
    sleep: Callable[[float], None] = time.sleep
    failures: int = field(default=0, init=False)

    def rest(self) -> None:
        """Count failures anew."""
        self.failures = 0

    def should_retry(self, error: BaseException) -> bool:
        """Wait if the failure may pass; False if it is to be told."""
        self.failures += 1
        if not is_passing(error) or self.failures >= self.attempts:
            return False
        asked_s = retry_after_s(error)
        if asked_s > self.longest_asked_s:
            return False
        self.sleep(max(asked_s, min(self.longest_wait_s, self.first_wait_s * 2 ** (self.failures - 1))))
        return True


def network_errors() -> tuple[type[BaseException], ...]:
    """Return what the clients of the Hub raise when a request goes wrong."""
    from huggingface_hub.errors import HfHubHTTPError

    return (*HfHubHTTPError.__bases__, OSError, RuntimeError, json.JSONDecodeError)


def is_passing(error: BaseException) -> bool:
    """Tell whether the same request may go well later; an answer that is no JSON is some proxy's page."""
    if isinstance(error, json.JSONDecodeError):
        return True
    if isinstance(error, ValueError) or type(error).__name__ in (
        "OfflineModeIsEnabled",
        "XetAuthenticationError",
    ):
        return False
    if (status := status_of(error)) is not None:
        return status in PASSING
    return not is_of_the_disk(error)


def is_of_the_disk(error: BaseException) -> bool:
    """Tell whether this machine's disk is at fault."""
    return any(isinstance(one, OSError) and one.errno in LOCAL for one in causes(error))


def status_of(error: BaseException) -> int | None:
    """Return the status of the answer that an error comes from."""
    for one in causes(error):
        status = getattr(getattr(one, "response", None), "status_code", None)
        if isinstance(status, int):
            return status
    return None


def retry_after_s(error: BaseException) -> float:
    """Return how long the Hub asks to wait; 0 if it does not ask."""
    for one in causes(error):
        headers: Any = getattr(getattr(one, "response", None), "headers", None) or {}
        asked = str(headers.get("Retry-After", ""))
        if asked.isdigit():
            return float(asked)
    return 0.0


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Go from an error to what caused it."""
    seen = 0
    while error is not None and seen < 20:
        yield error
        error, seen = error.__cause__ or error.__context__, seen + 1
