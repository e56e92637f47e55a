"""The build context: the values that all phases of one build share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from builder.recipe.recipe import INPUT_RULES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
    from builder.recipe.identity import Identity


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """The values that all phases of one build share.

    ``folder`` contains unfinished work; a second build of the same recipe and inputs resumes from it.

    Attributes:
        identity: what decides on the rows, as it was before the build.
        limit: the maximum number of records to read; None for all.
        spreads_limit: whether each task reads its share of the limit, not the first tasks all of it.
        timer: measures the phases; None if no measurement is needed.
        past: the past rows of the version that this build builds on; None for a full rebuild.
        tombstones: the corpus's tombstones; None if it has none.
        pruned: what is removed because its input is missing; None without ``--prune``.
        known: file of the keys of records that earlier builds have accounted for; None if no input is read
            again.
        input_rules: number of the rule of input names that the new version has.
        libraries: the versions of each library that made the rows of the new version; None for those that are
            installed.
        marks: the marks of local inputs when they were hashed, by address; a changed file has another mark.
    """

    recipe: Recipe
    identity: Identity
    chain: Chain
    engine: Engine
    folder: Path
    batch_rows: int
    advance: Progress
    limit: int | None = None
    spreads_limit: bool = False
    past: Past | None = None
    tombstones: Tombstones | None = None
    pruned: Pruned | None = None
    known: str | None = None
    timer: PhaseTimer | None = None
    input_rules: int = INPUT_RULES
    marks: Mapping[str, FileMark] = field(default_factory=dict)
    libraries: Mapping[str, Sequence[str]] | None = None
