"""The example of rights: what is left out, what comes back, and which licence a page has."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq

from builder import Recipe, build, load

RIGHTS = Path(__file__).resolve().parents[2] / "examples/rights"


def test_the_example_of_rights_is_decided_as_its_readme_says(tmp_path: Path) -> None:
    """A reservation holds from the time of its robots.txt to that of the next one."""
    shutil.copytree(RIGHTS, tmp_path / "rights")
    result = build(Recipe.load(tmp_path / "rights/recipe.yaml"), workers=1)
    rows = pq.read_table(result.ledger).to_pylist()
    assert {row["url"]: row["reason"] for row in rows if row["reason"] != "site_record"} == {
        "https://quiet.example/pier": "opted_out",
        "https://gulls.example/march": "opted_out",
        "https://gulls.example/late-march": None,
        "https://lamps.example/wicks": None,
    }
    kept = {row["url"]: row for row in load(result.corpus)["train"]}
    wicks = kept["https://lamps.example/wicks"]
    assert (wicks["license"], wicks["license_place"]) == ("cc-by-nc-4.0", "rel")
    assert kept["https://gulls.example/late-march"]["license"] is None
    assert result.counts["license.other_licence_at_weaker_place"] == 1
    card = (result.corpus / result.version / "README.md").read_text()
    assert "| `content_usage` | `robots.txt` | no | yes | 1 |" in card
    assert "| `cc-by-nc-4.0` | `rel` | 1 |" in card
