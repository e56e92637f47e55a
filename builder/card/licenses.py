"""Find the URL of a licence's text, for those licence ids of the Hub that name a single licence."""

from __future__ import annotations

import re

_CREATIVE_COMMONS = re.compile(r"cc-(by(?:-nc)?(?:-nd|-sa)?)-([0-9.]+)")

# fmt: off
_SPDX = [
    "AFL-3.0", "AGPL-3.0-only", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause",
    "BSD-3-Clause-Clear", "BSL-1.0", "C-UDA-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0",
    "CDLA-Sharing-1.0", "ECL-2.0", "EPL-1.0", "EPL-2.0", "EUPL-1.1", "GPL-2.0-only", "GPL-3.0-only", "ISC",
    "LGPL-2.1-only", "LGPL-3.0-only", "LGPLLR", "LPPL-1.3c", "MIT", "MPL-2.0", "MS-PL", "NCSA",
    "ODC-By-1.0", "ODbL-1.0", "OFL-1.1", "OSL-3.0", "PDDL-1.0", "PostgreSQL", "Unlicense", "WTFPL", "Zlib",
    "etalab-2.0",
]
# fmt: on

_NAMED_OTHERWISE = {
    "c-uda": "C-UDA-1.0",
    "odc-by": "ODC-By-1.0",
    "odbl": "ODbL-1.0",
    "pddl": "PDDL-1.0",
    "lgpl-lr": "LGPLLR",
}


def license_url(license_id: str) -> str | None:
    """Return the URL of a licence's text; None for licence families, unknown licences and custom licences.

    >>> license_url("cc-by-sa-4.0")
    'https://creativecommons.org/licenses/by-sa/4.0/'
    >>> license_url("gpl-3.0")
    'https://spdx.org/licenses/GPL-3.0-only.html'
    """
    known = license_id.lower()
    if known == "cc0-1.0":
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    if match := _CREATIVE_COMMONS.fullmatch(known):
        return f"https://creativecommons.org/licenses/{match[1]}/{match[2]}/"
    spdx = _NAMED_OTHERWISE.get(known) or _by_lower_case().get(known)
    return f"https://spdx.org/licenses/{spdx}.html" if spdx else None


def _by_lower_case() -> dict[str, str]:
    return {name.lower().removesuffix("-only"): name for name in _SPDX}
