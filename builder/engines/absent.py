"""Hide optional libraries from other libraries that would import them only because they are installed."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def absent(package: str) -> Iterator[None]:
    """Make imports of a package fail as if it were not installed. A package that is already loaded stays.

    >>> with absent("wave"):
    ...     import wave
    Traceback (most recent call last):
    ModuleNotFoundError: wave is hidden
    """
    finder = _Absent(package)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Absent(MetaPathFinder):
    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:  # noqa: ARG002
        if name.partition(".")[0] == self._package:
            raise ModuleNotFoundError(f"{name} is hidden", name=name)
