"""The protocols that the parts of builder implement for one another; no logic.

A source reads tasks into batches of Arrow (``reading``). A stage splits a batch into what continues and what
does not, with the reason; a corpus stage sees all records before it decides (``stages``). An engine runs
functions without knowing what they do (``running``).
"""

from builder.domain.outcome import Outcome
from builder.protocols.reading import Guard, InputFile, Reading, RefusedUnit, Source, Task
from builder.protocols.running import Engine, Threads
from builder.protocols.stages import (
    Columns,
    CorpusStage,
    Remembered,
    Resources,
    Sketches,
    Stage,
    Texts,
    Verdicts,
)

__all__ = [
    "Columns",
    "CorpusStage",
    "Engine",
    "Guard",
    "InputFile",
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
