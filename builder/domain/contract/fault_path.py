"""Find the path of a fault in the value that was judged.

jsonschema-rs turns each step of a pointer that looks like a number into one, also the name of a member, such
as ``1``, ``01`` or ``+1``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Path: TypeAlias = "tuple[str | int, ...]"


class FaultPaths:
    """Finds the paths of the faults of one value; lists the names of each object only once."""

    def __init__(self, value: Any) -> None:
        self._value = value
        self._named: dict[int, dict[str, list[str]]] = {}

    def of(self, error: Any) -> Path:
        """Return the path of an error of jsonschema-rs: names of members and numbers of items."""
        steps = tuple(error.instance_path)
        if not any(type(step) is int for step in steps):
            return steps
        found = list(self._candidates(steps, self._value))
        if len(found) < 2:
            return found[0] if found else steps
        return next((path for path in found if _is_shown(path, error.verbose_message)), found[0])

    def _candidates(self, steps: Sequence[str | int], value: Any) -> Iterator[Path]:
        """Yield the paths in ``value`` that have these steps, if a number can also be a name."""
        if not steps:
            yield ()
            return
        step, rest = steps[0], steps[1:]
        here: Sequence[str | int] = [step]
        if isinstance(value, dict) and isinstance(step, int):
            here = self._names(value).get(str(step), [])
        for name in here:
            try:
                inner = value[name]
            except (LookupError, TypeError):
                continue
            yield from ((name, *path) for path in self._candidates(rest, inner))

    def _names(self, value: dict[str, Any]) -> dict[str, list[str]]:
        """Group the names that look like numbers by their number."""
        if id(value) not in self._named:
            names: dict[str, list[str]] = {}
            for name in value:
                digits = name.removeprefix("+")
                if digits.isascii() and digits.isdigit():
                    names.setdefault(digits.lstrip("0") or "0", []).append(name)
            self._named[id(value)] = names
        return self._named[id(value)]


def _is_shown(path: Path, message: str) -> bool:
    """Return whether the long message of an error names this path; it has the digits as they are."""
    text = "".join(f"[{_shown(step)}]" for step in path)
    return f"\n\nOn instance{text}:" in message


def _shown(step: str | int) -> str:
    if isinstance(step, int) or (step.isascii() and step.isdigit()):
        return str(step)
    return '"' + step.replace("~", "~0").replace("/", "~1") + '"'
