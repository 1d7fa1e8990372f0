"""A running server as a command reads it: GraphQL over HTTP, answers turned back into the core's values."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from catalog.authority.credential import bearer
from catalog.commands.failure import UnreachableError
from catalog.commands.plain_http import ANSWER, CONNECT, NotConnectedError, PlainClient, plain_client
from catalog.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    LinewardError,
    NotFoundError,
    RetryableError,
    UnauthenticatedError,
    WrongLogError,
)
from catalog.identity import NodeKind
from catalog.instant import optional_text
from catalog.model import (
    AsOf,
    Basis,
    Continues,
    DatasetRef,
    Gap,
    GapKind,
    LineageEdge,
    LineageGraph,
    Node,
    NodeRef,
    Transformation,
    Truncation,
)
from catalog.rendering.snapshot import Snapshot

if TYPE_CHECKING:
    import httpx

    from catalog.reading import Walk

LINEAGE = """
query Lineage($of: NodeRef!, $direction: Direction!, $depth: Int!, $grain: Grain!, $limit: Int!, $history: Boolean!,
              $at: AsOf) {
  lineage(of: $of, direction: $direction, depth: $depth, grain: $grain, limit: $limit, history: $history, at: $at) {
    root { ...Shown }
    nodes { ...Shown }
    edges { from to basis transformations { type subtype masking } firstSeen lastSeen runs stale }
    depthReached
    truncated { reason omitted }
    gaps { kind node reason }
    snapshot { logSize root valid known }
  }
}
fragment Shown on Node {
  id kind namespace name
  ... on DatasetVersion { version versionState: state started current continues { count since } dataset { id } }
  ... on ModelVersion { version versionState: state started current model { id } }
  ... on Field { path dataset { id } }
  ... on Run { runId runState: state started ended job { id } }
}
"""
MODELS = """
query Models($name: String!, $after: String) {
  models(filter: {nameContains: $name}, first: 200, after: $after) {
    nodes { namespace name }
    pageInfo { hasNextPage endCursor }
  }
}
"""


class NobodyThereError(UnreachableError):
    """No connection came about: whatever was asked, nobody has heard it."""


def client_of(url: str) -> "httpx.Client":
    """InvalidInputError for what is no HTTP address."""
    import httpx

    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidInputError(f"--url {url} is no address: {error}", "Write it as http://HOST:PORT.") from error
    if address.scheme not in ("http", "https") or not address.host:
        raise InvalidInputError(f"--url {url} is no HTTP address", "Write it as http://HOST:PORT.")
    return httpx.Client(base_url=address, timeout=httpx.Timeout(ANSWER, connect=CONNECT), headers=bearer())


def asking_client(url: str) -> "httpx.Client | PlainClient":
    """What posts questions to a server: the quickest to load that can."""
    return plain_client(url, bearer()) or client_of(url)


@dataclass(frozen=True, slots=True)
class RemoteCatalogue:
    client: "httpx.Client | PlainClient"

    @classmethod
    @contextmanager
    def connect(cls, url: str) -> Iterator["RemoteCatalogue"]:
        with asking_client(url) as client:
            yield cls(client)

    def lineage(self, of: NodeRef, wanted: "Walk", as_of: AsOf) -> tuple[LineageGraph, Snapshot]:
        found = self.ask(
            LINEAGE,
            {
                "of": reference(of),
                "direction": wanted.direction,
                "depth": wanted.depth,
                "grain": wanted.grain,
                "limit": wanted.limit,
                "history": wanted.history,
                "at": {"valid": optional_text(as_of.valid), "known": as_of.known},
            },
        )["lineage"]
        return _graph(found), Snapshot(found["snapshot"]["logSize"], found["snapshot"]["root"])

    def namespaces_of(self, model: str) -> list[str]:
        found: set[str] = set()
        after = None
        while True:
            page = self.ask(MODELS, {"name": model, "after": after})["models"]
            found |= {node["namespace"] or "" for node in page["nodes"] if node["name"] == model}
            if not page["pageInfo"]["hasNextPage"]:
                return sorted(found)
            after = page["pageInfo"]["endCursor"]

    def ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The `data` of an answer. UnreachableError without one; errors keep their class by their code.

        Raises NobodyThereError where no connection comes about.
        """
        try:
            response = self.client.post("/graphql", json={"query": query, "variables": variables})
            answer = response.json()
        except _broken() as error:
            raise (NobodyThereError if isinstance(error, _unconnected()) else UnreachableError)(
                f"{self.client.base_url} does not answer as a Lineward server: {error or type(error).__name__}",
                "Check --url, or start one with `lineward serve`.",
            ) from error
        if not isinstance(answer, dict) or answer.get("errors") or not isinstance(answer.get("data"), dict):
            raise _mistake(answer, response.status_code)
        data: dict[str, Any] = answer["data"]
        return data


