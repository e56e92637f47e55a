"""Parse a recipe's text (YAML 1.2 or TOML) to a mapping, and apply variables and settings."""

from __future__ import annotations

import copy
import datetime as dt
import difflib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.errors import Fault, RecipeError
from builder.registry import nearest

MAX_RECIPE_BYTES = 1 << 20
MAX_RECIPE_DEPTH = 64
MAX_RECIPE_VALUES = 100_000
"""Limits of a recipe file. Real recipes have some hundred values; a file beyond these limits is an attack."""

_SUFFIXES = (".yaml", ".yml", ".toml")
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_document(path: Path) -> dict[str, Any]:
    """Read a recipe file; a duplicate key is a fault, and `no` is a string.

    Raises:
        RecipeError: if the file does not exist, is not YAML or TOML, or is not a mapping.
    """
    return parse_text(read_text(path), path)


def parse_text(text: str, path: Path) -> dict[str, Any]:
    """Parse the text of a recipe file.

    Raises:
        RecipeError: as in ``read_document``.
    """
    parsed = _parse_toml(text, path) if path.suffix == ".toml" else _parse_yaml(text, path)
    document = _with_text_dates(parsed, path)
    if not isinstance(document, dict):
        what, advice = "the recipe is not a mapping of keys to values", "begin it with: name: my-dataset"
        raise RecipeError(Fault(where=str(path), what=what, advice=advice))
    return document


