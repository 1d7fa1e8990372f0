"""The composition root: the log, the projector's process, the graph and every door, wired into one server."""

import gc
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING

import orjson
import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route, WebSocketRoute

from catalog.access import Access
from catalog.authority.administration import Administration
from catalog.authority.authenticator import Authenticator
from catalog.authority.pepper import Pepper
from catalog.authority.roll import Roll
from catalog.authority.routes import authority_routes
from catalog.authority.standing import Authority
from catalog.composition import (
    access,
    create_log,
    empty_if_ahead,
    eraser,
    evaluation_worker,
    limits,
    log_clock,
    open_graph,
    read_audit,
    signer,
)
from catalog.erasure.eraser import Eraser
from catalog.errors import CorruptLogError, InvalidInputError, LinewardError, NotFoundError, RetryableError
from catalog.graph.contract import GraphStore
from catalog.hardening import (
    AllowedHosts,
    CheckHost,
    ConnectionLimits,
    LetGo,
    SecurityHeaders,
    affordable,
    patient_protocol,
)
from catalog.health import Health, Published, health_routes
from catalog.log.checkpoint_log import CheckpointLog
from catalog.log.checkpoint_settings import checkpoint_log
from catalog.log.entry import EntryType, Receipt, Submission
from catalog.log.reader import LogReader
from catalog.log.writer import LogWriter, microseconds_now
from catalog.openapi import openapi_routes
from catalog.pages import graphql_page, page_routes
from catalog.principal import Scope
from catalog.read_audit import ReadAudit
from catalog.settings import Settings
from catalog.supervision import SupervisedChild
from catalog.telemetry import CountRequests, Metrics, configure_logging
from catalog.tracing import configure_tracing
from catalog.transparency import Transparency, transparency_routes
from catalog_graphql.application import create_graphql
from catalog_graphql.assets import CONSOLE_POLICY, POLICY, explorer_operations
from catalog_graphql.trusted import TrustedDocuments, shipped, trusted_documents
from ingest.http import LineageDoor
from ingest.http import routes as lineage_routes
from ingest.intake import Intake
from policies.compliance.http import ComplianceDoor, compliance_routes
from policies.compliance.matrix import Matrix
from policies.governance import Governance, governance
from policies.http import GateDoor, gate_routes
from policies.lapse import FindingKind, findings
from policies.watch.acts import acts_between, others_between
from policies.watch.watching import Watching, watched

