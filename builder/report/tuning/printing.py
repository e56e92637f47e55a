"""Print the result of ``builder tune``, or write it to a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from builder.report.json_text import print_json
from builder.report.printer import print_line, print_lines
from builder.report.tuning.document import tuning_document
from builder.report.tuning.text import sample_line, tuning_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.operations.tune import Tuning
    from builder.recipe.edit import Edit


def print_tuning(found: Tuning, *, recipe: str, page: str | None, as_json: bool) -> None:
    """Print the facts as text or as one JSON document; write the page if there is a path for it."""
    if page is not None:
        from builder.report.tuning.page import tuning_page

        Path(page).write_text(tuning_page(found, recipe=recipe), encoding="utf-8")
    if as_json:
        print_json(tuning_document(found))
    elif page is not None:
        print_line(sample_line(found))
        print_line(f"written to {page}")
    else:
        print_lines(tuning_lines(found, recipe=recipe))


def print_edits(edits: Sequence[Edit], *, recipe: str, as_json: bool) -> None:
    """Print what was written into a recipe."""
    if as_json:
        print_json({"recipe": recipe, "written": list(edits)})
        return
    for one in edits:
        before = f"{one.before} -> " if one.before is not None else "added "
        print_line(f"{recipe}:{one.line}: {one.key}: {before}{one.after}")