def read_text(path: Path) -> str:
    """Read a recipe file of at most ``MAX_RECIPE_BYTES``.

    Raises:
        RecipeError: if the file does not exist, is not a regular file, or is too large or not UTF-8.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            what = "is a folder, not a recipe" if path.is_dir() else "is not a regular file"
            raise RecipeError(Fault(where=str(path), what=what, advice=_recipes_in(path)))
        with path.open("rb") as file:
            data = file.read(MAX_RECIPE_BYTES + 1)
        if len(data) > MAX_RECIPE_BYTES:
            what = f"is larger than {MAX_RECIPE_BYTES:,} bytes, the limit of a recipe"
            raise RecipeError(Fault(where=str(path), what=what, advice="check that this file is a recipe"))
        return data.decode("utf-8")
    except FileNotFoundError:
        raise RecipeError(Fault(where=str(path), what="no such file", advice=_recipes_like(path))) from None
    except (OSError, UnicodeDecodeError) as error:
        advice = "give the path of a UTF-8 file that you may read"
        raise RecipeError(Fault(where=str(path), what=f"cannot be read: {error}", advice=advice)) from None


def _recipes_in(folder: Path) -> str:
    """Name the recipe in a folder that was given instead of it."""
    names = ["recipe.yaml", "recipe.yml", "recipe.toml"]
    if folder.is_dir():
        names += sorted(one.name for one in folder.iterdir() if one.suffix in _SUFFIXES)
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    return f"did you mean {found}?" if found else "give the path of a YAML or TOML file"


def _recipes_like(path: Path) -> str:
    """Name the recipe whose name is most like that of a file that does not exist."""
    try:
        names = [one.name for one in path.parent.iterdir() if one.suffix in _SUFFIXES]
    except OSError:
        names = []
    close = difflib.get_close_matches(path.name, names, n=1)
    if close:
        return f"did you mean {path.parent / close[0]}?"
    return "check the path, or run `builder init FOLDER` to create a recipe"


def _with_text_dates(value: Any, path: Path, place: str = "") -> Any:
    """Convert dates, which YAML and TOML parse to objects, back to text: recipes contain JSON values only.

    Raises:
        RecipeError: if a key is not text, which YAML allows.
    """
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                what, advice = f"the key {key!r:.100} is not text", "put the key in quotes"
                raise RecipeError(Fault(where=place or str(path), what=what, advice=advice))
        return {
            key: _with_text_dates(inner, path, f"{place}.{key}" if place else key)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_with_text_dates(inner, path, f"{place}[{i}]") for i, inner in enumerate(value)]
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else value


def _parse_yaml(text: str, path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import YAMLError

    try:
        _check_size(YAML(typ="safe", pure=True), text, path)
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


def _check_size(yaml: Any, text: str, path: Path) -> None:
    """Refuse YAML that nests too deeply or whose aliases expand to too many values.

    The parser's events come one at a time, so nothing is expanded here.

    Raises:
        RecipeError: if a limit is exceeded, or an alias refers to a value that contains it.
    """
    open_values: list[_OpenValue] = [_OpenValue()]
    sizes: dict[str, int] = {}
    for event in yaml.parse(text):
        name = type(event).__name__
        if name in ("MappingStartEvent", "SequenceStartEvent"):
            open_values.append(_OpenValue(anchor=event.anchor))
            if len(open_values) > MAX_RECIPE_DEPTH:
                raise _too_large(path, f"nests more than {MAX_RECIPE_DEPTH} levels deep")
        elif name in ("MappingEndEvent", "SequenceEndEvent"):
            done = open_values.pop()
            if done.anchor:
                sizes[done.anchor] = done.n_values
            open_values[-1].n_values += done.n_values
        elif name == "AliasEvent":
            if event.anchor not in sizes and any(one.anchor == event.anchor for one in open_values):
                raise _too_large(path, f"the alias *{event.anchor:.50} refers to a value that contains it")
            open_values[-1].n_values += sizes.get(event.anchor, 1)
        elif name == "ScalarEvent":
            open_values[-1].n_values += 1
        if open_values[-1].n_values > MAX_RECIPE_VALUES:
            raise _too_large(
                path, f"has more than {MAX_RECIPE_VALUES:,} values when its aliases are expanded"
            )


@dataclass(slots=True)
class _OpenValue:
    """A mapping or sequence whose end was not parsed yet."""

    anchor: str | None = None
    n_values: int = 1


def _too_large(path: Path, what: str) -> RecipeError:
    return RecipeError(Fault(where=str(path), what=what, advice="check that this file is a recipe"))


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
        for name in VARIABLE.findall(value)
        if name not in os.environ
    )
    return VARIABLE.sub(lambda m: os.environ.get(m[1], m[0]), value)


Settings = Sequence[str] | Mapping[str, Any]
"""Values that override those of a recipe: ``KEY=VALUE`` texts, or a mapping of keys to values."""


def apply_settings(document: dict[str, Any], settings: Settings | str) -> dict[str, Any]:
    """Apply overrides; a list entry is selected by its number, its only key or its ``name``.

    >>> apply_settings({"stages": [{"dedup_near": {}}]}, ["stages.dedup_near.threshold=0.7"])
    {'stages': [{'dedup_near': {'threshold': 0.7}}]}
    >>> apply_settings({"splits": {}}, {"splits.train": 1.0})
    {'splits': {'train': 1.0}}
    """
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            _set(document, key.split("."), copy.deepcopy(value), setting=f"{key}={value}")
        return document
    for setting in [settings] if isinstance(settings, str) else settings:
        key, value = parse_setting(setting)
        _set(document, key.split("."), value, setting=setting)
    return document


def parse_setting(setting: str) -> tuple[str, Any]:
    """Return the key and the value of ``KEY=VALUE``.

    Raises:
        RecipeError: if ``=`` is missing, or the value is not YAML.
    """
    key, equals, text = setting.partition("=")
    if not equals:
        advice = "write it like this: --set splits.train=0.9"
        raise RecipeError(Fault(where=f"--set {setting}", what="not KEY=VALUE", advice=advice))
    return key, _parse_yaml(text, Path(f"--set {key}"))


def _set(node: Any, keys: list[str], value: Any, *, setting: str) -> None:
    """Set the value at a path of keys; ``apply_settings`` says how entries of a list are selected."""
    for i, key in enumerate(keys):
        if isinstance(node, list):
            node = node[select_entry(node, key, setting=setting)]
            if key.isdigit():
                continue
            if key not in node:  # the entry was selected by its name
                (key,) = node
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


def select_entry(entries: list[Any], key: str, *, setting: str) -> int:
    """Return the number of the entry of a list that a key of a setting selects.

    Raises:
        RecipeError: if the key selects no entry, or several.
    """
    if key.isdigit() and int(key) < len(entries):
        return int(key)
    given = {i: entry for i, entry in enumerate(entries) if isinstance(entry, dict) and entry}
    named = [i for i, one in given.items() if _given_name(one) == key]
    named = named or [i for i, one in given.items() if key in one]
    if len(named) != 1:
        names = [_given_name(one) or next(iter(one)) for one in given.values()]
        what = f"{len(named)} entries have the key {key!r}" if named else f"no entry has the key {key!r}"
        advice = "select the entry by its name or its number" if named else nearest(key, names)
        raise RecipeError(Fault(where=f"--set {setting}", what=what, advice=advice))
    return named[0]


def _given_name(entry: dict[str, Any]) -> str | None:
    """Return the option ``name`` of an entry with one key."""
    options = next(iter(entry.values()))
    name = options.get("name") if len(entry) == 1 and isinstance(options, dict) else None
    return name if isinstance(name, str) else None
