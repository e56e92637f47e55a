"""``plugin check``: the laws pass on good stages, and each fails on a stage with a bug planted on purpose."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builder import registry
from builder.errors import RecipeError
from builder.operations.plugin import PluginCheck, check_plugin

HEAD = """
from dataclasses import dataclass, replace
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from builder.plugin import BatchStage, RowFilter, RowMapper, option
from builder.domain.rejection import Rejection, no_rejections, rejection_batch
from builder.protocols import Outcome


class Raw:
    name, untrusted, reasons = "planted", False, {}

    def bind(self, schema, resources):
        return schema

    def rejected(self, batch, reason):
        records = batch.column("_record").to_pylist()
        return rejection_batch(Rejection(record=one, stage=self.name, reason=reason) for one in records)


@dataclass(frozen=True, kw_only=True)
"""

GOOD = {
    "a row filter": """
class Planted(RowFilter):
    name = "planted"
    words: int = option(2, help="Words.")

    def keep(self, row):
        return len(row.text.split()) >= self.words
""",
    "a row mapper": """
class Planted(RowMapper):
    name = "planted"
    edits = ("text",)
    adds = {"n_cut": pa.int64()}

    def map(self, row):
        return {"text": row.text[:10], "n_cut": max(0, len(row.text) - 10)}
""",
    "a batch stage": """
class Planted(BatchStage):
    name = "planted"
    reasons = {"short": "Short."}

    def process(self, batch):
        short = pc.less(pc.fill_null(pc.utf8_length(batch.column("text")), 0), 5)
        return batch.append_column("_reason", pc.if_else(short, "short", None))
""",
}

GOOD["a batch stage that rebuilds columns"] = """
class Planted(BatchStage):
    name = "planted"
    needs = ("words",)

    def process(self, batch):
        place = batch.schema.get_field_index("words")
        column = pc.cast(batch["words"], pa.float64())
        copied = [float("nan") if one is None else one for one in column.to_pylist()]
        return batch.set_column(place, "words", pa.array(copied, pa.float64(), from_pandas=True))
"""

PLANTED = {
    "loses a row": (
        "every row is kept or rejected once",
        "the stage 'planted' of the package own-planted 1.0: 300 rows in, 299 kept, 0 rejected",
        """
class Planted(Raw):
    def apply(self, batch, *, resources, guard):
        return Outcome(kept=batch.slice(1) if batch.num_rows else batch, rejected=no_rejections())
""",
    ),
    "keeps a row twice in place of another": (
        "every row is kept or rejected once",
        "1 rows are neither kept nor rejected, such as sample/a.jsonl@0",
        """
class Planted(Raw):
    def apply(self, batch, *, resources, guard):
        if batch.num_rows < 2:
            return Outcome(kept=batch, rejected=no_rejections())
        kept = batch.take(pa.array([1, *range(1, batch.num_rows)]))
        return Outcome(kept=kept, rejected=no_rejections())
""",
    ),
    "sorts the rows": (
        "kept rows stay in order",
        "the kept rows are in another order",
        """
class Planted(Raw):
    def apply(self, batch, *, resources, guard):
        return Outcome(kept=batch.take(pc.sort_indices(batch["text"])), rejected=no_rejections())
""",
    ),
    "announces another type": (
        "kept rows have the bound columns",
        "n (int64), n (string)",
        """
class Planted(Raw):
    def bind(self, schema, resources):
        return schema.append(pa.field("n", pa.string()))

    def apply(self, batch, *, resources, guard):
        n = pa.array([1] * batch.num_rows, pa.int64())
        return Outcome(kept=batch.append_column("n", n), rejected=no_rejections())
""",
    ),
    "changes a column that it does not declare": (
        "other columns stay as they are",
        "the column 'title' changes in 240 rows",
        """
class Planted(Raw):
    def apply(self, batch, *, resources, guard):
        place = batch.schema.get_field_index("title")
        kept = batch.set_column(place, batch.schema.field(place), pc.utf8_upper(batch["title"]))
        return Outcome(kept=kept, rejected=no_rejections())
