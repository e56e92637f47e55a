"""Let atheris fuzz one source or grammar.

    python -m torture.guide source jsonl FOLDER 2000 1

FOLDER keeps the inputs that reached new code, so that later runs begin with them. The numbers are those of
inputs and of the seed. This module imports nothing of builder at its top: what is imported before atheris
instruments imports is not seen.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from contextlib import suppress
from pathlib import Path


def main(kind: str, what: str, folder: Path, n: int, seed: int) -> None:
    """Run atheris, which ends this process."""
    import atheris

    with atheris.instrument_imports(include=["builder"]):
        from torture import inputs

        fuzzed = {"source": inputs.SOURCES, "grammar": inputs.GRAMMARS}[kind][what]
        for name in fuzzed.modules:
            importlib.import_module(f"builder.{name}")
        from builder.errors import BuilderError

    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(fuzzed.seeds()):
        (folder / f"seed-{number}").write_bytes(data)

    def one(data: bytes) -> None:
        with tempfile.TemporaryDirectory() as scratch, suppress(BuilderError):
            fuzzed.call(data, Path(scratch))

    options = [f"-runs={n}", f"-seed={seed}", "-max_len=65536", "-timeout=60", "-rss_limit_mb=3000"]
    atheris.Setup([sys.argv[0], *options, str(folder)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
