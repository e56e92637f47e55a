"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from collected import COLLECTED
from hypothesis import HealthCheck, settings
from kernel_calls import fewer
from sampling import beyond, mark_long

from builder.engines.zygote import keep_idle

settings.register_profile(
    "builder",
    deadline=None,
    derandomize=True,
    max_examples=fewer(100, 25),
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("builder")

keep_idle(ignored=["PYTEST_CURRENT_TEST"], preload=["loaded_kernels"])

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make coverage`."""
    text = "run at most N cases of each test, and few examples of each law"
    parser.addoption("--cases", type=int, metavar="N", help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Use few examples if few cases are asked for."""
    if config.getoption("cases"):
        settings.register_profile("few", parent=settings.get_profile("builder"), max_examples=25)
        settings.load_profile("few")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Record the files with tests before any is deselected, mark the long cases, and keep `--cases`."""
    config.stash[COLLECTED] = frozenset(item.path for item in items)
    mark_long(items)
    if n_wanted := config.getoption("cases"):
        left_out = beyond(items, n_wanted)
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real data; tests that need it are skipped if it does not exist."""
    folder = Path(os.environ.get("BUILDER_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "README.md").is_file():
        pytest.skip(f"no real data in {folder} (set BUILDER_TEST_DATA to the folder of the data)")
    return folder
