"""The laws that every stage keeps, as functions of what a stage does to the rows of a sample.

A law yields each fault that it finds as one sentence. A stage keeps the law if it yields nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from builder.domain.record import RECORD
from builder.domain.rejection import CODE_REASONS, STAGE_ERROR
from builder.engines.guard import NullGuard
from builder.errors import BuilderError
from builder.pipeline.stage_errors import apply_stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from builder.protocols import Resources, Stage

_HASH_SEEDS = ("1", "2")
_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A stage, the rows that it gets, and how to make the same stage in another process.

    Attributes:
        bound: the schema that ``bind`` returned.
        declared: the columns that the stage may change.
        again: the arguments that make the same trial in another process.
    """

    stage: Stage
    rows: pa.RecordBatch
    resources: Resources
    bound: pa.Schema
    declared: frozenset[str]
    again: Mapping[str, Any]

    def run(self, *, batch_rows: int, stage: Stage | None = None) -> tuple[pa.Table, pa.Table]:
        """Apply the stage to the rows in batches; return the kept and the rejected rows.

        Raises:
            BuilderError: if the stage loses a row, or fails in another way that ends a build.
        """
        kept, rejected = [], []
        for start in range(0, self.rows.num_rows, batch_rows):
            batch = self.rows.slice(start, batch_rows)
            one = apply_stage(stage or self.stage, batch, resources=self.resources, guard=NullGuard())
            kept.append(one.kept)
            rejected.append(one.rejected)
        return pa.Table.from_batches(kept), pa.Table.from_batches(rejected)


def every_row_is_kept_or_rejected_once(trial: Trial) -> Iterator[str]:
    """Each row that comes in leaves once: kept or rejected."""
    kept, rejected = trial.run(batch_rows=trial.rows.num_rows)
    came, left = _ids(trial.rows), Counter([*_ids(kept), *_ids(rejected)])
    if lost := [one for one in came if not left[one]]:
        yield f"{len(lost)} rows are neither kept nor rejected, such as {lost[0]}"
    if twice := [one for one, n in left.items() if n > 1]:
        yield f"{len(twice)} rows leave more than once, such as {twice[0]}"
    if invented := sorted(left.keys() - set(came)):
        yield f"{len(invented)} rows did not come in, such as {invented[0]}"


def kept_rows_stay_in_order(trial: Trial) -> Iterator[str]:
    """Kept rows have the order in which they came."""
    ids = _ids(trial.run(batch_rows=trial.rows.num_rows)[0])
    kept = set(ids)
    if ids != [one for one in _ids(trial.rows) if one in kept]:
        yield "the kept rows are in another order than the rows that came in"


def batches_do_not_matter(trial: Trial) -> Iterator[str]:
    """Any cut into batches gives the same rows."""
    whole = _facts(*trial.run(batch_rows=trial.rows.num_rows))
    for batch_rows in (1, 7, 128):
        cut = _facts(*trial.run(batch_rows=batch_rows))
        if cut != whole:
            yield f"batches of {batch_rows} give other rows than one batch{_first_difference(whole, cut)}"
            return


def runs_do_not_matter(trial: Trial) -> Iterator[str]:
    """The same rows give the same result again, also for a copy of the stage in another process."""
    whole = _facts(*trial.run(batch_rows=trial.rows.num_rows))
    if _facts(*trial.run(batch_rows=trial.rows.num_rows)) != whole:
        yield "the second run on the same rows gives other rows"
        return
    try:
        copied = pickle.loads(pickle.dumps(trial.stage))
    except Exception as error:  # noqa: BLE001 - the stage's own code pickles
        yield f"the stage cannot be sent to a worker: {type(error).__name__}: {error}"
        return
    if _facts(*trial.run(batch_rows=trial.rows.num_rows, stage=copied)) != whole:
        yield "a copy of the stage, as a worker gets it, gives other rows"
        return
    digests = {_digest_elsewhere(trial, seed) for seed in _HASH_SEEDS}
    if digests != {_digest(whole)}:
        yield "another process gives other rows: do not use hash(), the order of a set, time or chance"


def other_columns_stay_as_they_are(trial: Trial) -> Iterator[str]:
    """A column that the stage does not declare to change has the same values in every kept row."""
    kept, _ = trial.run(batch_rows=trial.rows.num_rows)
    places = pc.index_in(pa.array(_ids(kept), pa.string()), value_set=pa.array(_ids(trial.rows), pa.string()))
    if places.null_count:
        return  # another law finds rows that did not come in
    before = pa.Table.from_batches([trial.rows]).take(places)
    for name in before.schema.names:
        if name not in trial.declared and name in kept.schema.names:
            old, new = before.column(name).to_pylist(), kept.column(name).to_pylist()
            if old != new:
                n_rows = sum(a != b for a, b in zip(old, new, strict=True))
                yield f"the column {name!r} changes in {n_rows} rows, and the stage does not declare it"


