"""The rule for white space: what text repair does last."""

from __future__ import annotations

import re

BLANKS = "\t \xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""Characters that mean nothing at the end of a line."""

_BREAKS = re.compile("\n{3,}")


def white_space(text: str) -> str:
    r"""Apply the rule for white space: line ends are ``\n`` already.

    Blanks at the end of a line go; of more than one blank line in a row one stays; blank lines at the
    beginning and end of the text go. Blanks at the beginning of a line and within it stay as they are.

    >>> white_space("\n  a  b \t\n\n\n\nc\n")
    '  a  b\n\nc'
    """
    tidy = Tidy()
    tidy.add(text)
    return "".join(tidy.end())


class Tidy:
    """Applies the rule for white space to a document in pieces."""

    def __init__(self) -> None:
        self.changed = False
        self._pieces: list[str] = []
        self._room: int = 0  # line ends that may stand next: none at the beginning
        self._held = ""  # blanks that stand at the end of a line if it ends here

    def add(self, piece: str) -> None:
        """Take the next piece of the document."""
        given = self._held + piece
        lines = [line.rstrip(BLANKS) for line in given.split("\n")]
        n_line = len(given) - given.rfind("\n") - 1
        self._held = given[len(given) - n_line + len(lines[-1]) :]
        tidy = _BREAKS.sub("\n\n", "\n".join(lines))
        rest = tidy.lstrip("\n")
        n_breaks = min(len(tidy) - len(rest), self._room)
        kept = "\n" * n_breaks + rest
        self.changed = self.changed or kept + self._held != given
        self._pieces.append(kept)
        self._room = 2 - (len(rest) - len(rest.rstrip("\n"))) if rest else self._room - n_breaks

    def end(self) -> list[str]:
        """Return the pieces, without white space at the end."""
        pieces = self._pieces
        self.changed = self.changed or bool(self._held)
        while pieces and (pieces[-1] == "" or pieces[-1].endswith("\n")):
            last = pieces.pop()
            rest = last.rstrip("\n")
            self.changed = self.changed or rest != last
            if rest:
                pieces.append(rest)
        return pieces
