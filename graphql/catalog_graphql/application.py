"""GraphQL over HTTP and WebSocket: what is switched off, what is refused, and how answers are written."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from math import ceil
from typing import Any

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError, MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData, process_result
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType
from strawberry.types.unset import UnsetType

from catalog.access import Access
from catalog.erasure.eraser import Eraser
from catalog.errors import LinewardError, NotFoundError, RetryableError, UnauthenticatedError
from catalog.log.entry import Entry
from catalog.principal import CHALLENGE, LOCAL, Principal
from catalog.read_audit import ReadAudit
from catalog.refusal import SlowBodyError, status_of
from catalog_graphql.desk import Desk, Sources
from catalog_graphql.limits import Limits, TooSlowError
from catalog_graphql.media import RESPONSE, is_json, preferred
from catalog_graphql.mistakes import as_json
from catalog_graphql.progress import PolledProgress, Progress
from catalog_graphql.schema import schema
from catalog_graphql.shares import CallersDesk, Shares
from catalog_graphql.sockets import WatchedHandler
from catalog_graphql.trusted import TrustedDocuments
from policies.governance import Governance

PrincipalOf = Callable[[Mapping[str, str]], Principal | Awaitable[Principal]]

NOBODY = Principal("nobody", None, ())
CSRF_HEADER = "X-Lineward-CSRF"
_THREADS = 32
_BY_POST = frozenset({OperationType.QUERY, OperationType.MUTATION})

BAD_REQUEST = "BAD_REQUEST"


def open_to_all(headers: Mapping[str, str]) -> Principal:
    return LOCAL


def create_graphql(
    access: Access,
    entry: Callable[[int], Entry],
    *,
    principal_of: PrincipalOf = open_to_all,
    governance: Governance | None = None,
    eraser: Eraser | None = None,
    progress: Progress | None = None,
    digest: Callable[[], str | None] = lambda: None,
    page: ASGIApp | None = None,
    allowed_origins: Sequence[str] = (),
    trusted: TrustedDocuments | None = None,
    audit: ReadAudit | None = None,
    refused: Callable[[str], None] = lambda _code: None,
    limits: Limits | None = None,
) -> ASGIApp:
    """The application for the route /graphql, HTTP and WebSocket.

    `principal_of` says who asks, from the headers of a request or what a WebSocket's `connection_init` holds in their
    place (UnauthenticatedError for nobody known), at once or as something to await: an issuer's keys may have to be
    fetched. `governance` is what policies need, `eraser` what erasures need; without it they are refused.
    `entry` reads an entry of the log (NotFoundError beyond it), `digest` tells the last digest of the graph that was
    computed, `page` answers GET. WebSockets are taken from the same origin and from `allowed_origins`. `trusted` are
    documents that may be asked for by their SHA-256, and that may be all that are run. `audit` hears who asks what,
    `refused` the code of each request that was not executed.
    """
    executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="lineward-graphql")
    watched = progress or PolledProgress(access.offset)
    sources = Sources(access, entry, watched, executor, digest, governance, audit=audit, eraser=eraser)
    trusted, limits = trusted or TrustedDocuments(), limits or Limits()
    return Application(sources, principal_of, page, allowed_origins, trusted, limits, refused)


class Application(GraphQL[Desk, None]):
    """Operations by POST and by graphql-transport-ws; never by GET, which a link on any page could send."""

    def __init__(
        self,
        sources: Sources,
        principal_of: PrincipalOf,
        page: ASGIApp | None,
        allowed_origins: Sequence[str],
        trusted: TrustedDocuments,
        limits: Limits,
        refused: Callable[[str], None],
    ) -> None:
        super().__init__(
            schema(),
            graphql_ide=None,
            allow_queries_via_get=False,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=timedelta(seconds=limits.init_seconds),
            max_subscriptions_per_connection=limits.subscriptions,
            allowed_origins=allowed_origins,
        )
        self._sources = sources
        self._principal_of = principal_of
        self._page = page
        self._trusted = trusted
        self._limits = limits
        self._refused = refused
        self._shares = Shares(limits)
        self.graphql_transport_ws_handler_class = type("Handler", (WatchedHandler,), {"limits": limits})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") and self._page is not None:
            await self._page(scope, receive, send)
        else:
            response = await self._answer(scope, receive)
            await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        try:
            _check(scope)
            return await self.run(Request(scope, receive=_bounded(receive, self._limits)))
        except HTTPException as refusal:
            self._refused(BAD_REQUEST)
            return _refused(refusal)
        except LinewardError as error:
            self._refused(error.code)
            return _not_run(error)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> CallersDesk:
        """Who opens a WebSocket may still say who it is: a browser's cannot send headers."""
        try:
            return self._desk(await self._principal(request.headers), request.headers)
        except UnauthenticatedError:
            if isinstance(request, Request):
                raise
            return self._desk(NOBODY, {})

    async def on_ws_connect(self, context: Desk) -> UnsetType | dict[str, object] | None:
        """`{"authorization": "Bearer …"}` in the payload of `connection_init` counts before the handshake's header."""
        assert isinstance(context, CallersDesk)
        told = context.connection_params.get("authorization")
        if isinstance(told, str):
            context.headers = {"authorization": told}
        try:
            await self.authenticate(context)
        except LinewardError as error:
            raise ConnectionRejectionError from error
        return await super().on_ws_connect(context)

    async def authenticate(self, desk: CallersDesk) -> None:
        """Let the desk have the rights that its credentials give by now; UnauthenticatedError for none."""
        desk.turn_to(await self._principal(desk.headers))

    def _desk(self, principal: Principal, headers: Mapping[str, str]) -> CallersDesk:
        return CallersDesk(self._sources, principal, headers, self._shares, self._limits, self._trusted)

    async def _principal(self, headers: Mapping[str, str]) -> Principal:
        found = self._principal_of(headers)
        return found if isinstance(found, Principal) else await found

    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Desk,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        assert isinstance(context, CallersDesk)
        try:
            with context.share.operation():
                async with asyncio.timeout(self._limits.operation_seconds):
                    return await self.schema.execute(
                        request_data.query,
                        variable_values=request_data.variables,
                        context_value=context,
                        operation_name=request_data.operation_name,
                        allowed_operation_types=_BY_POST,
                    )
        except TimeoutError as error:
            raise TooSlowError(
                f"The operation took more than {self._limits.operation_seconds:g} s.",
                "Ask for less at once. What it was to change may still change: look before you send it again.",
            ) from error
        except MissingQueryError as error:
            raise HTTPException(400, "The body has no query.") from error
        except CannotGetOperationTypeError as error:
            raise HTTPException(400, error.as_http_error_reason()) from error
        except InvalidOperationTypeError as error:
            raise HTTPException(400, "Subscriptions are opened by WebSocket, with graphql-transport-ws.") from error

    # What is written -------------------------------------------------------------------------------------------

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        response = await super().get_sub_response(request)
        response.media_type = preferred(request.headers.get("accept", ""))
        return response

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        """A request that never ran has no `data` entry (GraphQL specification, section 7.1)."""
        answer = process_result(result)
        if result.data is None and _is_request_error(result.errors):
            del answer["data"]
            first = (result.errors or [])[0]
            self._refused(str((first.extensions or {}).get("code", BAD_REQUEST)))
        return answer

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        """`application/json` always answers 200; the newer type says 400 where nothing ran."""
        ran = "data" in response_data
        status = 400 if sub_response.media_type == RESPONSE and not ran else 200
        return Response(orjson.dumps(response_data), status, media_type=sub_response.media_type)

    def encode_json(self, data: object) -> str:
        """For WebSockets, whose browser clients expect text frames."""
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)

    def parse_json(self, data: str | bytes) -> Any:
        parsed = super().parse_json(data)
        if not isinstance(parsed, dict):
            raise HTTPException(400, "The body is no JSON object; send one operation a request.")
        if "documentId" in parsed and "query" not in parsed:
            parsed["query"] = self._trusted.text(parsed["documentId"])
        return parsed


