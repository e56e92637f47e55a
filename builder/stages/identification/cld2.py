"""Ask CLD2 for the language of a text."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from builder.errors import Fault, RecipeError
from builder.stages.identification.findings import UNKNOWN_LANGUAGE

_PACKAGE = "pycld2"
_INSTALL = "pip install 'nlp-corpus-builder[cld2]'"

_NONCHARACTERS = "".join(
    f"\\U{plane << 16 | 0xFFFE:08x}\\U{plane << 16 | 0xFFFF:08x}" for plane in range(1, 17)
)
_REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff"
    + _NONCHARACTERS.encode().decode("unicode_escape")
    + "]+"
)
"""Characters for which CLD2 calls a valid text invalid: controls and noncharacters."""


def check_installed() -> None:
    """Check that CLD2 can be imported.

    Raises:
        RecipeError: with the line that installs it.
    """
    try:
        _detector()
    except ImportError as error:
        what = f"agree: cld2 needs the package {_PACKAGE}: {' '.join(str(error).split())}"
        raise RecipeError(Fault(where="language", what=what, advice=f"install it: {_INSTALL}")) from None


def find_language(text: str) -> str:
    """Return CLD2's tag of the language, or ``und`` if CLD2 does not call its answer reliable."""
    is_reliable, _, languages = _detector()(
        _REFUSED.sub(" ", text).encode(), isPlainText=True, bestEffort=False
    )
    tag = str(languages[0][1])
    return tag if is_reliable and tag != "un" else UNKNOWN_LANGUAGE


@cache
def _detector() -> Any:
    import pycld2

    return pycld2.detect
