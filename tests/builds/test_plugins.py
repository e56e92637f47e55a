"""Stages and sources of other packages: what is loaded, what their errors do, and how changes are seen."""

from __future__ import annotations

import importlib
import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from planted import ledger_of, sentence, write_lines

from builder import BuildResult, Recipe, registry
from builder.errors import AccountError, BuilderError, RecipeError

Make = Callable[..., BuildResult]

STAGE = '''
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from builder.domain.rejection import no_rejections
from builder.protocols import Outcome
from builder.registry import option


@dataclass(frozen=True, slots=True, kw_only=True)
class Picky:
    """Raise on texts with a word."""

    name: ClassVar[str] = "picky"
    untrusted: ClassVar[bool] = False

    word: str = option("bad", help="The word.")

    def __post_init__(self):
        if self.word == "refused":
            raise KeyError("no such word")

    def bind(self, schema, resources):
        if self.word == "unbound":
            raise TypeError("cannot bind")
        return schema.append(pa.field("n", pa.int64()))

    def apply(self, batch, *, resources, guard):
        for text in batch.column("text").to_pylist():
            if self.word in text.split():
                raise ValueError(f"the text contains {self.word}")
        if self.word == "nothing":
            return None
        ones = pa.array([1] * batch.num_rows, pa.int64())
        kept = batch.append_column("n", ones)
        kept = kept.slice(1) if self.word == "lost" else kept
        return Outcome(kept=kept, rejected=no_rejections())
'''


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that installs a package with entry points; it can be called again."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def run(
        code: str, *, version: str = "1.0", entries: str = "[builder.stages]\npicky = picky:Picky\n"
    ) -> None:
        (folder / "picky.py").write_text(textwrap.dedent(code))
        facts = folder / "picky_words.dist-info"
        facts.mkdir(exist_ok=True)
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: picky-words\nVersion: {version}\n")
        (facts / "entry_points.txt").write_text(entries)
        forget()

    def forget() -> None:
        sys.modules.pop("picky", None)
        importlib.invalidate_caches()
        registry._entry_points.cache_clear()

    yield run
    forget()


@pytest.fixture
def feed(tmp_path: Path) -> list[str]:
    """Nine texts, of which two contain the word ``bad``."""
    texts = [sentence(i) + (" bad" if i in (2, 7) else "") for i in range(9)]
    write_lines(
        tmp_path / "feed/a.jsonl",
        [{"text": text, "url": f"https://a.example/{i}"} for i, text in enumerate(texts)],
    )
    return texts


def picky(**options: Any) -> list[Any]:
    return ["validate", {"picky": options}]


def test_a_row_on_which_a_stage_raises_is_a_failed_row(make: Make, install: Any, feed: list[str]) -> None:
    """The build continues. The ledger has the stage, the reason, the error and the URL."""
    install(STAGE)
    rows = ledger_of(make(stages=picky()))
    failed = [row for row in rows if row["outcome"] != "kept"]
    assert [(row["ordinal"], row["outcome"], row["stage"], row["reason"]) for row in failed] == [
        (2, "failed", "picky", "stage_error"),
        (7, "failed", "picky", "stage_error"),
    ]
    assert failed[0]["message"] == "ValueError: the text contains bad"
    assert failed[0]["url"] == "https://a.example/2"
    assert len(rows) == 9


def test_failed_rows_do_not_depend_on_batches(make: Make, install: Any, feed: list[str]) -> None:
    """A batch is halved until the row is found, so every cut gives the same rows."""
    install(STAGE)
    digests = {make(stages=picky(), batch_rows=n, corpus=f"corpus-{n}").digest for n in (1, 2, 3, 100)}
    assert len(digests) == 1


def test_a_stage_with_a_name_fails_rows_under_that_name(make: Make, install: Any, feed: list[str]) -> None:
    """The ledger's stage is the name, as for rejections."""
    install(STAGE)
    rows = ledger_of(make(stages=picky(name="words", where={"sources": ["jsonl"]})))
    assert {row["stage"] for row in rows if row["outcome"] == "failed"} == {"words"}


