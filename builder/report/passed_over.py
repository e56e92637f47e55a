"""Print what folders and globs passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.domain.passed_over import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from builder.domain.passed_over import PassedOver


def passed_over_lines(passed_over: Sequence[PassedOver]) -> Iterator[str]:
    """Yield one line for each source and reason, with the first names."""
    for one in passed_over:
        names = ", ".join(one.examples) + (", ..." if one.count > len(one.examples) else "")
        yield f"{one.source} passed over {one.count:,} (reason: {REASONS[one.reason]}): {names}"
    if any(one.reason == "other_name" for one in passed_over):
        yield "to read files with other names, select them with a glob, such as 'folder/**/*'"
