"""Where machine code is kept."""

from __future__ import annotations

import os
import stat

import numpy as np
import pytest
from numba.core.errors import NumbaError

from builder.kernels import jit


@pytest.fixture
def nothing_chosen(monkeypatch, tmp_path):
    """Forget the folder that was chosen, and look for one below ``tmp_path`` only."""
    jit.cache_folder.cache_clear()
    monkeypatch.setattr(jit, "_HERE", tmp_path / "package")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(jit.tempfile, "gettempdir", lambda: str(tmp_path / "temp"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    yield tmp_path
    jit.cache_folder.cache_clear()


def test_places_in_their_order(nothing_chosen, monkeypatch):
    """Beside the sources first; where that cannot be written the next place, and at last none."""
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


def test_a_place_that_was_asked_for_comes_first(nothing_chosen, monkeypatch):
    """``NUMBA_CACHE_DIR`` is obeyed."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(nothing_chosen / "asked"))
    assert jit.cache_folder().parent == nothing_chosen / "asked"


def test_kernels_run_without_a_cache(nothing_chosen, monkeypatch):
    """Where nothing can be written, a kernel is compiled each time and still runs."""
    monkeypatch.setattr(jit, "_is_ours", lambda folder: False)

    def double(x):
        return x + x

    assert jit.kernel(double)(21) == 42


def test_a_kernel_that_makes_an_array_is_refused(nothing_chosen, monkeypatch):
    """Nobody counts references there, so memory would be lost; the other decorator is for that."""
    monkeypatch.setattr(jit, "_is_ours", lambda folder: False)  # what the other one keeps is not to be found

    def make(n):
        return np.zeros(n)

    with pytest.raises(NumbaError):
        jit.kernel(make)(2)
    assert jit.array_kernel(make)(2).tolist() == [0.0, 0.0]


def test_folders_of_others_are_not_trusted(tmp_path):
    """Machine code is unpickled: a folder that others can write to is not used."""
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


def test_needs_compiling_until_a_kernel_was_kept(nothing_chosen):
    """Before the first kernel has run there is no machine code, and one can say so."""
    assert jit.needs_compiling()
    kept = jit.cache_folder() / "kernels_0123"
    kept.mkdir()
    (kept / "words.fold-67.py311.nbi").touch()
    assert not jit.needs_compiling()


def test_digest_is_of_all_sources(monkeypatch, tmp_path):
    """A change in any file of the package gives another folder."""
    digests = set()
    for sources in ({"a.py": "x"}, {"a.py": "y"}, {"a.py": "x", "b.py": ""}):
        folder = tmp_path / str(len(digests))
        folder.mkdir()
        for name, text in sources.items():
            (folder / name).write_text(text)
        monkeypatch.setattr(jit, "_HERE", folder)
        digests.add(jit.sources_digest.__wrapped__())
    assert len(digests) == 3
