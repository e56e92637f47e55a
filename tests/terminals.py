"""Run the command line on a terminal, and look for control characters of strangers in what it prints."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from commands import COMMAND

EVIL = "\x1b]0;owned\x07\x1b[2J\x1b[5;41m\x9b6n\u202egpj\u2066\x08\x7f\u2028\r\nforged"
"""OSC, CSI, C0, C1 and marks of direction, and a line end behind which a line of a report could be forged."""

EVIL_NAME = EVIL.replace("/", "_")

_FORBIDDEN = ("\x1b]", "\x07", "\x1b[2J", "\x1b[5;41m", "\x9b", "\u202e", "\u2066", "\x08", "\x7f", "\u2028")
"""What no output may contain. Bars of progress have control sequences too, but none of these."""


def on_terminal(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    program: Sequence[str | Path] = COMMAND,
) -> tuple[int, str]:
    """Run `builder` with a terminal as its stdin, stdout and stderr; return the status and all output.

    Args:
        program: what to run in place of `builder`.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 250, 0, 0))
    process = subprocess.Popen(
        [*map(str, program), *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env=env,
        start_new_session=True,
    )
    os.close(theirs)
    said = bytearray()
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # the last process with the terminal has ended
            break
        if not piece:
            break
        said += piece
    os.close(ours)
    return process.wait(), said.decode()


def escapes(text: str) -> list[str]:
    """Return the forbidden sequences in an output, and forged lines.

    `builder show` quotes the lines of a text, with four blanks in front of each.
    """
    found = [one for one in _FORBIDDEN if one in text]
    lines = [line for line in text.splitlines() if not line.startswith("    ")]
    return found + [line for line in lines if line.strip().startswith("forged")]
