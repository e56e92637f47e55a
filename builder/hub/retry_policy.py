"""Which failures of the Hub to retry, how often, and after which waits."""

from __future__ import annotations

import errno
import json
import re
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PASSING = frozenset({408, 409, 412, 425, 429, 500, 502, 503, 504})
"""Status codes of transient failures: the Hub is busy or broken, or another commit was faster."""

LOCAL = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOENT}
)
"""Errors of the local disk, which waiting does not fix."""


@dataclass(slots=True, kw_only=True)
class RetryPolicy:
    """Retries transient failures up to ``attempts`` times in a row; each wait is twice as long as the last.

    ``reset`` notes that something has arrived, so that a long upload over a bad line does not give up.
    """

    attempts: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    longest_asked_s: float = 600.0
    sleep: Callable[[float], None] = time.sleep
    failures: int = field(default=0, init=False)

    def reset(self) -> None:
        """Reset the count of failures."""
        self.failures = 0

    def should_retry(self, error: BaseException) -> bool:
        """Wait and return True if the failure may be transient; return False if it must be reported."""
        self.failures += 1
        if not is_passing(error) or self.failures >= self.attempts:
            return False
        asked_s = retry_after_s(error)
        if asked_s > self.longest_asked_s:
            return False
        self.sleep(max(asked_s, min(self.longest_wait_s, self.first_wait_s * 2 ** (self.failures - 1))))
        return True


def network_errors() -> tuple[type[BaseException], ...]:
    """Return the exceptions that the Hub client raises when a request fails."""
    from huggingface_hub.errors import HfHubHTTPError

    return (*HfHubHTTPError.__bases__, OSError, RuntimeError, json.JSONDecodeError)


def is_passing(error: BaseException) -> bool:
    """Return whether a failure may be transient; an answer that is not JSON is a proxy's page."""
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
    """Return whether the local disk caused the error."""
    return any(isinstance(one, OSError) and one.errno in LOCAL for one in causes(error))


def is_unreachable(error: BaseException) -> bool:
    """Return whether no server answered: the name is unknown, or the connection failed or took too long."""
    return status_of(error) is None and any(
        isinstance(one, (socket.gaierror, ConnectionError, TimeoutError)) for one in causes(error)
    )


def without_number(message: str) -> str:
    """Return the message of a system error without its number.

    >>> without_number("[Errno -2] Name or service not known")
    'Name or service not known'
    """
    return re.sub(r"\[Errno -?[0-9]+\] ", "", message)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status of the answer that caused an error, or None."""
    for one in causes(error):
        status = getattr(getattr(one, "response", None), "status_code", None)
        if isinstance(status, int):
            return status
    return None


def retry_after_s(error: BaseException) -> float:
    """Return how many seconds the Hub asks to wait; 0 if it does not say."""
    for one in causes(error):
        headers: Any = getattr(getattr(one, "response", None), "headers", None) or {}
        asked = str(headers.get("Retry-After", ""))
        if asked.isdigit():
            return float(asked)
    return 0.0


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    seen = 0
    while error is not None and seen < 20:
        yield error
        error, seen = error.__cause__ or error.__context__, seen + 1
