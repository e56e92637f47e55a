"""List and open inputs at fsspec addresses; no secret of an address leaves this module."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from builder.domain.addresses import mask_values, split_query
from builder.errors import BuilderError, Fault, RecipeError
from builder.io.streams.address import Address, as_address
from builder.io.streams.globs import has_magic, split_glob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from builder.domain.addresses import Variables
    from builder.io.streams.globs import Glob

_WEB = ("http", "https")


class RemoteFile(NamedTuple):
    """A file at a remote address.

    ``name`` contains no secret. ``former_name`` is the name by the first rule of names, which kept query
    strings and values of variables.
    """

    address: Address
    name: str
    former_name: str
    size_bytes: int


class Listing(NamedTuple):
    """The files at or below an address.

    ``glob`` selects among them if the address has one; ``is_folder`` is true if it is that of a folder.
    """

    files: list[RemoteFile]
    glob: Glob | None = None
    is_folder: bool = False


def open_remote(address: str) -> Any:
    """Open a remote file for reading; errors are those of the library, and may contain secrets."""
    fs, path = _filesystem(as_address(address))
    return fs.open(path, "rb")


def remote_facts(address: str) -> dict[str, Any]:
    """Return what the remote reports about a file; empty if it cannot be asked."""
    try:
        fs, path = _filesystem(as_address(address))
        return dict(fs.info(path))
    except Exception:  # noqa: BLE001 - each library below fsspec has its own errors
        return {}


def explain(address: str, error: BaseException) -> str:
    """Describe an error of a library without the secrets of the address."""
    # the representation of an error of aiohttp has all headers of the request, a password among them
    return as_address(address).redact(f"{type(error).__name__}: {error}" if str(error) else repr(error))


def refused_redirect(error: BaseException) -> RedirectError | None:
    """Return the refused redirect that caused an error; libraries wrap it in errors of their own."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, RedirectError):
            return cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return None


# -- listing ---------------------------------------------------------------------------------------


def list_remote(pattern: Address) -> Listing:
    """List the files of a remote file, folder or glob.

    Raises:
        RecipeError: if the address does not exist or cannot be listed.
    """
    ask = partial(_ask, pattern)
    fs, path = ask(lambda: _filesystem(pattern))
    if ask(lambda: fs.isfile(path)):
        size = ask(lambda: fs.info(path)).get("size") or 0
        file = _remote(pattern, pattern.opened, _last_part(path), _last_part(_bare(path)), int(size))
        return Listing([file])
    body = _bare(path)
    query = path[len(body) :]
    found = partial(_below, pattern, fs, path, query=query)
    if query:  # as a part of a folder's URL, fsspec would take it for a part of each name
        fs, _ = ask(lambda: _filesystem(pattern, params=parse_qsl(query.lstrip("?"), keep_blank_values=True)))
    if ask(lambda: fs.isdir(body)):
        return Listing(list(found(body, ask(lambda: fs.find(body, detail=True)))), is_folder=True)
    if not has_magic(body):
        raise _absence(pattern, fs, path)
    root, glob = split_glob(body)
    listed = ask(lambda: fs.find(root, maxdepth=glob.depth, detail=True))
    return Listing(list(found(root, listed)), glob)


def _absence(pattern: Address, fs: Any, path: str) -> RecipeError:
    """Return the error of an address without a file; caches hide that a redirect was refused."""
    try:
        fs.info(path)
    except Exception as error:  # noqa: BLE001 - each library below fsspec has its own errors
        if redirect := refused_redirect(error):
            return refusal(pattern, redirect.what, redirect.advice)
    return refusal(pattern, "no such file or folder", "check the address and the credentials")


def _below(
    pattern: Address, fs: Any, path: str, root: str, listed: dict[str, Any], *, query: str
) -> Iterator[RemoteFile]:
    """Yield the listed files with their names below a folder; the query of the pattern opens each file."""
    prefix = root.rstrip("/") + "/" if root else ""
    for place, info in listed.items():
        if info.get("type", "file") == "file":
            name = place.removeprefix(prefix).lstrip("/")
            opened = _opened(pattern.opened, fs, path, place + query)
            yield _remote(pattern, opened, name, _bare(name), int(info.get("size") or 0))


def _remote(pattern: Address, opened: str, former: str, name: str, size_bytes: int) -> RemoteFile:
    """Name a file; the values of variables that the name was found by are replaced in it."""
    return RemoteFile(pattern.beside(opened), mask_values(name, _naming(pattern)), former, size_bytes)


