"""The only module that writes to stdout and stderr. No control character of a page, name or reason passes it.

A line is one line: a line feed inside of it is escaped too, so that a page cannot forge a line of a report.
"""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn, TextIO

from builder.domain.addresses import redact_urls
from builder.domain.visible import json_escape, visible, visible_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from builder.errors import BuilderError

INTERRUPTED = "interrupted; finished work is kept. Run the same command again to resume."
_SHOW_CURSOR = "\x1b[?25h"


def print_lines(lines: Iterable[str]) -> None:
    """Print lines of a report on stdout."""
    print_text("".join(f"{visible(line)}\n" for line in lines))


def print_line(line: str) -> None:
    """Print one line of a report on stdout."""
    print_lines([line])


def print_text(text: str) -> None:
    """Print a text of several lines on stdout, such as a card or a schema."""
    _write(sys.stdout, visible(text, keep="\n\t"))
    sys.stdout.flush()


def print_document(document: str) -> None:
    """Print a JSON document, or a part of one, on stdout. Escapes are those of JSON, so its value stays."""
    safe = visible_json(document)
    try:
        safe.encode(_encoding(sys.stdout))
    except UnicodeEncodeError:
        safe = "".join(one if one.isascii() else json_escape(one) for one in safe)
    _write(sys.stdout, safe)


def print_notice(line: str) -> None:
    """Print a line for people on stderr at once: progress, a warning or a notice."""
    _write(sys.stderr, f"{visible(line)}\n")
    sys.stderr.flush()


def print_error(error: BuilderError) -> None:
    """Print each fault of an error on stderr."""
    for fault in error.faults:
        print_notice(f"error: {fault}")


def print_usage(text: str) -> None:
    """Print how a command is called, and what is wrong with a call, on stderr."""
    _write(sys.stderr, visible(text, keep="\n"))


def print_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the traceback of an exception that nothing expects, as ``sys.excepthook`` does."""
    text = redact_urls("".join(traceback.format_exception(kind, error, trace)))
    _write(sys.stderr, visible(text, keep="\n"))


def end_interrupted(status: int) -> NoReturn:
    """Print that the command was interrupted, and end this process without any further work."""
    cursor = _SHOW_CURSOR if os.isatty(2) else ""
    os.write(2, f"{cursor}{INTERRUPTED}\n".encode())
    os._exit(status)


def leave_closed_output() -> NoReturn:
    """End quietly: who read the output has closed it, as ``head`` does."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - flushed when the interpreter ends
    sys.exit(1)


def can_print(text: str) -> bool:
    """Return whether the encoding of stdout has all characters of a text."""
    try:
        text.encode(_encoding(sys.stdout))
    except UnicodeEncodeError:
        return False
    return True


def _write(stream: TextIO, text: str) -> None:
    """Write a text; a character that the encoding of the stream does not have becomes an escape."""
    encoding = _encoding(stream)
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _encoding(stream: TextIO) -> str:
    return getattr(stream, "encoding", None) or "utf-8"
