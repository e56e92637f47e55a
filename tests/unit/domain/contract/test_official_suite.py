"""The official JSON Schema suite and real schemas, judged as ``builder validate`` judges."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from builder.domain.contract.dialect import DRAFTS, registry_of
from builder.domain.contract.judge import Judge
from builder.domain.json.exact import Parsed
from builder.domain.json.text import parse
from builder.engines.guard import NullGuard
from builder.errors import ContractError
from builder.io.contracts import Schema, load_schema
from builder.io.streams.paths import Found
from builder.operations.judging import JudgePart, source_of

SUITE = {"draft4": 618, "draft6": 839, "draft7": 927, "draft2019-09": 1259, "draft2020-12": 1299}
"""Cases that are required, by draft."""

DIALECTS = {f"draft{name}": uri for uri, name in DRAFTS.items()}


def load(schema: Any, draft: str, *, corpora: Path, tmp_path: Path) -> Schema:
    if isinstance(schema, dict):
        schema = {"$schema": DIALECTS[draft], **schema}
    (tmp_path / "schema.json").write_text(json.dumps(schema), encoding="utf-8")
    remotes = corpora / "json-schema-test-suite" / "remotes"
    return load_schema("schema.json", folder=tmp_path, schemas=[remotes])


def verdicts(loaded: Schema, values: list[Any], tmp_path: Path) -> list[bool]:
    """Judge values as the lines of a file."""
    path = tmp_path / "values.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    found = Found(path=str(path), name=path.name, size_bytes=path.stat().st_size)
    source = source_of(found)
    (task,) = source.tasks()
    tally = JudgePart(schema=loaded)((0, source, task), NullGuard())
    assert tally.n_records == len(values)
    bad = {place.ordinal for place in tally.places}
    return [ordinal not in bad for ordinal in range(len(values))]


@pytest.mark.long
@pytest.mark.corpora
@pytest.mark.parametrize("draft", SUITE)
def test_the_judge_passes_the_required_cases(draft: str, corpora: Path, tmp_path: Path) -> None:
    """Only the cases of 2020-12 that require formats to be mere annotations differ."""
    n_cases = 0
    different: Counter[str] = Counter()
    for file in sorted((corpora / "json-schema-test-suite" / "tests" / draft).glob("*.json")):
        for group in json.loads(file.read_bytes()):
            loaded = load(group["schema"], draft, corpora=corpora, tmp_path=tmp_path)
            given = verdicts(loaded, [case["data"] for case in group["tests"]], tmp_path)
            expected = [case["valid"] for case in group["tests"]]
            n_cases += len(expected)
            different[file.name] += sum(a != b for a, b in zip(given, expected, strict=True))
    assert +different == ({"format.json": 19} if draft == "draft2020-12" else {})
    assert n_cases == SUITE[draft]


@pytest.mark.long
@pytest.mark.corpora
@pytest.mark.parametrize("draft", SUITE)
def test_the_reference_differs_only_as_documented(draft: str, corpora: Path, tmp_path: Path) -> None:
    """docs/contracts.md lists the cases in which jsonschema and jsonschema-rs disagree."""
    different: dict[str, int] = Counter()
    for file in sorted((corpora / "json-schema-test-suite" / "tests" / draft).glob("*.json")):
        if file.name == "format.json":
            continue
        for group in json.loads(file.read_bytes()):
            loaded = load(group["schema"], draft, corpora=corpora, tmp_path=tmp_path)
            judge = Judge(loaded.schema, loaded.documents)
            name = DIALECTS[draft]
            registry = registry_of(loaded.documents, default=draft.removeprefix("draft"))
            reference = jsonschema.validators.validator_for({"$schema": name})(
                loaded.schema, registry=registry
            )
            for case in group["tests"]:
                try:
                    valid: Any = reference.is_valid(case["data"])
                except Exception as error:  # noqa: BLE001 - the test compares how the reference fails
                    valid = type(error).__name__
                if valid != judge.accepts(case["data"]):
                    different[f"{file.name}: {group['description']}"] += 1
    documented = (Path(__file__).resolve().parents[4] / "docs" / "contracts.md").read_text(encoding="utf-8")
    for name in different:
        assert f"`{name}`" in documented, name


SIBLING_OF_REF = "pre-commit-config/local-missing-entry.json"


@pytest.mark.corpora
def test_real_files_pass_and_fail_as_schemastore_expects(corpora: Path) -> None:
    """Only one file differs, because draft 7 ignores a keyword next to a reference."""
    different, unresolved = [], set()
    for kind in ("test", "negative_test"):
        for folder in sorted((corpora / "schemastore" / kind).iterdir()):
            files = [file for file in sorted(folder.rglob("*.json")) if file.is_file()]
            schema = corpora / "schemastore" / "schemas" / "json" / f"{folder.name}.json"
            if not files or not schema.is_file():
                continue
            try:
                loaded = load_schema(schema.name, folder=schema.parent)
            except ContractError as error:
                assert all("nothing is fetched" in fault.advice for fault in error.faults)
                unresolved.add(folder.name)
                continue
            judge = Judge(loaded.schema, loaded.documents)
            for file in files:
                parsed = parse(file.read_bytes())
                assert isinstance(parsed, Parsed)
                valid = not parsed.faults and judge.accepts(parsed.value)
                if valid != (kind == "test"):
                    different.append(f"{folder.name}/{file.name}")
    assert different == [SIBLING_OF_REF]
    documented = (Path(__file__).resolve().parents[4] / "docs" / "contracts.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in documented for name in {*unresolved, SIBLING_OF_REF})
