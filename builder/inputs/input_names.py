"""Name inputs by the rule of the corpus that they are compared with.

Rule 1 kept query strings in the names of remote inputs, so that a rotated token made every record new. Rule 2
(``recipe.INPUT_RULES``) removes them. Record ids depend on names. So a corpus of rule 1 keeps the names that
it has, and only inputs without a name in it are named by rule 2. ``--full`` names all inputs by rule 2.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.inputs.inputs import Input
    from builder.protocols import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNames:
    """The names of inputs that differ from the newest rule, by source and the name of the newest rule."""

    names: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def input(self, one: Input) -> Input:
        """Return an input with the name that the corpus has for it."""
        kept = self.names.get((one.source, one.path))
        return replace(one, path=kept) if kept else one

    def task(self, task: Task) -> Task:
        """Return a task with the names that the corpus has for its files."""
        if not self.names:
            return task
        files = tuple(
            (path, self.names.get((task.source, name), name), size) for path, name, size in task.files
        )
        return replace(task, name=self.names.get((task.source, task.name), task.name), files=files)


def kept_names(known: Sequence[Input], inputs: Sequence[Input]) -> KeptNames:
    """Find the names by rule 1 that a corpus has for some inputs, with the same token or with another one."""
    there = {(one.source, one.path) for one in known}
    without_query = {(one.source, one.path.partition("?")[0]): one.path for one in known if "?" in one.path}
    names = {}
    for one in inputs:
        if one.former_path is None:
            continue
        if (one.source, one.former_path) in there:
            names[one.source, one.path] = one.former_path
        elif kept := without_query.get((one.source, one.path)):
            names[one.source, one.path] = kept
    return KeptNames(names=names)


def shown_name(one: Input) -> str:
    """Return the name of an input for a message; a query string, which only rule 1 kept, is cut off."""
    name, mark, query = one.path.partition("?")
    return f"{one.source}/{name}?..." if mark and "=" in query else f"{one.source}/{one.path}"