""",
    ),
    "writes a column that it does not declare": (
        "no row raises",
        "process changed the column 'title', which is not in edits",
        """
class Planted(BatchStage):
    name = "planted"

    def process(self, batch):
        place = batch.schema.get_field_index("title")
        return batch.set_column(place, batch.schema.field(place), pc.utf8_upper(batch["title"]))
""",
    ),
    "adds a column that it does not declare": (
        "every row is kept or rejected once",
        "process added the column 'n', which is not in adds",
        """
class Planted(BatchStage):
    name = "planted"

    def process(self, batch):
        return batch.append_column("n", pc.utf8_length(batch["text"]))
""",
    ),
    "depends on the size of large batches": (
        "batches do not matter",
        "batches of 1 give other rows than one batch",
        """
class Planted(BatchStage):
    name = "planted"
    reasons = {"late": "Late."}

    def process(self, batch):
        reasons = [None] * batch.num_rows
        reasons[200:] = ["late"] * max(0, batch.num_rows - 200)
        return batch.append_column("_reason", pa.array(reasons, pa.string()))
""",
    ),
    "gives a reason that nobody knows": (
        "rejections have a declared reason",
        "the reason 'whatever' is not in `reasons`",
        """
class Planted(Raw):
    def apply(self, batch, *, resources, guard):
        return Outcome(kept=batch.slice(0, 0), rejected=self.rejected(batch, "whatever"))
""",
    ),
    "compares with the mean of the batch": (
        "batches do not matter",
        "batches of 1 give other rows than one batch; the first difference is at sample/a.jsonl@",
        """
class Planted(BatchStage):
    name = "planted"
    reasons = {"short": "Short."}

    def process(self, batch):
        n = pc.fill_null(pc.utf8_length(batch.column("text")), 0)
        short = pc.less(n, pc.mean(n)) if batch.num_rows else pa.array([], pa.bool_())
        return batch.append_column("_reason", pc.if_else(short, "short", None))
""",
    ),
    "counts across rows": (
        "runs do not matter",
        "gives other rows",
        """
class Planted(RowFilter):
    name = "planted"
    seen = []

    def keep(self, row):
        self.seen.append(row)
        return len(self.seen) % 7 > 0
""",
    ),
    "uses the hash of a text": (
        "runs do not matter",
        "another process gives other rows: do not use hash()",
        """
class Planted(RowFilter):
    name = "planted"

    def keep(self, row):
        return hash(row.url) % 2 == 0
""",
    ),
    "writes to its input": (
        "the input stays as it is",
        "the stage changes its input in place",
        """
class Planted(Raw):
    def apply(self, batch, *, resources, guard):
        buffer = batch.column("text").buffers()[2]
        import ctypes
        ctypes.memset(buffer.address, 65, buffer.size)
        return Outcome(kept=batch, rejected=no_rejections())
""",
    ),
    "does not expect a null": (
        "no row raises",
        "5 rows raise, such as one with the text None: AttributeError",
        """
class Planted(RowFilter):
    name = "planted"

    def keep(self, row):
        return row["text"].count("x") == 0
""",
    ),
}


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that installs a package with the stage `planted`."""
    folder = tmp_path / "site"
    facts = folder / "own_planted-1.0.dist-info"
    facts.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder))

    def run(code: str) -> None:
        (folder / "own_planted.py").write_text(HEAD + code)
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: own-planted\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text("[builder.stages]\nplanted = own_planted:Planted\n")
        forget()

    def forget() -> None:
        sys.modules.pop("own_planted", None)
        importlib.invalidate_caches()
        registry._entry_points.cache_clear()

    yield run
    forget()


def broken(check: PluginCheck) -> dict[str, str]:
    return {verdict.law: " ".join(verdict.faults) for verdict in check.laws if verdict.faults}


