"""``plugin check``: find out whether a stage of a package keeps the laws that every stage keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.errors import Fault, RecipeError
from builder.io.contracts import load_contract
from builder.operations.plugin.laws import Trial, all_faults
from builder.operations.plugin.sample import sample_rows
from builder.protocols import Columns, CorpusStage, Resources
from builder.recipe import Recipe
from builder.registry import blame, package_of, source_kinds, stage_class
from builder.stages.identification.columns import columns_of
from builder.stages.quality.signals import SIGNALS
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from builder.protocols import Stage

_CONTRACT = "page-1"
_MEASURED = {one.name: one.type for one in columns_of(has_share=True)} | {
    name: one.type for name, one in SIGNALS.items()
}
"""The columns that stages of builder measure, with their types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawVerdict:
    """What breaks a law; nothing if the stage keeps it."""

    law: str
    faults: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PluginCheck(Summarised):
    """A stage, its package, and a verdict on each law."""

    stage: str
    package: str | None
    version: str | None
    n_rows: int
    laws: Sequence[LawVerdict]

    @property
    def keeps_all(self) -> bool:
        """Whether the stage keeps every law."""
        return not any(verdict.faults for verdict in self.laws)

    def _summary(self) -> dict[str, object]:
        return {
            "stage": self.stage,
            "package": self.package,
            "version": self.version,
            "rows": self.n_rows,
            "keeps_all": self.keeps_all,
            "broken": [verdict.law for verdict in self.laws if verdict.faults],
        }


def check_plugin(
    name: str, *, options: Mapping[str, Any] | None = None, contract: str | Path = _CONTRACT
) -> PluginCheck:
    """Apply a stage to rows of a sample, and compare what it does with the laws of stages.

    The rows have the columns of the contract: texts that are null, empty, long, equal or in several scripts,
    pages with and without markup, URLs that are odd. They also have the columns in ``needs`` and ``uses`` of
    the stage that ``signals`` and ``language`` measure. Some runs are in other processes, so the stage must
    be installed.

    Args:
        name: the key of the stage in recipes.
        options: the options of the stage.
        contract: a built-in contract, or the path of a JSON Schema, for a stage that needs other columns.

    Raises:
        RecipeError: if the stage does not exist, cannot be loaded or bound, or refuses its options.
        ContractError: if the contract is not a JSON Schema or cannot be mapped to Arrow.

    >>> check_plugin("repair_text").keeps_all
    True
    """
    trial = trial_of(name, dict(options or {}), contract=str(contract))
    package, version = package_of(name, kind="stage") or (None, None)
    verdicts = [LawVerdict(law=law, faults=faults) for law, faults in all_faults(trial).items()]
    return PluginCheck(
        stage=name, package=package, version=version, n_rows=trial.rows.num_rows, laws=verdicts
    )


def trial_of(name: str, options: Mapping[str, Any], *, contract: str) -> Trial:
    """Make a stage and the rows of its trial; the same in every process.

    Raises:
        RecipeError: as ``check_plugin``.
    """
    stage = _stage(name, options)
    loaded = load_contract(contract, folder=Path.cwd(), schemas=[])
    columns = Columns.among(loaded.columns.names, named={})
    resources = Resources(contract=loaded, columns=columns, nullifies=True)
    rows = sample_rows(loaded.columns, more=_measured(stage, given=loaded.columns))
    with blame(name, kind="stage", code=type(stage)):
        bound = stage.bind(rows.schema, resources)
    return Trial(
        stage=stage,
        rows=rows,
        resources=resources,
        bound=bound,
        declared=_declared(stage, resources),
        again={"name": name, "options": dict(options), "contract": contract},
    )


def _stage(name: str, options: Mapping[str, Any]) -> Stage:
    """Make the stage as a recipe does, so that wrong options are faults with their place."""
    if name in source_kinds():
        what, advice = f"{name!r} is a source; the laws are those of stages", "test it with a build"
        raise RecipeError(Fault(where=name, what=what, advice=advice))
    stage_class(name)  # a name that is not known has advice of its own
    document = {
        "name": "trial",
        "sources": [{"jsonl": {"path": "a.jsonl"}}],
        "stages": [{name: dict(options)}],
        "corpus": "corpus",
    }
    stage = Recipe.from_dict(document).stages[-1]
    if isinstance(stage, CorpusStage):
        what, advice = f"{name!r} decides on all records together", "test it with a build"
        raise RecipeError(Fault(where=name, what=what, advice=advice))
    return stage


def _measured(stage: Stage, *, given: pa.Schema) -> dict[str, pa.DataType]:
    """Return the measured columns that a stage needs and the contract does not have, with their types."""
    wanted = [*getattr(stage, "needs", ()), *getattr(stage, "uses", ())]
    return {name: _MEASURED[name] for name in wanted if name in _MEASURED and name not in given.names}


def _declared(stage: Stage, resources: Resources) -> frozenset[str]:
    """Return the columns that a stage says it changes."""
    roles = {"text": resources.columns.text, "url": resources.columns.url}
    words = [*getattr(stage, "edits", ()), *getattr(stage, "measures", ())]
    words += ["text"] if getattr(stage, "edits_text", False) else []
    return frozenset(roles.get(word) or word for word in words)