def _naming(pattern: Address) -> Variables:
    """Return the variables that select names: those in the glob, or in the last part of a path.

    Other variables are left alone, because a name may contain the value of one by chance: without this rule,
    ``crawl/${YEAR}/*.jsonl`` would give the files of all years the same names.
    """
    path = _bare(pattern.opened.partition("::")[0])
    parts = path.rstrip("/").split("/")
    first = next((i for i, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
    selecting = "/".join(parts[first:])
    return tuple((name, value) for name, value in pattern.variables if value in selecting)


def _bare(path: str) -> str:
    """Return a path of fsspec without its query string; only paths of the web have one."""
    return split_query(path)[0]


def _last_part(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _opened(pattern: str, fs: Any, path: str, found: str) -> str:
    """Return the address that opens a found path: the chain of the pattern with another path.

    Args:
        path: the path of the pattern in its file system.
        found: the path of the file in the same file system.
    """
    first, chained, rest = pattern.partition("::")
    if chained and "://" not in first:  # a cache: its paths are those of the next link
        return f"{first}::{_opened(rest, fs, path, found)}"
    tail = f"::{rest}" if chained else ""
    if first.endswith(path):
        return f"{first.removesuffix(path)}{found}{tail}"
    protocol = first.partition("://")[0]
    return f"{protocol}://{found.lstrip('/')}{tail}" if chained else fs.unstrip_protocol(found)


def _ask(pattern: Address, question: Callable[[], Any]) -> Any:
    """Query a remote; the causes of its errors are dropped, because tracebacks would print their secrets."""
    try:
        return question()
    except BuilderError:
        raise
    except Exception as error:  # noqa: BLE001 - each library below fsspec has its own errors
        if redirect := refused_redirect(error):
            raise refusal(pattern, redirect.what, redirect.advice) from None
        if isinstance(error, (ImportError, ValueError)):
            what = f"the address cannot be opened: {pattern.redact(str(error))}"
            advice = "check the protocol of the address, or install the package that the message names"
            raise refusal(pattern, what, advice) from None
        advice = "check the address, the network and the credentials"
        raise refusal(pattern, f"cannot be listed: {explain(pattern, error)}", advice) from None


def refusal(where: str, what: str, advice: str) -> RecipeError:
    """Return the error of an address that selects no usable input."""
    return RecipeError(Fault(where=str(where), what=what, advice=advice))


# -- opening ---------------------------------------------------------------------------------------


def _filesystem(address: Address, **request: Any) -> tuple[Any, str]:
    """Open the file system of an address.

    Args:
        request: options of every HTTP request.
    """
    from fsspec.core import url_to_fs

    protocols = {link.partition("://")[0] for link in address.opened.split("::")}
    client = {"get_client": _client(address.redirect_hosts), **request}
    fs, path = url_to_fs(address.opened, **{one: client for one in _WEB if one in protocols})
    return fs, str(path)


@cache
def _client(redirect_hosts: tuple[str, ...]) -> Callable[..., Any]:
    """Return the function that opens sessions; fsspec shares a session among equal functions."""
    return partial(_open_session, redirect_hosts)


async def _open_session(redirect_hosts: tuple[str, ...], **options: Any) -> Any:
    import aiohttp

    async def check(_session: Any, _context: Any, redirect: Any) -> None:
        _check_redirect(redirect.response, redirect_hosts)

    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(check)
    return aiohttp.ClientSession(**options, trace_configs=[trace])


class RedirectError(Exception):
    """An HTTP server redirected a request to a host that the recipe does not name."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.what, self.advice = what, advice


def _check_redirect(response: Any, redirect_hosts: tuple[str, ...]) -> None:
    """Refuse a redirect that leaves the host, unless the recipe names the other host.

    Raises:
        RedirectError: the message names the hosts only, because the rest of a location may be a secret.
    """
    location = response.headers.get("Location") or response.headers.get("URI") or ""
    here = urlsplit(str(response.url))
    there = urlsplit(str(response.url.join(type(response.url)(location))))
    if "*" in redirect_hosts or (there.hostname or "") in redirect_hosts or _is_same_host(here, there):
        return
    if here.hostname == there.hostname:
        what = f"the server redirects from {_origin(here)} to {_origin(there)}"
    else:
        what = f"the server redirects from {here.hostname} to another host, {there.hostname}"
    advice = f"if you trust it, add `redirect_hosts: [{there.hostname}]` to the source"
    raise RedirectError(what, advice)


def _is_same_host(here: Any, there: Any) -> bool:
    """Return whether a redirect stays at one server; from ``http`` to ``https`` it does, not back."""
    if here.hostname != there.hostname:
        return False
    upgrades = (here.scheme, there.scheme) == ("http", "https") and {here.port, there.port} <= {None, 80, 443}
    return upgrades or (here.scheme, here.port) == (there.scheme, there.port)


def _origin(url: Any) -> str:
    return f"{url.scheme}://{url.hostname}" + (f":{url.port}" if url.port else "")
