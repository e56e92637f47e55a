"""Editing a recipe: one value changes, every other byte stays, or nothing is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import RecipeError
from builder.recipe.edit import edit_text, write_settings
from builder.recipe.text import apply_settings, parse_text

HERE = Path("recipe.yaml")
WORDS, NEAR = "stages.filter.words.min=40", "stages.dedup_near.threshold=0.75"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# top\nstages:\n  - filter:\n      words: {min: 50}  # no\n  - dedup_near: {}\n",
            "# top\nstages:\n  - filter:\n      words: {min: 40}  # no\n  - dedup_near: {threshold: 0.75}\n",
        ),
        (
            "stages:\n- filter:\n    words:\n      min: 50 # why\n      max: 9\n- dedup_near: # x\n# end\n",
            (
                "stages:\n- filter:\n    words:\n      min: 40 # why\n      max: 9\n"
                "- dedup_near: {threshold: 0.75} # x\n# end\n"
            ),
        ),
        (
            "stages:\r\n  - filter:\r\n      l: {max: 1}   # x\r\n\r\n  - dedup_near: {threshold: .8}\r\n",
            (
                "stages:\r\n  - filter:\r\n      l: {max: 1}   # x\r\n      words: {min: 40}\r\n\r\n"
                "  - dedup_near: {threshold: 0.75}\r\n"
            ),
        ),
        (
            '{"stages": [{"filter": {"words": {"min":50}}},\n {"dedup_near": {"keep": "first"}}]}',
            (
                '{"stages": [{"filter": {"words": {"min":40}}},\n'
                ' {"dedup_near": {"keep": "first", "threshold": 0.75}}]}'
            ),
        ),
        (
            "\ufeffstages: [{filter: {words: {min: 'x'}}}, {dedup_near: ~}]",
            "\ufeffstages: [{filter: {words: {min: 40}}}, {dedup_near: {threshold: 0.75}}]",
        ),
        (
            "stages:\n  - filter:\n      words:\n        max: # none\n  - dedup_near:\n      keep: first",
            (
                "stages:\n  - filter:\n      words:\n        max: # none\n        min: 40\n"
                "  - dedup_near:\n      keep: first\n      threshold: 0.75"
            ),
        ),
    ],
)
def test_only_the_value_changes(before: str, after: str, tmp_path: Path) -> None:
    """Comments, order, quotes, blanks and line ends stay; a missing key is added in the style around it."""
    path = tmp_path / "recipe.yaml"
    path.write_bytes(before.encode())
    path.chmod(0o640)
    edits = write_settings(path, [WORDS, NEAR])
    assert path.read_bytes().decode() == after
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.key for one in edits] == ["stages.filter.words.min", "stages.dedup_near.threshold"]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "setting", "expected"),
    [
        (
            "stages:\n- filter: &a {words: {min: 3}}\n- filter: *a\n",
            "stages.0.filter.words.min=4",
            "anchor &a",
        ),
        ("a: &r {min: 3}\nstages:\n- filter: {words: *r}\n", "stages.filter.words.min=4", "anchor &r"),
        (
            "a: &r {min: 3}\nstages:\n- filter:\n    words:\n      <<: *r\n",
            "stages.filter.words.min=4",
            "merge key",
        ),
        ("stages:\n- language:\n    keep:\n    - en\n", "stages.language.keep=[no]", "lines of its own"),
        ("stages:\n- filter:\n    note: |\n      text\n", "stages.filter.words.min=4", "block of text"),
        ("stages:\n- dedup_near: {}\n", "stages.filter.words.min=4", "no entry has the key 'filter'"),
    ],
)
def test_a_shared_or_unclear_place_is_refused(text: str, setting: str, expected: str, tmp_path: Path) -> None:
    """A refusal leaves the file as it is, and says what to do."""
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError) as error:
        write_settings(path, [setting])
    assert expected in str(error.value)
    assert path.read_text() == text


def test_a_recipe_in_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text("[[stages]]\n[stages.dedup_near]\n")
    with pytest.raises(RecipeError, match="is TOML, and only recipes in YAML and JSON can be edited"):
        write_settings(path, [NEAR])


LEAVES = st.one_of(st.integers(0, 99), st.sampled_from(["a", "b c", "no", ""]), st.none())
KEYS = st.sampled_from(["words", "lines", "min", "max", "keep", "note"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=2), max_leaves=8
)


@st.composite
def yaml_texts(draw: Any) -> str:
    """Write a recipe with two stages in block style or in brackets, with comments and empty lines."""
    options = [draw(st.dictionaries(KEYS, VALUES, max_size=3)) for _ in range(2)]
    lines = ["# begins", "stages:"]
    for name, written in zip(("filter", "dedup_near"), options, strict=True):
        lines += _block(draw, {name: written}, "  ", entry=True)
    lines += ["corpus: out  # ends"]
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines) + "\n"


def _block(draw: Any, value: dict[str, Any], indent: str, *, entry: bool = False) -> list[str]:
    lines: list[str] = []
    for i, (name, inner) in enumerate(value.items()):
        start = indent + ("- " if entry and not i else "  " if entry else "")
        comment = draw(st.sampled_from(["", "  # note", " # {x: 1}"]))
        if isinstance(inner, dict) and inner and draw(st.booleans()):
            lines.append(f"{start}{name}:{comment}")
            lines += _block(draw, inner, indent + ("    " if entry else "  "))
        elif inner is None and draw(st.booleans()):
            lines.append(f"{start}{name}:{comment}")
        else:
            lines.append(f"{start}{name}: {_flow(inner)}{comment}")
        lines += draw(st.sampled_from([[], [], [""], ["# between"]]))
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return "null" if value is None else str(value) if isinstance(value, int) else f"'{value}'"


@given(
    text=yaml_texts(),
    stage=st.sampled_from(["filter", "dedup_near", "0.filter"]),
    keys=st.lists(KEYS, min_size=1, max_size=3),
    value=st.sampled_from(["40", "0.75", "'no'", "[en, no]", "true", "1e-3"]),
)
def test_an_edit_does_what_a_setting_does_and_adds_nothing_else(
    text: str, stage: str, keys: list[str], value: str
) -> None:
    """The edited text means the recipe with the setting, and is the old text around one changed place."""
    setting = f"stages.{stage}.{'.'.join(keys)}={value}"
    try:
        wanted = apply_settings(parse_text(text, HERE), [setting])
        found, edit = edit_text(text, setting, path=HERE)
    except RecipeError:
        return
    assert parse_text(found, HERE) == wanted
    start = next(
        (i for i, (a, b) in enumerate(zip(text, found, strict=False)) if a != b), min(len(text), len(found))
    )
    assert text[:start] == found[:start]
    removed = len(edit.before or "")
    added = len(found) - len(text) + removed
    ends = [
        text[i + removed :] == found[i + added :]
        for i in range(start + 1)
        if text[i : i + removed] == (edit.before or "")
    ]
    assert any(ends)
    assert text.count("#") == found.count("#")
