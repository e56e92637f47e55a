"""The recipe's text: YAML 1.2, TOML, variables, settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder.errors import RecipeError
from builder.recipe.text import apply_settings, fill_variables, read_document


def write(folder: Path, text: str, name: str = "recipe.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_no_is_a_string_in_yaml(tmp_path: Path) -> None:
    """YAML is read as version 1.2: `no` is Norwegian, not false."""
    assert read_document(write(tmp_path, "language: [no, on]\n")) == {"language": ["no", "on"]}


def test_a_duplicate_key_is_a_fault_with_its_line(tmp_path: Path) -> None:
    """Most YAML parsers silently use the last value."""
    with pytest.raises(RecipeError, match=r"recipe\.yaml:2.*duplicate key"):
        read_document(write(tmp_path, "name: a\nname: b\n"))


def test_a_toml_recipe_is_read(tmp_path: Path) -> None:
    """The suffix .toml selects the parser; the keys are the same."""
    assert read_document(write(tmp_path, 'name = "a"\n', "r.toml")) == {"name": "a"}


@pytest.mark.parametrize("text", ["name: [", "- a\n- b\n", "just words"])
def test_a_file_that_is_not_a_mapping_is_a_fault(tmp_path: Path, text: str) -> None:
    """The fault names the file."""
    with pytest.raises(RecipeError, match=r"recipe\.yaml"):
        read_document(write(tmp_path, text))


def test_the_fault_of_a_missing_file_gives_advice(tmp_path: Path) -> None:
    """A first-time user learns about `builder init`."""
    with pytest.raises(RecipeError, match="builder init"):
        read_document(tmp_path / "none.yaml")


def test_variables_are_replaced_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """In strings at any depth, and several times in one string."""
    monkeypatch.setenv("CRAWL", "2024-10")
    given = {"sources": [{"warc": {"path": "${CRAWL}/x-${CRAWL}.warc"}}], "n": 3}
    assert fill_variables(given) == {"sources": [{"warc": {"path": "2024-10/x-2024-10.warc"}}], "n": 3}


def test_every_variable_that_is_not_set_is_reported_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once, so that you can fix them in one edit."""
    monkeypatch.delenv("NO_SUCH", raising=False)
    monkeypatch.delenv("NOR_THIS", raising=False)
    with pytest.raises(RecipeError) as error:
        fill_variables({"name": "${NO_SUCH}", "sources": [{"jsonl": {"path": "${NOR_THIS}/a"}}]})
    assert [fault.where for fault in error.value.faults] == ["name", "sources[0].jsonl.path"]


def test_a_setting_overrides_one_value() -> None:
    """Values are parsed as YAML; missing mappings are created."""
    document = {"stages": [{"validate": None}, {"dedup_near": {}}], "splits": {"train": 1.0}}
    settings = ["stages.dedup_near.threshold=0.7", "splits.train=0.5", "stages.0.validate={}"]
    assert apply_settings(document, settings) == {
        "stages": [{"validate": {}}, {"dedup_near": {"threshold": 0.7}}],
        "splits": {"train": 0.5},
    }


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("splits", "not KEY=VALUE"),
        ("stages.dedup_naer.threshold=1", "did you mean 'dedup_near'"),
        ("name.x=1", "has no keys"),
    ],
)
def test_a_setting_that_matches_no_key_is_a_fault(setting: str, message: str) -> None:
    """The fault names the setting and the nearest key."""
    with pytest.raises(RecipeError, match=message):
        apply_settings({"name": "a", "stages": [{"dedup_near": {}}]}, [setting])


def test_a_date_is_text(tmp_path: Path) -> None:
    """With or without quotes, in YAML and in TOML."""
    assert read_document(write(tmp_path, "date: 2026-04-01\n")) == {"date": "2026-04-01"}
    assert read_document(write(tmp_path, "date = 2026-04-01\n", "r.toml")) == {"date": "2026-04-01"}


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "has more than 100,000 values when its aliases are expanded"),
        ("a: &a [*a]\n", r"the alias \*a refers to a value that contains it"),
        ("a: " + "[" * 65 + "]" * 65, "nests more than 64 levels deep"),
        ("a: " + "[" * 20_000 + "]" * 20_000, "nests more than 64 levels deep"),
        ("{1: a}", "the key 1 is not text"),
        ("{null: a}", "the key None is not text"),
        ("? [a, b]\n: c\n", "is not text"),
        ("name: " + "x" * (1 << 20), "is larger than 1,048,576 bytes"),
    ],
    ids=["alias bomb", "alias to itself", "65 levels", "20,000 levels", "number", "null", "list", "size"],
)
def test_a_hostile_file_is_refused_at_once(tmp_path: Path, text: str, message: str) -> None:
    """Each of these took for ever, or ended in a RecursionError or TypeError."""
    with pytest.raises(RecipeError, match=message):
        read_document(write(tmp_path, text))


def many_values(n: int) -> str:
    """Return YAML with 99,106 values after its aliases are expanded, and ``n`` more."""
    return f"a: &a [{'x, ' * 98}]\nb: [{'*a, ' * 1_000}]\nc: [{'x, ' * n}]"


@pytest.mark.parametrize(
    ("at_limit", "above"),
    [
        ("name: " + "x" * ((1 << 20) - 6), "name: " + "x" * ((1 << 20) - 5)),
        ("a: " + "[" * 62 + "]" * 62, "a: " + "[" * 63 + "]" * 63),
        (many_values(894), many_values(895)),
    ],
    ids=["bytes", "levels", "values"],
)
def test_a_recipe_at_a_limit_is_read_and_one_above_is_refused(
    tmp_path: Path, at_limit: str, above: str
) -> None:
    """Bytes, levels of nesting, and values after aliases are expanded."""
    assert read_document(write(tmp_path, at_limit))
    with pytest.raises(RecipeError, match="check that this file is a recipe"):
        read_document(write(tmp_path, above))


def test_a_fifo_is_refused(tmp_path: Path) -> None:
    """Opening it would wait for a writer."""
    os.mkfifo(tmp_path / "recipe.yaml")
    with pytest.raises(RecipeError, match="is not a regular file"):
        read_document(tmp_path / "recipe.yaml")


def test_a_setting_selects_a_stage_by_its_name() -> None:
    """Several stages of one kind can only be told apart by their names."""
    stages = [{"dedup_near": {"name": "strict", "threshold": 0.9}}, {"dedup_near": {}}]
    done = apply_settings({"stages": stages}, ["stages.strict.threshold=0.95"])
    assert done["stages"] == [{"dedup_near": {"name": "strict", "threshold": 0.95}}, {"dedup_near": {}}]
    with pytest.raises(RecipeError, match=r"2 entries have the key 'dedup_near'.*by its name or its number"):
        apply_settings({"stages": stages}, ["stages.dedup_near.threshold=0.7"])