if TYPE_CHECKING:
    from catalog.authority.tokens import BearerTokens

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PROJECTOR = "catalog.follow"
_MESSAGE = 256 * 1024  # bytes on a WebSocket
_GRACE = 20  # seconds for requests in flight when told to stop
_COLLECT_AFTER = (20_000, 20, 50)  # new objects, and passes over the younger: an answer has thousands and no cycles

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class Failure:
    """Why the log stopped taking entries, once it has."""

    cause: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a server is made of, opened."""

    settings: Settings
    log: LogReader
    writer: LogWriter
    store: GraphStore
    access: Access
    projector: SupervisedChild
    authenticator: Authenticator
    administration: Administration
    governance: Governance
    eraser: Eraser
    checkpoints: CheckpointLog
    audit: ReadAudit
    metrics: Metrics
    failure: Failure = field(default_factory=Failure)


@contextmanager
def opened(settings: Settings) -> Iterator[Parts]:
    """Open the log for writing, start the projector, connect the graph; close them in reverse."""
    with ExitStack() as stack:
        failure, metrics = Failure(), Metrics()

        def stopped(cause: BaseException) -> None:
            failure.cause = cause
            logger.error("log.stopped", reason=str(cause), hint="restart the server; clients retry safely")

        log_store = stack.enter_context(create_log(settings.data))
        writer = stack.enter_context(LogWriter(metrics.appends.measuring(log_store), on_failure=stopped))
        log = stack.enter_context(LogReader.open(settings.data))
        authenticator, administration = _authority(settings, log, writer)
        authenticator.announce()
        store = open_graph(settings)
        stack.callback(store.close)
        with suppress(RetryableError):  # a store that is away has the projector look when it comes back
            empty_if_ahead(log, store)
        projector = SupervisedChild(_PROJECTOR, _child_environment(settings))
        projector.start()
        stack.callback(projector.stop)
        reads = access(settings, log, store)
        worker = stack.enter_context(evaluation_worker())

        def append(submission: Submission) -> Receipt:
            return writer.submit(submission).result()

        governing = governance(
            reads,
            append,
            signer(settings),
            worker=worker,
            authoritative=Authority(administration.roll, settings.issuers),
            lag=lambda: reads.lag(lambda seq: log.entry(seq).recorded),
            observed=metrics.policies.observed,
            failed=metrics.policies.failed,
            clock=log_clock(log),
            others=others_between(log.acts),
        )
        watching = stack.enter_context(Watching(reads, governing.judge, acts_between(log.acts)))
        governing = watched(governing, watching)
        erasing = eraser(
            settings, log, reads, lambda submission: writer.submit(submission).result(), administration.roll
        )
        checkpoints = checkpoint_log(settings.data, log, lambda said: logger.warning("checkpoint.key", told=said))
        _announce_fork(checkpoints)
        audit = stack.enter_context(read_audit(settings))
        yield Parts(
            settings,
            log,
            writer,
            store,
            reads,
            projector,
            authenticator,
            administration,
            governing,
            erasing,
            checkpoints,
            audit,
            metrics,
            failure,
        )


def _tokens(settings: Settings) -> "BearerTokens | None":
    if not settings.issuers:
        return None
    from catalog.authority.tokens import BearerTokens

    return BearerTokens(settings.issuers)


def _authority(settings: Settings, log: LogReader, writer: LogWriter) -> tuple[Authenticator, Administration]:
    """Who is let in, and who lets them in. Raises PepperMissingError for a log with keys whose pepper was lost."""
    roll, pepper = Roll(log), Pepper(settings.data, settings.key_pepper)
    if len(roll.keys):
        pepper.secret()
    tokens = _tokens(settings)
    loopback = settings.host in LOOPBACK
    authenticator = Authenticator(roll, pepper, tokens, settings.anonymous_scopes, loopback=loopback)
    by_token = any(Scope.ADMIN in issuer.scopes for issuer in settings.issuers)

    def append(submission: Submission) -> Receipt:
        return writer.submit(submission).result()

    return authenticator, Administration(roll, append, pepper, can_recover=by_token)


def _announce_fork(checkpoints: CheckpointLog) -> None:
    """A log that does not continue what it signed goes on taking events, and signs nothing."""
    try:
        checkpoints.check()
    except CorruptLogError as error:
        logger.error("checkpoint.refused", reason=error.message, hint=error.remedy)


def _child_environment(settings: Settings) -> dict[str, str]:
    """The projector reads the same settings, from the environment: flags have no other way to reach it."""
    values = settings.model_dump(mode="json", exclude_none=True)
    return {f"LINEWARD_{name.upper()}": _as_variable(value) for name, value in values.items()}


def _as_variable(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def create_app(parts: Parts) -> Starlette:
    """Every route of the contract over opened parts."""
    settings, authenticator = parts.settings, parts.authenticator
    intake = Intake(limits(settings), settings.environment_variables)
    door = LineageDoor(
        parts.writer,
        parts.log.origin,
        intake,
        lambda request: authenticator.arriving(request.headers),
        parts.metrics.ingest,
    )
    health = Health(
        parts.access,
        parts.writer,
        parts.projector,
        lambda seq: parts.log.entry(seq).recorded,
        lambda: parts.failure.cause is None,
        parts.metrics,
        folder=settings.data,
        checkpoint=lambda: _published(parts.checkpoints),
        findings=lambda: _open_findings(parts.access),
    )
    governing = parts.governance
    graphql = create_graphql(
        parts.access,
        parts.log.entry,
        principal_of=authenticator.arriving,
        governance=governing,
        eraser=parts.eraser,
        page=graphql_page,
        trusted=_trusted(settings),
        audit=parts.audit,
        refused=parts.metrics.query_refused,
    )
    routes: list[BaseRoute] = [
        *lineage_routes(door),
        Route("/graphql", graphql),
        WebSocketRoute("/graphql", graphql),
        *gate_routes(GateDoor(governing, authenticator.principal_of)),
        *compliance_routes(
            ComplianceDoor(
                Matrix(parts.access, governing.judge), parts.access, parts.log.root, authenticator.principal_of
            )
        ),
        *authority_routes(authenticator, parts.administration),
        *transparency_routes(
            Transparency(parts.log, parts.checkpoints, parts.access, authenticator.principal_of, parts.audit)
        ),
        *health_routes(health),
        *openapi_routes(),
        *page_routes(),
    ]
    paths = [route.path for route in routes if isinstance(route, Route)]
    counted = Middleware(CountRequests, parts.metrics.requests, paths)
    hosts = Middleware(CheckHost, AllowedHosts(settings.host, settings.allowed_hosts))
    app = Starlette(
        routes=routes,
        middleware=[counted, Middleware(LetGo), Middleware(SecurityHeaders, (POLICY, CONSOLE_POLICY)), hosts],
    )
    app.router.redirect_slashes = False  # some producers lose the event on a redirect
    return app


def _published(checkpoints: CheckpointLog) -> Published | None:
    """The newest checkpoint as monitoring sees it; None where nothing was signed yet, or what was is another's."""
    try:
        last, cosigned, signed = checkpoints.last(), checkpoints.cosigned(), checkpoints.signed_at()
    except LinewardError:
        return None  # that it signs nothing is told by /checkpoint, the log and doctor
    if last is None or signed is None:
        return None
    return Published(last.checkpoint.size, signed, cosigned.checkpoint.size if cosigned else None)


