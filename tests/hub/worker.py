"""Run programs one after the other in one process, because importing the real clients takes long.

It reads a JSON line for each program, ``{"code": ..., "arguments": [...]}``, and answers with one.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import traceback
from typing import Any


def run(code: str, arguments: list[str], cwd: str | None) -> dict[str, Any]:
    """Run a program as ``python -c`` does; return its status and its output."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    sys.argv = ["-c", *arguments]
    os.chdir(cwd or "/")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            exec(compile(code, "<program>", "exec"), {"__name__": "__main__"})
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
        except BaseException:  # noqa: BLE001 - the next program must run
            traceback.print_exc()
            status = 1
    return {"returncode": status, "stdout": out.getvalue(), "stderr": err.getvalue()}


def main() -> None:
    """Answer until stdin ends; output that libraries write to file descriptor 1 goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(run(**json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
