"""Parse a recipe's text (YAML 1.2 or TOML) to a mapping, and apply variables and settings."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.errors import Fault, RecipeError
from builder.registry import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_document(path: Path) -> dict[str, Any]:
    """Read a recipe file; a duplicate key is a fault, and `no` is a string.

    Raises:
        RecipeError: if the file does not exist, is not YAML or TOML, or is not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError(
            Fault(
                where=str(path),
                what="no such file",
                advice="check the path, or run `builder init FOLDER` to create a recipe",
            )
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        advice = "give the path of a UTF-8 file that you may read"
        raise RecipeError(Fault(where=str(path), what=f"cannot be read: {error}", advice=advice)) from None
    document = _with_text_dates(
        _parse_toml(text, path) if path.suffix == ".toml" else _parse_yaml(text, path)
    )
    if not isinstance(document, dict):
        what, advice = "the recipe is not a mapping of keys to values", "begin it with: name: my-dataset"
        raise RecipeError(Fault(where=str(path), what=what, advice=advice))
    return document


def _with_text_dates(value: Any) -> Any:
    """Convert dates, which YAML and TOML parse to objects, back to text: recipes contain JSON values only."""
    if isinstance(value, dict):
        return {key: _with_text_dates(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_text_dates(inner) for inner in value]
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else value


def _parse_yaml(text: str, path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except DuplicateKeyError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        what = str(error.problem).split(" with ")[0]
        raise RecipeError(Fault(where=place, what=what, advice="remove one of the two keys")) from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else str(path)
        what = f"the YAML is not valid: {getattr(error, 'problem', error)}"
        raise RecipeError(Fault(where=place, what=what, advice="fix the syntax at this line")) from None


def _parse_toml(text: str, path: Path) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what = f"the TOML is not valid: {error}"
        raise RecipeError(Fault(where=str(path), what=what, advice="fix the syntax at this line")) from None


def fill_variables(value: Any) -> Any:
    """Replace ``${VAR}`` in every string by its value in the environment.

    Raises:
        RecipeError: if variables are not set; the error lists each of them with its place.
    """
    faults: list[Fault] = []
    filled = _fill(value, place="", faults=faults)
    if faults:
        raise RecipeError(*faults)
    return filled


def _fill(value: Any, *, place: str, faults: list[Fault]) -> Any:
    if isinstance(value, dict):
        return {
            k: _fill(v, place=f"{place}.{k}" if place else str(k), faults=faults) for k, v in value.items()
        }
    if isinstance(value, list):
        return [_fill(v, place=f"{place}[{i}]", faults=faults) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value
    faults.extend(
        Fault(where=place, what=f"the environment variable {name} is not set", advice=f"export {name}=...")
        for name in _VARIABLE.findall(value)
        if name not in os.environ
    )
    return _VARIABLE.sub(lambda m: os.environ.get(m[1], m[0]), value)


def apply_settings(document: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Apply ``KEY=VALUE`` overrides; a list entry is selected by its number or by its only key.

    >>> apply_settings({"stages": [{"dedup_near": {}}]}, ["stages.dedup_near.threshold=0.7"])
    {'stages': [{'dedup_near': {'threshold': 0.7}}]}
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            advice = "write it like this: --set splits.train=0.9"
            raise RecipeError(Fault(where=f"--set {setting}", what="not KEY=VALUE", advice=advice))
        _set(document, key.split("."), _parse_yaml(text, Path(f"--set {key}")), setting=setting)
    return document


def _set(node: Any, keys: list[str], value: Any, *, setting: str) -> None:
    """Set the value at a path of keys; a list entry is selected by its number or by its only key."""
    for i, key in enumerate(keys):
        if isinstance(node, list):
            node = _entry(node, key, setting=setting)
            if key.isdigit():
                continue
        if not isinstance(node, dict):
            what = f"the value of {'.'.join(keys[:i])} has no keys"
            advice = "give the key of a single value, such as stages.dedup_near.threshold"
            raise RecipeError(Fault(where=f"--set {setting}", what=what, advice=advice))
        if i == len(keys) - 1:
            node[key] = value
        else:
            if node.get(key) is None:
                node[key] = {}
            node = node[key]


def _entry(entries: list[Any], key: str, *, setting: str) -> Any:
    if key.isdigit() and int(key) < len(entries):
        return entries[int(key)]
    named = [entry for entry in entries if isinstance(entry, dict) and key in entry]
    if len(named) != 1:
        names = [next(iter(entry)) for entry in entries if isinstance(entry, dict) and entry]
        what = f"{len(named)} entries have the key {key!r}" if named else f"no entry has the key {key!r}"
        advice = "select the entry by its number" if named else nearest(key, names)
        raise RecipeError(Fault(where=f"--set {setting}", what=what, advice=advice))
    return named[0]
