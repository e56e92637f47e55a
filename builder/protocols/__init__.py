"""The protocols between the parts of builder. The modules contain no logic.

- ``reading``: a source reads tasks into Arrow batches.
- ``stages``: a stage splits a batch into rows that continue and rows that leave, with reasons. A corpus stage
  decides only after it has received all records.
- ``running``: an engine runs functions without knowing what they do.
"""

from builder.domain.outcome import Outcome
from builder.protocols.reading import Guard, InputFile, Reading, RefusedUnit, Source, Task
from builder.protocols.running import Engine, Threads
from builder.protocols.stages import (
    ROLES,
    Columns,
    CorpusStage,
    Noted,
    Remembered,
    Resources,
    Sketches,
    Stage,
    Texts,
    Verdicts,
)

__all__ = [
    "ROLES",
    "Columns",
    "CorpusStage",
    "Engine",
    "Guard",
    "InputFile",
    "Noted",
    "Outcome",
    "Reading",
    "RefusedUnit",
    "Remembered",
    "Resources",
    "Sketches",
    "Source",
    "Stage",
    "Task",
    "Texts",
    "Threads",
    "Verdicts",
]
