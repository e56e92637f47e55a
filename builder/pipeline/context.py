"""What all phases of one build share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from builder.domain.progress import Progress
    from builder.history.past import Past
    from builder.inputs.pruning import Pruned
    from builder.io.streams.paths import FileMark
    from builder.pipeline.chain import Chain
    from builder.pipeline.timings import PhaseTimer
    from builder.pipeline.tombstones import Tombstones
    from builder.protocols import Engine
    from builder.recipe import Recipe


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """One build: what is made, of what, where, and by whom.

    ``folder`` holds unfinished work; a second build of the same recipe and inputs finds it.

    Attributes:
        limit: records that are read at most.
        timer: looks at the clock; None where nobody wants to know.
        past: what the version remembers that this build goes on from; None if everything is built anew.
        tombstones: the corpus's tombstones; None if there are none.
        pruned: what goes because its input is gone; None if nothing does.
        known: file of the keys of records that earlier builds have accounted for; None if no file is read
            again.
        marks: what local inputs looked like when they were hashed, by address.
    """

    recipe: Recipe
    chain: Chain
    engine: Engine
    folder: Path
    batch_rows: int
    advance: Progress
    limit: int | None = None
    past: Past | None = None
    tombstones: Tombstones | None = None
    pruned: Pruned | None = None
    known: str | None = None
    timer: PhaseTimer | None = None
    marks: Mapping[str, FileMark] = field(default_factory=dict)
