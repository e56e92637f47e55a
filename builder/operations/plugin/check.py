"""``plugin check``: find out whether a stage of a package keeps the laws that every stage keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.errors import Fault, RecipeError
from builder.io.contracts import load_contract
from builder.operations.plugin.laws import LAWS, Trial, faults_of
from builder.operations.plugin.sample import sample_rows
from builder.protocols import Columns, CorpusStage, Resources
from builder.recipe import Recipe
from builder.registry import blame, package_of, stage_class
from builder.summary import Summarised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from builder.protocols import Stage

_CONTRACT = "page-1"


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


def check_plugin(name: str, *, options: Mapping[str, Any] | None = None) -> PluginCheck:
    """Apply a stage to rows of a sample, and compare what it does with the laws of stages.

    The rows have the columns of ``page-1``: texts that are null, empty, long, equal or in several scripts.
    Some runs are in other processes, so the stage must be installed.

    Args:
        name: the key of the stage in recipes.
        options: the options of the stage.

    Raises:
        RecipeError: if the stage does not exist, cannot be loaded or bound, or refuses its options.
    """
    trial = trial_of(name, dict(options or {}))
    package, version = package_of(name, kind="stage") or (None, None)
    verdicts = [LawVerdict(law=law.__name__.replace("_", " "), faults=faults_of(law, trial)) for law in LAWS]
    return PluginCheck(
        stage=name, package=package, version=version, n_rows=trial.rows.num_rows, laws=verdicts
    )


def trial_of(name: str, options: Mapping[str, Any]) -> Trial:
    """Make a stage and the rows of its trial; the same in every process.

    Raises:
        RecipeError: as ``check_plugin``.
    """
    stage = _stage(name, options)
    contract = load_contract(_CONTRACT, folder=Path.cwd(), schemas=[])
    resources = Resources(contract=contract, columns=Columns(), nullifies=True)
    rows = sample_rows(contract.columns)
    with blame(name, kind="stage", code=type(stage)):
        bound = stage.bind(rows.schema, resources)
    return Trial(
        stage=stage,
        rows=rows,
        resources=resources,
        bound=bound,
        declared=_declared(stage, resources),
        again=(name, dict(options)),
    )


def _stage(name: str, options: Mapping[str, Any]) -> Stage:
    """Make the stage as a recipe does, so that wrong options are faults with their place."""
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


def _declared(stage: Stage, resources: Resources) -> frozenset[str]:
    """Return the columns that a stage says it changes."""
    roles = {"text": resources.columns.text, "url": resources.columns.url}
    words = [*getattr(stage, "edits", ()), *getattr(stage, "measures", ())]
    words += ["text"] if getattr(stage, "edits_text", False) else []
    return frozenset(roles.get(word) or word for word in words)
