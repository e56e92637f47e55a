"""Track measured columns along the chain: a stage that edits the text makes them wrong.

A stage declares, as attributes or as properties that depend on its options:

- ``measures``: the columns that it writes about the text.
- ``edits_text``: whether it changes the text.
- ``uses``: the columns that its decisions need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from builder.errors import Fault, RecipeError
from builder.stages.binding.placed import inner_stage, stage_kind

if TYPE_CHECKING:
    from builder.stages.binding.placed import AnyStage


class MeasuredColumns:
    """The measured columns at one place of the chain, and those that an edit of the text has invalidated.

    Attributes:
        invalid: for each invalidated column, the name of the stage that edited the text.
    """

    def __init__(self) -> None:
        self._measured: dict[str, str] = {}
        self.invalid: dict[str, str] = {}

    def check(self, stage: AnyStage) -> None:
        """Check that a stage uses no invalidated column.

        Raises:
            RecipeError: with one fault for each such column; the advice is the stage that measures it.
        """
        faults = [
            Fault(
                where=stage.name,
                what=f"the column {name!r} was measured before {self.invalid[name]!r} edited the text",
                advice=f"measure again before this stage: - {self._measured[name]}: {{name: ...}}",
            )
            for name in getattr(inner_stage(stage), "uses", ())
            if name in self.invalid
        ]
        if faults:
            raise RecipeError(*faults)

    def pass_stage(self, stage: AnyStage) -> tuple[str, ...]:
        """Record what a stage edits and measures; return the columns that it invalidates."""
        inner = inner_stage(stage)
        invalidated: tuple[str, ...] = ()
        if getattr(inner, "edits_text", False):
            invalidated = tuple(name for name in self._measured if name not in self.invalid)
            self.invalid |= dict.fromkeys(invalidated, stage.name)
        for name in getattr(inner, "measures", ()):
            self._measured[name] = stage_kind(stage)
            self.invalid.pop(name, None)
        return tuple(name for name in invalidated if name in self.invalid)
