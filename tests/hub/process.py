"""Start the stand-in Hub, and run programs against it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from hub.server import TOKEN

TESTS = Path(__file__).resolve().parents[1]


class StandIn:
    """A stand-in Hub in its own process; the end of ``with`` stops it.

    Programs without their own ``home`` run one after the other in one additional process.
    """

    def __init__(self, folder: Path, *, xet: bool = False, page_size: int = 1000, port: int = 0) -> None:
        self.folder, self.xet = folder, xet
        command = [
            sys.executable,
            "-m",
            "hub",
            str(folder),
            "--page-size",
            str(page_size),
            "--port",
            str(port),
        ]
        self._process = subprocess.Popen(
            [*command, *(["--xet"] if xet else [])], cwd=TESTS, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        assert self.url, "the stand-in did not start"
        self._worker: subprocess.Popen[str] | None = None

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the server; its folder keeps the data."""
        for process in filter(None, (self._worker, self._process)):
            process.kill()
            process.wait()
            for stream in filter(None, (process.stdin, process.stdout)):
                stream.close()
        self._worker = None

    def clear(self) -> None:
        """Delete all repositories, large files, planned faults and logged requests."""
        for name in ("repos", "objects"):
            shutil.rmtree(self.folder / name)
            (self.folder / name).mkdir()
        self.plan()

    # -- log and planned faults --------------------------------------------------------------------

    def log(self) -> list[dict[str, Any]]:
        """Return all requests since the last plan."""
        found: list[dict[str, Any]] = self._ask("/-/log")
        return found

    def plan(self, *faults: dict[str, Any]) -> None:
        """Plan these faults, and count requests from 1 again."""
        self._ask("/-/plan", json.dumps(faults).encode())

    def bytes_of_pieces(self) -> int:
        """Return the number of bytes that Xet clients have written."""
        return int(self._ask("/-/pieces"))

    def _ask(self, path: str, data: bytes | None = None) -> Any:
        with urllib.request.urlopen(self.url + path, data=data, timeout=30) as answer:
            return json.loads(answer.read())

    # -- programs ----------------------------------------------------------------------------------

    def environment(self, home: Path, *, token: str | None = TOKEN) -> dict[str, str]:
        """Return the environment of a program that uses this server as the Hub, with its own cache."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        xet = {} if self.xet else {"HF_HUB_DISABLE_XET": "1"}
        return {
            **kept,
            **xet,
            **({"HF_TOKEN": token} if token else {}),
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "PYTHONUNBUFFERED": "1",
        }

    def python(
        self,
        code: str,
        *arguments: str | Path,
        home: Path | None = None,
        token: str | None = TOKEN,
        timeout_s: float = 300,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program against the server until it ends; with ``home``, in its own process."""
        if home is None:
            return self._run(code, list(map(str, arguments)), cwd)
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env=self.environment(home, token=token),
            cwd=cwd,
        )

    def builder(self, *arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command of builder against the server; the options are those of ``python``."""
        return self.python("from builder.cli import main; main()", *arguments, **options)

    def _run(self, code: str, arguments: list[str], cwd: Path | None) -> subprocess.CompletedProcess[str]:
        if self._worker is None:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "hub.worker"],
                cwd=TESTS,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=self.environment(self.folder / "home"),
            )
        assert self._worker.stdin
        assert self._worker.stdout
        asked = {"code": code, "arguments": arguments, "cwd": str(cwd) if cwd else None}
        self._worker.stdin.write(json.dumps(asked) + "\n")
        self._worker.stdin.flush()
        return subprocess.CompletedProcess(args=arguments, **json.loads(self._worker.stdout.readline()))
