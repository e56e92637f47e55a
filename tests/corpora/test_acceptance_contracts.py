"""Run samples of the official JSON Schema suite on the command line.

The complete suite runs on the same code in `tests/unit/domain/test_official_suite.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import builder

pytestmark = [pytest.mark.corpora]

SAMPLES = [
    ("draft4", "http://json-schema.org/draft-04/schema#", "refRemote.json", 2),
    ("draft6", "http://json-schema.org/draft-06/schema#", "contains.json", 0),
    ("draft7", "http://json-schema.org/draft-07/schema#", "if-then-else.json", 7),
    ("draft2019-09", "https://json-schema.org/draft/2019-09/schema", "refRemote.json", 5),
    ("draft2020-12", "https://json-schema.org/draft/2020-12/schema", "unevaluatedProperties.json", 12),
]


@pytest.mark.parametrize(("draft", "dialect", "name", "number"), SAMPLES, ids=lambda value: str(value)[:12])
def test_validate_agrees_with_the_official_suite(
    draft: str, dialect: str, name: str, number: int, corpora: Path, tmp_path: Path
) -> None:
    """Each line is one JSON value; `validate` reports exactly the lines that the suite calls invalid."""
    suite = corpora / "json-schema-test-suite"
    group = json.loads((suite / "tests" / draft / name).read_bytes())[number]
    (tmp_path / "schema.json").write_text(json.dumps({"$schema": dialect, **group["schema"]}))
    lines = "".join(json.dumps(case["data"]) + "\n" for case in group["tests"])
    (tmp_path / "values.jsonl").write_text(lines)
    run = builder(
        "validate",
        tmp_path / "values.jsonl",
        "--contract",
        tmp_path / "schema.json",
        "--schemas",
        suite / "remotes",
        "--json",
    )
    invalid = [i for i, case in enumerate(group["tests"], start=1) if not case["valid"]]
    assert run.returncode == (4 if invalid else 0), run.stderr
    (file,) = json.loads(run.stdout)["files"]
    assert [place["line"] for place in file["places"]] == invalid
    assert file["n_records"] == len(group["tests"])
