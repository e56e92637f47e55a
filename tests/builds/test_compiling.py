"""The first run compiles the kernels that it needs, and no others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from planted import sentence, write_lines

BUILD = """
import json, sys
from builder.cli.main import main
try:
    main()
except SystemExit as end:
    assert not end.code
print(json.dumps(sorted(sys.modules)))
"""


def test_a_first_build_compiles_only_what_it_needs(tmp_path: Path) -> None:
    """Kernels of other stages are not compiled. The compiler comes without scipy, which it does not need."""
    write_lines(tmp_path / "a.jsonl", [{"text": sentence(i)} for i in range(5)])
    recipe = {
        "name": "cold",
        "sources": [{"jsonl": {"path": "a.jsonl"}}],
        "stages": [{"dedup_exact": {}}],
        "corpus": "out",
    }
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe))
    run = subprocess.run(
        [sys.executable, "-c", BUILD, "build", str(tmp_path / "recipe.yaml"), "--workers", "2"],
        env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kernels")},
        capture_output=True,
        text=True,
        check=True,
    )
    compiled = {path.name.split(".")[0] for path in (tmp_path / "kernels").rglob("*.nbi")}
    assert compiled <= {"bits", "encoding", "json_escapes", "json_strings", "tidy"}
    assert "compiling the kernels that this run needs" in run.stderr
    assert "scipy" not in json.loads(run.stdout.splitlines()[-1])