def _open_findings(access: Access) -> Mapping[str, int]:
    """How many there are of each kind, none left out."""
    with access.reading() as reading:
        found = Counter(each.kind for each in findings(reading, microseconds_now()))
    return {kind.value: found[kind] for kind in FindingKind}


def _trusted(settings: Settings) -> TrustedDocuments | None:
    folder = settings.trusted_documents
    return None if folder is None else trusted_documents(*shipped(), folder, texts=explorer_operations())


def _connections(settings: Settings) -> ConnectionLimits:
    """Patience with bodies outlasts that of the doors, which answer when theirs ends."""
    return ConnectionLimits(
        connections=affordable(settings.max_connections),
        header_seconds=settings.header_seconds,
        body_seconds=settings.body_seconds + 2 * settings.chunk_seconds,
    )


def has_credentials(settings: Settings) -> bool:
    """Whether somebody has to say who they are: there is an issuer, or the folder's log has seen a key."""
    if settings.issuers:
        return True
    try:
        with LogReader.open(settings.data) as log:
            return bool(log.acts((EntryType.KEY,), 0, 1))
    except NotFoundError:
        return False


def run(settings: Settings, listening: Callable[[str], None]) -> None:
    """Serve until told to stop; `listening` hears the URL once it answers.

    Raises InvalidInputError for an address that is taken, or that others could reach without credentials.
    """
    if settings.host not in LOOPBACK and not has_credentials(settings):
        raise InvalidInputError(
            f"{settings.host} can be reached by others, and no credentials are configured.",
            "Make a key with `lineward keys create --bootstrap --owner YOU`, set LINEWARD_ISSUERS, "
            "or listen on 127.0.0.1.",
        )
    configure_logging(settings.log_level)
    configure_tracing()
    with _bound(settings) as listener, opened(settings) as parts:
        config = uvicorn.Config(
            create_app(parts),
            log_config=None,
            access_log=False,
            server_header=False,
            http=patient_protocol(_connections(settings)),
            ws_max_size=_MESSAGE,
            timeout_graceful_shutdown=_GRACE,
        )
        server = Server(config, parts, listening)
        gc.freeze()  # what is loaded by now stays: no later collection needs to look at it
        gc.set_threshold(*_COLLECT_AFTER)
        gc.enable()
        server.run([listener])
        if parts.failure.cause is not None:
            raise SystemExit(1)


def _bound(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family)
    except OSError as error:
        raise InvalidInputError(
            f"{settings.host} port {settings.port} cannot be listened on: {error.strerror}",
            "Name another with --port; 0 takes a free one.",
        ) from error


class Server(uvicorn.Server):
    """Says where it listens once it does, and stops when the log did."""

    def __init__(self, config: uvicorn.Config, parts: Parts, listening: Callable[[str], None]) -> None:
        super().__init__(config)
        self._parts = parts
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            url = _url(listener)
            self._listening(url)
            logger.info("server.listening", url=url, data=str(self._parts.settings.data))

    async def on_tick(self, counter: int) -> bool:
        if self._parts.failure.cause is not None:
            self.should_exit = True
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stopping when told to is no failure; uvicorn's own would die of the signal before anything is closed."""
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
