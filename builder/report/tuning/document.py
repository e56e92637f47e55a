"""Return the facts of ``builder tune`` as the document that ``--json`` prints."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from builder.operations.tune.rule_facts import QUANTILES

if TYPE_CHECKING:
    from builder.operations.tune import Tuning


def tuning_document(found: Tuning) -> dict[str, Any]:
    """Return one document; a number that is not defined is null."""
    return {
        "name": found.name,
        "sample": {
            "records": found.n_records,
            "tasks": found.n_tasks,
            "all_tasks": found.n_all_tasks,
            "covered": found.covered,
        },
        "labels": found.labels,
        "max_lost": found.max_lost,
        "quantiles": list(QUANTILES),
        "stages": [_plain(dataclasses.asdict(stage)) for stage in found.stages],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