@pytest.mark.parametrize(
    ("word", "error", "what"),
    [
        ("nothing", BuilderError, "returned NoneType, not an Outcome"),
        ("lost", AccountError, "9 rows in, 8 kept, 0 rejected"),
        ("unbound", RecipeError, "raised TypeError: cannot bind"),
        ("refused", RecipeError, "raised KeyError: 'no such word'"),
    ],
)
def test_a_fault_of_a_stage_is_an_error_with_its_name_and_package(
    make: Make, install: Any, feed: list[str], word: str, error: type[BuilderError], what: str
) -> None:
    """The user knows which package to fix; there is no traceback."""
    install(STAGE)
    with pytest.raises(error) as raised:
        make(stages=picky(word=word))
    assert "the stage 'picky' of the package picky-words 1.0" in str(raised.value)
    assert what in str(raised.value)


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("raise RuntimeError('broken at import')", "cannot be loaded: RuntimeError: broken at import"),
        ("import nothing_of_this_name", "cannot be loaded: ModuleNotFoundError"),
        ("Wrong = 1", "cannot be loaded: AttributeError"),
        ("def Picky(): pass", "is not a dataclass, but picky:Picky"),
    ],
)
def test_a_broken_package_breaks_only_the_recipes_that_name_it(
    make: Make, install: Any, feed: list[str], code: str, what: str
) -> None:
    """Only the stages that a recipe names are loaded."""
    install(code)
    assert make(stages=["validate", "dedup_exact"]).outcomes["kept"] == 9
    assert "picky" not in sys.modules
    with pytest.raises(RecipeError) as error:
        make(stages=picky())
    assert str(error.value).startswith("stages[1].picky: the stage 'picky' of the package picky-words 1.0")
    assert what in str(error.value)


def test_a_recipe_loads_no_other_built_in_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a recipe starts fast, whatever is installed."""
    loaded: list[str] = []
    real = registry.import_module
    monkeypatch.setattr(registry, "import_module", lambda name: loaded.append(name) or real(name))
    document = {
        "name": "a",
        "sources": [{"jsonl": {"path": "a"}}],
        "stages": [{"dedup_exact": {}}],
        "corpus": "c",
    }
    Recipe.from_dict(document, folder=tmp_path)
    assert set(loaded) == {"builder.io.jsonl", "builder.stages.validate", "builder.stages.dedup_exact"}


SOURCE = '''
from dataclasses import dataclass
from typing import ClassVar

from builder.io.jsonl import JsonlSource


@dataclass(frozen=True, slots=True, kw_only=True)
class OddSource(JsonlSource):
    """Raise while reading."""

    kind: ClassVar[str] = "odd"

    def read(self, task, *, guard, batch_rows):
        yield from JsonlSource.read(self, task, guard=guard, batch_rows=batch_rows)
        raise ZeroDivisionError("at the end")
'''


def test_a_fault_of_a_source_is_an_error_with_its_name_and_package(
    make: Make, install: Any, feed: list[str]
) -> None:
    """What the source has not read cannot be accounted for, so the build stops."""
    install(SOURCE, entries="[builder.sources]\nodd = picky:OddSource\n")
    with pytest.raises(
        RecipeError, match=r"the source 'odd' of the package picky-words 1\.0 raised ZeroDivision"
    ):
        make(stages=["validate"], recipe={"sources": [{"odd": {"path": "feed/*.jsonl"}}]})


def test_a_changed_package_is_a_changed_recipe(make: Make, install: Any, feed: list[str]) -> None:
    """Name, version and source are in the digest and in the manifest; a rebuild says what has changed."""
    install(STAGE)
    first = make(stages=picky())
    manifest = json.loads((first.corpus / first.version / "manifest.json").read_bytes())
    (stage,) = (one for one in manifest["recipe"]["effective"]["stages"] if one["stage"] == "picky")
    assert {**stage["identity"], "source": len(stage["identity"]["source"])} == {
        "package": "picky-words",
        "version": "1.0",
        "source": 64,
    }
    assert manifest["tools"]["picky-words"] == "1.0"
    said: list[str] = []
    assert make(stages=picky(), notice=said.append).nothing_new
    install(f"{STAGE}\n# another line\n")
    make(stages=picky(), notice=said.append)
    install(f"{STAGE}\n# another line\n", version="2.0")
    make(stages=picky(), notice=said.append)
    assert len(said) == 2
    assert "(the code of picky)" in said[0]
    assert "(the code of picky, which is picky-words 2.0, and was picky-words 1.0)" in said[1]
