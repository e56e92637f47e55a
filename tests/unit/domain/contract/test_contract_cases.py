"""Cases of the built-in contracts: each file is accepted, or rejected for the reason in its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder.domain.contract.canonical_record import canonical_record
from builder.domain.contract.judge import judge_of
from builder.domain.fault_order import sort_faults
from builder.domain.json.exact import Broken
from builder.domain.json.text import parse
from builder.io.contracts import builtin_contract

CASES = Path(__file__).resolve().parents[3] / "contracts"


def reason_of(path: Path) -> str | None:
    contract = builtin_contract(path.relative_to(CASES).parts[0])
    parsed = parse(path.read_bytes())
    assert not isinstance(parsed, Broken)
    faults = parsed.faults or judge_of(contract).explain(parsed.value)
    if not faults:
        faults = sort_faults(parsed.value, canonical_record(parsed.value, contract.columns)[1])
    return faults[0].keyword if faults else None


def named(path: Path) -> str:
    return "/".join(path.relative_to(CASES).parts)


@pytest.mark.parametrize("path", sorted(CASES.glob("*/accept/*.json")), ids=named)
def test_a_file_in_accept_is_accepted(path: Path) -> None:
    """It has no fault and a canonical form."""
    assert reason_of(path) is None


@pytest.mark.parametrize("path", sorted(CASES.glob("*/reject/*.json")), ids=named)
def test_a_file_in_reject_is_rejected_for_the_reason_in_its_name(path: Path) -> None:
    """The reason of a rejection is its first fault."""
    assert path.name.partition("--")[0] == reason_of(path)


def test_there_are_cases_of_both_contracts() -> None:
    """Without files, the tests above would pass and test nothing."""
    kinds = {path.relative_to(CASES).parts[:2] for path in CASES.glob("*/*/*.json")}
    assert kinds >= {(name, kind) for name in ("page-1", "document-1") for kind in ("accept", "reject")}
