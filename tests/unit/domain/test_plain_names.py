"""Paths, hashes and version numbers by whitelist, in code and in the schemas, by both validators."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from builder.assets import schemas_folder
from builder.domain.plain_names import is_plain_path, is_sha256, is_version

PATHS = {
    "data/train-00000-of-00001.parquet": True,
    "README.md": True,
    "data/tr\u00e4n.parquet": True,
    ".hidden": True,
    "...": True,
    "data\n/../../../x.parquet": False,
    "data/x.parquet\n": False,
    "..\n/x": False,
    "..": False,
    ".": False,
    "": False,
    "/x": False,
    "a//b": False,
    "a/../b": False,
    "a/": False,
    "a\\b": False,
    "a\x00": False,
    "a" * 1_001: False,
}
VERSIONS = {
    "1.0.0": True,
    "10.20.300": True,
    "1.0.0\n": False,
    "01.0.0": False,
    "1.0": False,
    "v1.0.0": False,
    "9" * 5_000 + ".0.0": False,
    "\u0661.0.0": False,
}
HASHES = {"a" * 64: True, "a" * 64 + "\n": False, "A" * 64: False, "a" * 63: False}


@pytest.mark.parametrize(("path", "good"), PATHS.items())
def test_paths(path: str, good: bool) -> None:
    """A path is below its folder whatever is done with it."""
    assert is_plain_path(path) == good


@pytest.mark.parametrize("value", [None, 1, ["a"], b"a"])
def test_what_is_no_text_is_no_name(value: Any) -> None:
    """Wrong types are refused, not raised about."""
    assert not (is_plain_path(value) or is_sha256(value) or is_version(value))


def test_versions_and_hashes() -> None:
    """Whole texts are compared: a line break at the end is not overlooked."""
    assert {one: is_version(one) for one in VERSIONS} == VERSIONS
    assert {one: is_sha256(one) for one in HASHES} == HASHES


@pytest.mark.parametrize("name", ["manifest-1", "purged-1"])
def test_schemas_agree(name: str) -> None:
    """Both validators accept and refuse what the code does."""
    schema = json.loads((schemas_folder() / f"{name}.schema.json").read_bytes())
    version = schema["properties"]["version"] | schema["$defs"].get("version", {})
    version.pop("$ref", None)
    for one, cases in (
        (schema["$defs"]["path"], PATHS),
        (version, VERSIONS),
        (schema["$defs"]["sha256"], HASHES),
    ):
        slow, fast = jsonschema.Draft202012Validator(one), jsonschema_rs.validator_for(one)
        assert {text: slow.is_valid(text) for text in cases} == cases
        assert {text: fast.is_valid(text) for text in cases} == cases
