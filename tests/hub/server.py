"""The HTTP server of the stand-in Hub: parse requests, route them, send answers."""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from hub import reading, writing
from hub.faults import PAGE, SLOW, SLOW_S, STATUSES, Entry, Fault, Log
from hub.store import Commit, File, Repo, Store
from hub.xet import Pieces

TOKEN = "hf_standin0123456789"

_N = r"(?P<name>[^/]+/[^/]+)"
_R = r"(?P<revision>[^/]+)"


class Hub(ThreadingHTTPServer):
    """The server with its repositories, Xet pieces and log."""

    daemon_threads = True

    def __init__(self, folder: Path, *, port: int = 0, xet: bool = False, page_size: int = 1000) -> None:
        super().__init__(("127.0.0.1", port), Request)
        self.store = Store(folder)
        self.pieces = Pieces(folder / "pieces") if xet else None
        self.page_size = page_size
        self.log = Log()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def large_size(self, sha256: str) -> int | None:
        """Return the size of a large file; None if it was not uploaded."""
        path = self.store.object_path(sha256)
        if path.exists():
            return path.stat().st_size
        found = self.pieces.find(sha256) if self.pieces else None
        return found[1] if found else None

    def xet_name(self, file: File) -> str | None:
        """Return the Xet name of a file that was uploaded in pieces."""
        found = self.pieces.find(file.sha256) if self.pieces and file.sha256 else None
        return found[0] if found else None

    def bytes_of(self, file: File) -> Path:
        """Return a file with the bytes; assemble its pieces if necessary."""
        path = self.store.path_of(file)
        if not path.exists() and self.pieces and file.sha256:
            whole = self.store.new_file()
            self.pieces.assemble(file.sha256, whole)
            whole.replace(path)
        return path

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that close the connection."""


class Request(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # otherwise each answer waits 40 ms for the acknowledgement of its headers
    server: Hub
    body: bytes
    entry: Entry
    fault: Fault | None

    @property
    def hub(self) -> Hub:
        """The server."""
        return self.server

    @property
    def method(self) -> str:
        """GET, HEAD and so on."""
        return self.command

    @property
    def authorized(self) -> bool:
        """Whether the request has the valid token."""
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def json(self) -> Any:
        """Read the body as JSON."""
        return json.loads(self.body)

    def form(self) -> dict[str, list[str]]:
        """Read the body as a form."""
        return parse_qs(self.body.decode()) if self.method == "POST" else {}

    def commit(self, repo: Repo, revision: str) -> Commit | None:
        """Find a commit; if it does not exist, answer with an error and return None."""
        found = self.hub.store.resolve(repo, revision)
        if found is None:
            self.refuse(404, f"Invalid rev id: {revision}", code="RevisionNotFound")
        return found

    # -- answers -----------------------------------------------------------------------------------

    def answer(self, document: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Answer with JSON."""
        data = json.dumps(document).encode()
        self.send(status, data, {"Content-Type": "application/json", **(headers or {})})

    def refuse(self, status: int, message: str, *, code: str = "", commit: str = "", **more: str) -> None:
        """Answer with an error."""
        headers = {"X-Error-Message": message}
        headers |= {"X-Error-Code": code} if code else {}
        headers |= {"X-Repo-Commit": commit} if commit else {}
        self.answer({"error": message, **more}, status=status, headers=headers)

    def send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Send an answer, or only a part of it if a fault is planned."""
        if self.fault and self.fault.kind == "lost":
            self.hang_up()
            return
        headers = dict(headers or {})
        headers.setdefault("Content-Length", str(len(body)))
        self.entry.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.method == "HEAD":
            body = b""
        if self.fault and self.fault.kind == "drop":
            self.wfile.write(body[: len(body) // 2])
            self.hang_up()
            return
        self.wfile.write(body)
        self.entry.bytes_out = len(body)

    def hang_up(self) -> None:
        """Close the connection without an answer."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *args: Any) -> None:
        """Write nothing to stderr; tests read the log by a request."""

    # -- dispatch ----------------------------------------------------------------------------------

    def handle_one(self) -> None:
        """Log the request; then fail if a fault is planned, else answer."""
        parts = urlsplit(self.path)
        self.path, self.query = parts.path, parse_qs(parts.query, keep_blank_values=True)
        if self.path.startswith("/-/"):
            self.entry, self.fault = Entry(0, self.method, self.path), None
            self.body = self._read(int(self.headers.get("Content-Length") or 0))
            _control(self)
            return
        self.entry, self.fault = self.hub.log.begin(self.method, self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if self.fault and self.fault.kind == "drop" and length:
            self._read(length // 2)
            self.hang_up()
            return
        self.body = self._read(length)
        if self.fault and self.fault.kind in STATUSES:
            fault, self.fault = self.fault, None
            headers = {"Retry-After": str(fault.retry_after_s)} if fault.kind == "429" else {}
            self.answer({"error": "as planned"}, status=int(fault.kind), headers=headers)
            return
        if self.fault and self.fault.kind == PAGE:
            self.send(200, b"<html>Please log in to this network.</html>", {"Content-Type": "text/html"})
            return
        if self.fault and self.fault.kind == SLOW:
            time.sleep(SLOW_S)
        try:
            _route(self)
        except (ValueError, KeyError, AssertionError, RuntimeError) as error:
            sys.stderr.write(f"{self.method} {self.path}: {error!r}\n")
            self.answer({"error": repr(error)}, status=500)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815 - the library's names

    def _read(self, length: int) -> bytes:
        data = self.rfile.read(length)
        self.entry.bytes_in += len(data)
        return data


def _control(request: Request) -> None:
    """Answer the control requests of tests."""
    if request.path == "/-/log":
        request.answer(request.hub.log.document())
    elif request.path == "/-/plan":
        request.hub.log.plan(request.json())
        request.answer({})
    elif request.path == "/-/pieces":
        request.answer(request.hub.pieces.n_bytes if request.hub.pieces else 0)
    else:
        request.refuse(404, "no such thing")


def _route(request: Request) -> None:
    changes = request.method in ("PUT", "DELETE") or (
        request.method == "POST" and not request.path.endswith("validate-yaml")
    )
    for method, pattern, action in ROUTES:
        match = re.fullmatch(pattern, request.path) if method == request.method else None
        if not match:
            continue
        found = {name: unquote(value) for name, value in match.groupdict().items()}
        if changes and not _is_open(request) and not request.authorized:
            request.refuse(401, "Invalid username or password.")
            return
        if "name" in found and not _may_see(request, found["name"]):
            request.refuse(
                401 if not request.authorized else 404, "Repository not found", code="RepoNotFound"
            )
            return
        action(request, **found)
        return
    request.refuse(404, f"no such route: {request.method} {request.path}")


def _is_open(request: Request) -> bool:
    """Return whether a request needs no token although its method is one for changes."""
    return "/paths-info/" in request.path or request.path.startswith("/lfs/")


def _may_see(request: Request, name: str) -> bool:
    repo = request.hub.store.repo(name)
    return repo is not None and (not repo.private or request.authorized)


def _reads(action: Callable[..., None]) -> Callable[..., None]:
    """Decorate an action so that it receives the repository instead of its name."""

    def read(request: Request, name: str, **found: str) -> None:
        repo = request.hub.store.repo(name)
        assert repo
        action(request, repo, **found)

    return read


def _main(request: Request, repo: Repo) -> None:
    reading.info(request, repo, "main")


def _top(request: Request, repo: Repo, revision: str) -> None:
    reading.tree(request, repo, revision, "")


def _token(request: Request, name: str, revision: str) -> None:
    writing.xet_token(request)


def _ref(kind: str, *, add: bool) -> Callable[..., None]:
    def change(request: Request, name: str, revision: str) -> None:
        if not add:
            writing.drop_ref(request, name, kind, revision)
            return
        asked = request.json() if request.body else {}
        if kind == "tag":
            writing.add_ref(request, name, kind, asked["tag"], revision)
        else:
            writing.add_ref(request, name, kind, revision, asked.get("startingPoint", "main"))

    return change


_API = f"/api/datasets/{_N}"
ROUTES: list[tuple[str, str, Callable[..., None]]] = [
    ("GET", "/api/whoami-v2", reading.who),
    ("POST", "/api/repos/create", writing.create),
    ("DELETE", "/api/repos/delete", writing.delete),
    ("POST", "/api/validate-yaml", writing.validate_yaml),
    ("POST", f"{_API}/preupload/{_R}", _reads(writing.preupload)),
    ("GET", f"{_API}/xet-(?:read|write)-token/{_R}", _token),
    ("POST", rf"/datasets/{_N}\.git/info/lfs/objects/batch", writing.lfs_batch),
    ("PUT", r"/lfs/(?P<sha256>[0-9a-f]{64})", writing.lfs_put),
    ("POST", "/lfs-verify/.*", writing.lfs_verify),
    ("POST", f"{_API}/commit/(?P<branch>[^/]+)", writing.commit),
    ("POST", f"{_API}/tag/{_R}", _ref("tag", add=True)),
    ("DELETE", f"{_API}/tag/{_R}", _ref("tag", add=False)),
    ("POST", f"{_API}/branch/{_R}", _ref("branch", add=True)),
    ("DELETE", f"{_API}/branch/{_R}", _ref("branch", add=False)),
    ("POST", f"{_API}/super-squash/(?P<branch>[^/]+)", writing.squash),
    ("GET", _API, _reads(_main)),
    ("GET", f"{_API}/revision/{_R}", _reads(reading.info)),
    ("GET", f"{_API}/refs", _reads(reading.refs)),
    ("GET", f"{_API}/commits/{_R}", _reads(reading.commits)),
    ("GET", f"{_API}/tree/{_R}", _reads(_top)),
    ("GET", f"{_API}/tree/{_R}/(?P<folder>.+)", _reads(reading.tree)),
    ("POST", f"{_API}/paths-info/{_R}", _reads(reading.paths_info)),
    ("HEAD", f"/datasets/{_N}/resolve/{_R}/(?P<path>.+)", _reads(reading.resolve)),
    ("GET", f"/datasets/{_N}/resolve/{_R}/(?P<path>.+)", _reads(reading.resolve)),
]
