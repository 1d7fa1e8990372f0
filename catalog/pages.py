"""The page at `/` and at `GET /graphql`, and the published schemas of our facets."""

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ingest import spec

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"

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
<p>This server keeps OpenLineage events, projects them into a graph and answers questions about it.</p>
<h2>Send events</h2>
<pre><code>OPENLINEAGE_URL={origin}</code></pre>
<h2>Ask</h2>
<pre><code>curl {origin}/graphql -H 'Content-Type: application/json' -d '{query}'</code></pre>
<p>Health: <a href="/readyz">/readyz</a>, metrics: <a href="/metrics">/metrics</a>.</p>
</html>
"""

_QUERY = '{"query":"{ log { size root projection { store offset lagSeconds } } }"}'


def _page(request: Request) -> Response:
    origin = f"{request.url.scheme}://{request.headers.get('host', 'localhost')}"
    body = _BODY.replace("{origin}", escape(origin)).replace("{query}", escape(_QUERY))
    headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "X-Content-Type-Options": "nosniff"}
    return HTMLResponse(body, headers=headers)


def _style(request: Request) -> Response:
    return Response(_STYLE, media_type="text/css")


def _schema(request: Request) -> Response:
    name, version = request.path_params["name"], request.path_params["version"]
    found = spec.schema(name, version)
    if found is None:
        message = f"No facet schema {name} of version {version} is published here."
        return JSONResponse({"error": {"code": "NOT_FOUND", "message": message, "pointer": ""}}, 404)
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(found, media_type="application/schema+json", headers=headers)


async def graphql_page(scope: Scope, receive: Receive, send: Send) -> None:
    """What a browser gets at `/graphql`."""
    await _page(Request(scope, receive))(scope, receive, send)


def page_routes() -> list[Route]:
    return [
        Route("/", _page),
        Route("/style.css", _style),
        Route("/spec/facets/{version}/{name}.json", _schema),
    ]
