"""Which requests are retried, how often, and after how many seconds."""

from __future__ import annotations

import errno
import json
from typing import Any

import pytest

from builder.hub.retry_policy import RetryPolicy, is_passing, retry_after_s, status_of


class AnswerError(OSError):
    """An HTTP error with the attributes of the clients' errors."""

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"status {status}")
        self.response: Any = type("Response", (), {"status_code": status, "headers": headers or {}})()


def wrapped(cause: Exception) -> RuntimeError:
    """Return an error with a cause, as uploads raise it."""
    try:
        raise RuntimeError("while uploading") from cause
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (AnswerError(429), True),
        (AnswerError(500), True),
        (AnswerError(503), True),
        (AnswerError(409), True),
        (AnswerError(412), True),
        (AnswerError(401), False),
        (AnswerError(403), False),
        (AnswerError(404), False),
        (AnswerError(400), False),
        (wrapped(AnswerError(503)), True),
        (wrapped(AnswerError(403)), False),
        (ConnectionResetError(errno.ECONNRESET, "reset"), True),
        (TimeoutError(), True),
        (OSError(errno.ENOSPC, "no space"), False),
        (wrapped(OSError(errno.EFBIG, "too large")), False),
        (ValueError("the front matter"), False),
        (json.JSONDecodeError("Expecting value", "<html>", 0), True),
    ],
)
def test_only_transient_errors_are_retried(error: Exception, transient: bool) -> None:
    """A busy Hub or a conflict can pass; a refusal or a full local disk cannot."""
    assert is_passing(error) is transient


def test_waits_double_and_retries_end() -> None:
    """The sixth failure in a row is reported; progress resets the count."""
    waits: list[float] = []
    retry_policy = RetryPolicy(sleep=waits.append, longest_wait_s=5)
    assert [retry_policy.should_retry(AnswerError(503)) for _ in range(6)] == [True] * 5 + [False]
    assert waits == [1, 2, 4, 5, 5]
    retry_policy.reset()
    assert retry_policy.should_retry(AnswerError(503))


def test_retry_after_is_the_minimum_wait() -> None:
    """A wait that is too long is not started."""
    waits: list[float] = []
    retry_policy = RetryPolicy(sleep=waits.append)
    assert retry_policy.should_retry(AnswerError(429, {"Retry-After": "30"}))
    assert not retry_policy.should_retry(AnswerError(429, {"Retry-After": "100000"}))
    assert waits == [30]
    assert retry_after_s(AnswerError(429, {"Retry-After": "tomorrow"})) == 0
    assert status_of(wrapped(AnswerError(418))) == 418