def _check(scope: Scope) -> None:
    headers = Headers(scope=scope)
    if scope["method"] != "POST":
        raise HTTPException(405, "Operations are sent by POST.")
    if not is_json(headers.get("content-type", "")):
        raise HTTPException(415, "Send application/json.")
    if "cookie" in headers and "authorization" not in headers and CSRF_HEADER not in headers:
        raise HTTPException(403, f"A request with a cookie needs the header {CSRF_HEADER}, with any value.")


def _bounded(receive: Receive, limits: Limits) -> Receive:
    """The same messages, until the body is longer than an operation ever is, in bytes or in time.

    A wait for what comes after the body is one for the other side to leave, and takes as long as it takes.
    """
    left = limits.body
    now = asyncio.get_running_loop().time
    deadline = now() + limits.body_seconds
    complete = False

    async def bounded() -> Message:
        nonlocal left, complete
        wait = None if complete else max(0.0, min(limits.chunk_seconds, deadline - now()))
        try:
            async with asyncio.timeout(wait):
                message = await receive()
        except TimeoutError as error:
            raise SlowBodyError(f"The body took more than {limits.body_seconds:g} s.", "Send it again.") from error
        left -= len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if left < 0:
            raise HTTPException(413, f"A request may have {limits.body:,} bytes.")
        return message

    return bounded


def _refused(refusal: HTTPException) -> Response:
    headers = {"Allow": "POST"} if refusal.status_code == 405 else {}
    error = {"message": refusal.reason, "extensions": {"code": BAD_REQUEST}}
    return _not_answered([error], refusal.status_code, headers)


def _not_run(error: LinewardError) -> Response:
    """What is wrong with the request as such, whatever it asks."""
    headers: dict[str, str] = {}
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = CHALLENGE
    if isinstance(error, RetryableError):
        headers["Retry-After"] = str(ceil(error.retry_after))
    status = 400 if isinstance(error, NotFoundError) else status_of(error)
    return _not_answered([as_json(error)], status, headers)


def _not_answered(errors: list[dict[str, Any]], status: int, headers: dict[str, str]) -> Response:
    """Something of the body may be unread: the connection is of no more use."""
    headers |= {"Connection": "close"} if status in (408, 413) else {}
    return Response(orjson.dumps({"errors": errors}), status, headers, "application/json")


def _is_request_error(errors: list[GraphQLError] | None) -> bool:
    return bool(errors) and all(error.path is None for error in errors or ())
