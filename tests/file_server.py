"""Serve files on the loopback interface to requests that know a token or a password."""

from __future__ import annotations

import base64
import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Site:
    """What a server answers.

    Attributes:
        files: content by path.
        tokens: accepted values of the query's `token`; None accepts every request.
        password: `user:password` that a request must have; empty for none.
        redirects: location by path.
        broken: paths whose transfer breaks off.
        asked: the requested paths, with their queries.
        ranges: whether it sends parts of files.
    """

    files: dict[str, bytes]
    tokens: set[str] | None = None
    password: str = ""
    redirects: Mapping[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    ranges: bool = True

    def url(self, path: str, *, host: str = "127.0.0.1", user: str = "") -> str:
        """Return the address of a path."""
        return f"http://{user + '@' if user else ''}{host}:{self.port}{path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        self.answer(body=True)

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def answer(self, *, body: bool) -> None:
        site = self.site
        site.asked.append(self.path)
        place = urlsplit(self.path)
        path = unquote(place.path)
        if path in site.redirects:
            self.reply(302, b"", body=body, Location=site.redirects[path])
        elif not self.allowed(place.query):
            self.reply(403, b"forbidden: " + self.path.encode(), body=body)
        elif path not in site.files:
            listed = _listing(site.files, path)
            self.reply(200 if listed else 404, listed or b"gone", body=body, Content_Type="text/html")
        elif path in site.broken and body:
            self.reply(200, site.files[path], body=False)
            self.close_connection = True
        else:
            self.serve(site.files[path], body=body)

    def allowed(self, query: str) -> bool:
        if self.site.password:
            given = self.headers.get("Authorization", "").removeprefix("Basic ")
            return base64.b64decode(given).decode() == self.site.password
        return self.site.tokens is None or parse_qs(query).get("token", [""])[0] in self.site.tokens

    def serve(self, data: bytes, *, body: bool) -> None:
        given = self.headers.get("Range", "")
        if not given or not self.site.ranges:
            self.reply(200, data, body=body, Accept_Ranges="bytes" if self.site.ranges else "none")
            return
        first, last = given.removeprefix("bytes=").split("-")
        part = data[int(first) : int(last or len(data)) + 1]
        place = f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
        self.reply(206, part, body=body, Content_Range=place, Accept_Ranges="bytes")

    def reply(self, status: int, data: bytes, *, body: bool, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: clients close connections in the middle of an answer."""


@contextlib.contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve a site while the block runs."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"site": site}))
    site.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _listing(files: Mapping[str, bytes], folder: str) -> bytes:
    """Return an index page with the names below a folder, as web servers write it; empty without files."""
    prefix = folder.rstrip("/") + "/"
    below = {path.removeprefix(prefix) for path in files if path.startswith(prefix)}
    names = sorted({name.split("/")[0] + ("/" if "/" in name else "") for name in below})
    return "".join(f'<a href="{name}">{name}</a>\n' for name in names).encode()