def _broken() -> tuple[type[Exception], ...]:
    """What a client raises whose question or answer got lost."""
    import httpx

    return OSError, ValueError, HTTPException, httpx.HTTPError


def _unconnected() -> tuple[type[Exception], ...]:
    import httpx

    return httpx.ConnectError, httpx.ConnectTimeout, NotConnectedError


def _mistake(answer: Any, status: int) -> LinewardError:
    errors = answer.get("errors") if isinstance(answer, dict) else None
    if not errors:
        return UnreachableError(f"the server answers with HTTP status {status}", "Check --url.")
    first = errors[0]
    extensions = first.get("extensions") or {}
    kind = _MISTAKES.get(extensions.get("code", ""), LinewardError)
    remedy = _IDENTIFY if kind is UnauthenticatedError else extensions.get("remedy", "")
    return kind(first["message"], remedy)


_IDENTIFY = "Set LINEWARD_API_KEY to a key of your own; an administrator makes one with `lineward keys create`."


_MISTAKES: dict[str, type[LinewardError]] = {
    "NOT_FOUND": NotFoundError,
    "INVALID_INPUT": InvalidInputError,
    "AMBIGUOUS_REFERENCE": InvalidInputError,
    "GRAPHQL_VALIDATION_FAILED": InvalidInputError,
    "MALFORMED": InvalidInputError,
    "UNAUTHENTICATED": UnauthenticatedError,
    "FORBIDDEN": ForbiddenError,
    "CONFLICT": ConflictError,
    "WRONG_LOG": WrongLogError,
    "LOG_FULL": RetryableError,
    "LOG_CLOSED": RetryableError,
    "STALE_PROJECTION": RetryableError,
    "STORE_UNAVAILABLE": RetryableError,
}


def reference(of: NodeRef) -> dict[str, Any]:
    """A reference as the GraphQL input `NodeRef`."""
    if of.dataset or of.model:
        return {"dataset": _named(of.dataset)} if of.dataset else {"model": _named(of.model)}
    if of.job:
        return {"job": {"namespace": of.job.namespace, "name": of.job.name}}
    if of.field:
        return {"field": {"dataset": _named(of.field[0]), "path": of.field[1]}}
    return {"run": of.run} if of.run is not None else {"id": of.id}


def _named(dataset: DatasetRef | None) -> dict[str, Any]:
    assert dataset is not None
    return {"namespace": dataset.namespace, "name": dataset.name, "version": dataset.version}


# Answers -----------------------------------------------------------------------------------------------------


def _graph(found: Mapping[str, Any]) -> LineageGraph:
    truncated = found["truncated"]
    return LineageGraph(
        root=_node(found["root"]),
        nodes=tuple(map(_node, found["nodes"])),
        edges=tuple(map(_edge, found["edges"])),
        depth_reached=found["depthReached"],
        truncated=Truncation(truncated["reason"], truncated["omitted"]) if truncated else None,
        gaps=tuple(Gap(GapKind(gap["kind"]), gap["node"], gap["reason"]) for gap in found["gaps"]),
        known=found["snapshot"]["known"],
        valid=found["snapshot"]["valid"],
    )


def _node(found: Mapping[str, Any]) -> Node:
    continues, owner = found.get("continues"), found.get("dataset") or found.get("model") or found.get("job")
    return Node(
        id=found["id"],
        kind=NodeKind(found["kind"]),
        namespace=found["namespace"],
        name=found["name"],
        label=found.get("version") or found.get("path") or found.get("runId"),
        parent=owner["id"] if owner else None,
        state=found.get("versionState") or found.get("runState"),
        started=found.get("started"),
        ended=found.get("ended") or found.get("current"),
        continues=Continues(continues["count"], continues["since"]) if continues else None,
    )


def _edge(found: Mapping[str, Any]) -> LineageEdge:
    return LineageEdge(
        source=found["from"],
        target=found["to"],
        basis=Basis(found["basis"]),
        transformations=tuple(
            Transformation(each["type"], each["subtype"], each["masking"]) for each in found["transformations"]
        ),
        first_seen=found["firstSeen"],
        last_seen=found["lastSeen"],
        runs=found["runs"],
        stale=found["stale"],
    )
