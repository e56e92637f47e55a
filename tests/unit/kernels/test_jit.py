"""The cache of machine code: its folder, and what decides that a kernel must be compiled."""

from __future__ import annotations

import os
import stat

import numpy as np
import pytest
from numba.core.errors import NumbaError

from builder.kernels import jit


@pytest.fixture
def nothing_chosen(monkeypatch, tmp_path):
    """Clear the cached choice of a folder, and look for one only below ``tmp_path``."""
    jit.cache_folder.cache_clear()
    monkeypatch.setattr(jit, "_HERE", tmp_path / "package")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(jit.tempfile, "gettempdir", lambda: str(tmp_path / "temp"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(jit, "is_compiling", lambda: True)  # choosing a folder does not compile
    yield tmp_path
    jit.cache_folder.cache_clear()


def test_the_first_folder_that_can_be_written_is_the_cache(nothing_chosen, monkeypatch):
    """The folder next to the sources comes first; if none can be written, there is no cache."""
    name = f"kernels-{jit.sources_digest()}"
    expected = ["package/__pycache__", "home/builder", None]
    for place in expected[:2]:
        assert jit.cache_folder() == nothing_chosen / place / name
        folder = nothing_chosen / place
        (folder / name).rmdir()
        folder.rmdir()
        folder.write_text("a file stands where the folder would be")
        jit.cache_folder.cache_clear()
    assert jit.cache_folder() == nothing_chosen / "temp" / f"builder-{os.getuid()}-{name}"
    jit.cache_folder.cache_clear()
    monkeypatch.setattr(jit, "_is_ours", lambda folder: False)
    assert jit.cache_folder() is None
    assert jit.needs_compiling()


def test_the_folder_in_numba_cache_dir_comes_first(nothing_chosen, monkeypatch):
    """A user who sets ``NUMBA_CACHE_DIR`` expects machine code there."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(nothing_chosen / "asked"))
    assert jit.cache_folder().parent == nothing_chosen / "asked"


def test_kernels_run_without_a_cache(nothing_chosen, monkeypatch):
    """If no folder can be written, a kernel is compiled in each process and still runs."""
    monkeypatch.setattr(jit, "_is_ours", lambda folder: False)

    def double(x):
        return x + x

    assert jit.kernel(double)(21) == 42


@pytest.mark.skipif(not jit.is_compiling(), reason="the compiler refuses it, and nothing is compiled")
def test_a_kernel_that_creates_an_array_is_refused(nothing_chosen, monkeypatch):
    """``kernel`` counts no references, so memory would leak; ``array_kernel`` is for such functions."""
    monkeypatch.setattr(jit, "_is_ours", lambda folder: False)  # do not find the cache of the other decorator

    def make(n):
        return np.zeros(n)

    with pytest.raises(NumbaError):
        jit.kernel(make)(2)
    assert jit.array_kernel(make)(2).tolist() == [0.0, 0.0]


def test_a_folder_that_others_can_write_to_is_not_used(tmp_path):
    """numba unpickles machine code, so another user could run code in this process."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    assert not jit._is_ours(folder)
    folder.chmod(0o700)
    assert jit._is_ours(folder)
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert not jit._is_ours(link)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_kernels_need_compiling_until_one_is_cached(nothing_chosen):
    """The command line announces that the first run takes seconds."""
    assert jit.needs_compiling()
    kept = jit.cache_folder() / "kernels_0123"
    kept.mkdir()
    (kept / "words.fold-67.py311.nbi").touch()
    assert not jit.needs_compiling()


def test_a_change_in_any_source_file_changes_the_digest(monkeypatch, tmp_path):
    """The digest names the cache folder, so a kernel never runs with outdated machine code."""
    digests = set()
    for sources in ({"a.py": "x"}, {"a.py": "y"}, {"a.py": "x", "b.py": ""}):
        folder = tmp_path / str(len(digests))
        folder.mkdir()
        for name, text in sources.items():
            (folder / name).write_text(text)
        monkeypatch.setattr(jit, "_HERE", folder)
        digests.add(jit.sources_digest.__wrapped__())
    assert len(digests) == 3


def test_kernels_run_as_python(monkeypatch):
    """If nothing is compiled, a kernel is its own source, and a uint64 wraps around without a warning."""
    monkeypatch.setattr(jit, "is_compiling", lambda: False)

    def square(x):
        return x * x

    run = jit.kernel(square)
    assert run.__wrapped__ is square
    assert run(np.uint64(2**63 + 1)) == 1
    with pytest.warns(RuntimeWarning, match="overflow"):
        square(np.uint64(2**63 + 1))
    assert jit.instruction(lambda: None)(square) is square
    assert not jit.needs_compiling()