@pytest.mark.parametrize("code", GOOD.values(), ids=GOOD)
def test_a_good_stage_keeps_all_laws(install: Any, code: str) -> None:
    """The laws ask nothing that the base classes do not give."""
    install(code)
    check = check_plugin("planted")
    assert broken(check) == {}
    assert (check.package, check.version, check.keeps_all) == ("own-planted", "1.0", True)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(("law", "what", "code"), PLANTED.values(), ids=PLANTED)
def test_a_law_fails_on_a_stage_with_a_planted_bug(install: Any, law: str, what: str, code: str) -> None:
    """The message says what is wrong with which row or column."""
    install(code)
    check = check_plugin("planted")
    assert what in broken(check)[law]
    assert not check.keeps_all


@pytest.mark.parametrize("name", ["repair_text", "extract_text"])
def test_the_stages_of_builder_keep_the_laws(name: str) -> None:
    """What holds for stages of packages holds for those of builder."""
    assert broken(check_plugin(name)) == {}


def test_options_are_those_of_a_recipe(install: Any) -> None:
    """A wrong one is a fault with its place."""
    install(GOOD["a row filter"])
    assert check_plugin("planted", options={"words": 9}).keeps_all
    with pytest.raises(RecipeError, match=r"stages\[0\]\.planted\.wrds: unknown key"):
        check_plugin("planted", options={"wrds": 9})


@pytest.mark.parametrize(
    ("name", "what"),
    [("dedup_near", "decides on all records"), ("plantd", "no stage is called"), ("jsonl", "is a source")],
)
def test_what_cannot_be_checked_is_an_error(name: str, what: str) -> None:
    """The error says why."""
    with pytest.raises(RecipeError, match=what):
        check_plugin(name)


OTHER_COLUMNS = {
    "a signal": ("words", "needs = ('words',)", "row['words'] > 3", "NoneType"),
    "a score": ("language_score", "uses = ('language_score',)", "row['language_score'] > 0.5", "NoneType"),
    "a page": ("html", "needs = ('html',)", "row['html'][0] == '<'", "the html ''"),
    "a URL": ("url", "needs = ('url',)", "bool(row.url and row.url.split('//')[1])", "IndexError"),
    "a language": ("language", "needs = ('language',)", "row['language'][:2] == 'en'", "the language None"),
}


@pytest.mark.parametrize("what", OTHER_COLUMNS)
def test_rows_have_the_columns_that_a_stage_needs(install: Any, what: str) -> None:
    """Each has nulls and odd values, so that a stage that expects none breaks a law."""
    column, declared, decision, found = OTHER_COLUMNS[what]
    code = f"class Planted(RowFilter):\n    name = 'planted'\n    {declared}\n\n    def keep(self, row):\n"
    install(f"{code}        return {decision}\n")
    (fault,) = broken(check_plugin("planted"))["no row raises"].splitlines()
    assert found in fault
    install(f"{code}        return row[{column!r}] is not None\n")
    assert broken(check_plugin("planted")) == {}


def test_rows_have_the_columns_of_a_contract(install: Any, tmp_path: Path) -> None:
    """A stage for records of another kind is checked on them."""
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "stars": {"type": ["integer", "null"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "seen": {"type": "string", "format": "date"},
            "place": {"type": "object", "properties": {"lat": {"type": "number"}}},
        },
        "additionalProperties": False,
    }
    path = tmp_path / "review-1.schema.json"
    path.write_text(json.dumps(schema))
    install(
        "class Planted(RowFilter):\n    name = 'planted'\n    needs = ('stars', 'tags', 'seen', 'place')\n\n"
        "    def keep(self, row):\n"
        "        whole = row['stars'] and row['tags'] and row['seen'] and row['place']\n"
        "        return bool(whole and row['seen'].year >= 2024 and 'lat' in row['place'])\n"
    )
    assert broken(check_plugin("planted", contract=path)) == {}
    with pytest.raises(RecipeError, match="needs the column 'stars'"):
        check_plugin("planted")