def kept_rows_have_the_bound_columns(trial: Trial) -> Iterator[str]:
    """Kept rows have the columns and types that ``bind`` announced, even if no row is kept."""
    for what, rows in (("kept rows", trial.rows), ("an empty batch", trial.rows.slice(0, 0))):
        kept = apply_stage(trial.stage, rows, resources=trial.resources, guard=NullGuard()).kept
        if not kept.schema.equals(trial.bound):
            both = [
                set(zip(one.names, map(str, one.types), strict=True)) for one in (kept.schema, trial.bound)
            ]
            found = ", ".join(f"{name} ({kind})" for name, kind in sorted(both[0] ^ both[1]))
            yield f"{what}: the columns are not those that bind returns: {found or 'another order'}"
            return


def rejections_have_a_declared_reason(trial: Trial) -> Iterator[str]:
    """The reason of a rejected row is in ``reasons``, and its stage is the name of the stage."""
    _, rejected = trial.run(batch_rows=trial.rows.num_rows)
    known = {*getattr(trial.stage, "reasons", {}), *CODE_REASONS}
    for name in sorted(set(rejected.column("reason").to_pylist()) - known):
        yield f"the reason {name!r} is not in `reasons`"
    for name in sorted(set(rejected.column("stage").to_pylist()) - {trial.stage.name}):
        yield f"rows are rejected in the name of {name!r}"


def no_row_raises(trial: Trial) -> Iterator[str]:
    """No row of the sample raises, not even one without a text."""
    _, rejected = trial.run(batch_rows=trial.rows.num_rows)
    failed = rejected.filter(pc.equal(rejected["reason"], STAGE_ERROR))
    if failed.num_rows:
        number = failed[RECORD][0].as_py()["ordinal"]
        yield f"{failed.num_rows} rows raise, such as {_shown(trial, number)}: {failed['message'][0]}"


def the_input_stays_as_it_is(trial: Trial) -> Iterator[str]:
    """The stage does not write to the batch that it gets."""
    before = _digest(pa.Table.from_batches([trial.rows]).to_pylist())
    trial.run(batch_rows=trial.rows.num_rows)
    if _digest(pa.Table.from_batches([trial.rows]).to_pylist()) != before:
        yield "the stage changes its input in place"


LAWS: tuple[Callable[[Trial], Iterator[str]], ...] = (
    the_input_stays_as_it_is,
    every_row_is_kept_or_rejected_once,
    kept_rows_stay_in_order,
    kept_rows_have_the_bound_columns,
    other_columns_stay_as_they_are,
    rejections_have_a_declared_reason,
    batches_do_not_matter,
    runs_do_not_matter,
    no_row_raises,
)


def all_faults(trial: Trial) -> dict[str, list[str]]:
    """Return what breaks each law, by its name.

    If the stage raises an error that would stop a build, it breaks the law of rows, and the other laws are
    not checked.
    """
    names = {_name(law): law for law in LAWS}
    try:
        return {name: list(law(trial)) for name, law in names.items()}
    except BuilderError as error:
        stops = {law: ["not checked, because the stage stops the build"] for law in names}
        return {**stops, _name(every_row_is_kept_or_rejected_once): [str(error)]}


def _name(law: Callable[[Trial], Iterator[str]]) -> str:
    return law.__name__.replace("_", " ")


def digest_of_run(trial: Trial) -> str:
    """Return a digest of what the stage does to the rows; other processes compare it."""
    return _digest(_facts(*trial.run(batch_rows=trial.rows.num_rows)))


def _shown(trial: Trial, number: int) -> str:
    """Return what a row is known by: its text, and the columns that the stage needs."""
    names = dict.fromkeys([trial.resources.columns.text, *getattr(trial.stage, "needs", ())])
    shown = [name for name in names if name in trial.rows.schema.names]
    values = {name: trial.rows.column(name)[number].as_py() for name in shown}
    return "one with " + " and ".join(f"the {name} {_cut(value)}" for name, value in values.items())


def _cut(value: Any) -> str:
    return repr(value[:40] if isinstance(value, str) else value)


def _digest_elsewhere(trial: Trial, hash_seed: str) -> str:
    """Return the digest of the same run in a process with other hashes of texts."""
    code = (
        "import json, sys; path, again = json.loads(sys.argv[1]); sys.path[:] = path; "
        "from builder.operations.plugin.check import trial_of; "
        "from builder.operations.plugin.laws import digest_of_run; print(digest_of_run(trial_of(**again)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, json.dumps([sys.path, trial.again])],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    return ran.stdout.strip().rpartition("\n")[2] or ran.stderr


def _ids(rows: pa.Table | pa.RecordBatch) -> list[str]:
    return [one["id"] for one in rows.column(RECORD).to_pylist()]


def _facts(kept: pa.Table, rejected: pa.Table) -> list[dict[str, Any]]:
    """Return the rows of a run; rejections by record, since a stage may list them in any order."""
    refused = sorted(rejected.to_pylist(), key=lambda one: int(one[RECORD]["ordinal"]))
    return [*kept.to_pylist(), *refused]


def _first_difference(whole: list[dict[str, Any]], cut: list[dict[str, Any]]) -> str:
    different = (old for old, new in zip(whole, cut, strict=False) if old != new)
    first = next(different, None)
    return f"; the first difference is at {first[RECORD]['id']}" if first else ""


def _digest(facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts, default=repr, sort_keys=True).encode()).hexdigest()
