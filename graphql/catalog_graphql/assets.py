"""The explorer's files as the build left them, served so that a browser may keep them and nobody may frame them."""

from pathlib import Path

import orjson
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from catalog_graphql.stamp import STATIC

_BASE = "base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'"
POLICY = f"default-src 'self'; img-src 'self' blob:; {_BASE}"
CONSOLE_POLICY = (
    f"{POLICY}; style-src 'self' 'unsafe-inline'; font-src 'self' data:"  # what its editor cannot do without
)

SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


def has_explorer(static: Path = STATIC) -> bool:
    return (static / "index.html").is_file()


def explorer_operations(static: Path = STATIC) -> tuple[str, ...]:
    """The texts of all operations that the explorer sends, to the byte; none where it was not built."""
    written = static / "gql" / "operations.json"
    return tuple(orjson.loads(written.read_bytes())) if written.is_file() else ()


def explorer_page(static: Path = STATIC) -> Response:
    """The application; which of its pages is shown, the address says."""
    return _page(static / "index.html", POLICY)


def console_page(static: Path = STATIC) -> Response:
    """The GraphQL console: a document of its own, since its editor needs a wider policy than the other pages have."""
    return _page(static / "graphql.html", CONSOLE_POLICY)


def asset_routes(static: Path = STATIC) -> list[Mount]:
    """`/assets`, whose names hold a digest of their content, and `/about`, the icon and the licences."""
    return [
        Mount("/assets", GZipMiddleware(Files(static / "assets", _FOR_EVER), compresslevel=6), name="assets"),
        Mount("/about", GZipMiddleware(Files(static / "about", _ASK_AGAIN)), name="about"),
    ]


def _page(file: Path, policy: str) -> Response:
    headers = {**SAFE, "Content-Security-Policy": policy, "Cache-Control": _ASK_AGAIN}
    return FileResponse(file, media_type="text/html", headers=headers)


class Files(StaticFiles):
    """One folder, which may be missing: then nothing is found in it."""

    def __init__(self, folder: Path, kept: str) -> None:
        super().__init__(directory=folder, check_dir=False)
        self._kept = kept
        self.config_checked = True

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update({**SAFE, "Content-Security-Policy": POLICY})
        if response.status_code < 400:
            response.headers["Cache-Control"] = self._kept
        return response
