"""The example of a stage in CONTRIBUTING.md works as it is pasted."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[3] / "CONTRIBUTING.md"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Import the stage of the example under its name, and return what its test file defines."""
    section = PAGE.read_text(encoding="utf-8").split("## Add a stage")[1].split("\n## ")[0]
    stage, tests = map(textwrap.dedent, re.findall(r"   ```python\n(.*?)   ```", section, flags=re.DOTALL))
    module = ModuleType("builder.stages.drop_short")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(stage, "drop_short.py", "exec"), vars(module))
    names: dict[str, Any] = {"__name__": "test_drop_short"}
    exec(compile(tests, "test_drop_short.py", "exec"), names)
    return names


def test_the_tests_of_the_example_pass(
    example: dict[str, Any], pages: Any, resources: Any, guard: Any
) -> None:
    """A newcomer who pastes both blocks sees green tests."""
    example["test_a_text_with_fewer_characters_is_rejected"](pages, resources, guard)
    example["test_a_chain_without_text_is_refused"](resources)
    assert len([name for name in example if name.startswith("test_")]) == 2
