"""What a caller may ask for, and for how much of it at the same time."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from catalog.errors import StoreUnavailableError, UnauthenticatedError
from catalog.principal import LOCAL, Principal, Scope, grants
from catalog.refusal import RateLimitedError
from catalog_graphql.application import create_graphql
from catalog_graphql.limits import DocumentLimits, Limits
from catalog_graphql.shares import Share, Shares
from tests.graphql.world import World

SLEEPER = Principal("nobody in particular", None, ())
READER = Principal("reader", None, grants([Scope.LINEAGE_READ], ["s3://lake"]))


def refused(world: World, query: str, **options: Any) -> dict[str, Any]:
    """The one error of an operation that never ran."""
    answer = world.client(**options).post("/", json={"query": query}).json()
    assert "data" not in answer
    (error,) = answer["errors"]
    return dict(error)


def chain(links: int, spreads: int) -> str:
    each = "".join(f"fragment f{i} on Query {{ {f'...f{i + 1} ' * spreads}}} " for i in range(links))
    return "{ ...f0 } " + each + f"fragment f{links} on Query {{ log {{ size }} }}"


NESTED = "{ models { nodes " + "{ versions { nodes { model " * 8 + "{ id }" + "} } }" * 8 + "} }"
CIRCULAR = "{ __schema { types " + "{ fields { type " * 5 + "{ name }" + "} }" * 5 + "} }"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (NESTED, "fields deep"),
        (chain(60, 1), "nests"),
        ("{ log { " + " ".join(f"a{i}: size" for i in range(31)) + " } }", "aliases"),
        ("{ " + " ".join(["log { size }"] * 11) + " }", "at its root"),
        ("{ log { size " + "@skip(if: false) " * 21 + "} }", "directives"),
        ("{ log { " + "size " * 300 + "} }", None),
        ("{ ...f ...f } fragment f on Query { log { " + "size " * 1_100 + "} }", "fields, fragments"),
        ("{ models(first: 200) { nodes { versions(first: 200) { nodes { facets { name body } } } } } }", "values"),
        (CIRCULAR, "values"),
        (chain(14, 2), "at its root"),
        (chain(35, 2), "at its root"),
    ],
)
def test_each_limit_is_named_when_it_is_exceeded(world: World, query: str, told: str | None) -> None:
    if told is None:
        assert "errors" not in world.client().post("/", json={"query": query}).json()
        return
    error = refused(world, query)

    assert told in error["message"]
    assert error["extensions"]["code"] == "INVALID_INPUT"
    assert "at most" in error["extensions"]["remedy"]


@pytest.mark.parametrize(
    "query",
    ["{ log { size } " + "#x\n" * 2_000 + "}", "{" * 1_000, "{ log " + "{ a " * 900, "{ log(a: " + "[" * 1_500],
    ids=["comments", "braces", "unclosed", "lists"],
)
def test_what_is_too_long_or_too_deep_is_not_even_parsed(world: World, query: str) -> None:
    assert refused(world, query)["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


def test_who_may_read_nothing_has_less_to_say(world: World) -> None:
    query = "{ log { size " + "@skip(if: false) " * 180 + "} }"  # 1,268 tokens
    stranger = refused(world, query, principal_of=lambda headers: SLEEPER)
    reader = refused(world, query, principal_of=lambda headers: READER)

    assert stranger["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
    assert "directives" in reader["message"]


@pytest.mark.parametrize(
    "query",
    [
        get_introspection_query(),
        '{ __type(name: "Model") { name } }',
        "{ ...f } fragment f on Query { x: __schema { queryType { name } } }",
        "{ ... on Query { ... { __schema { queryType { name } } } } }",
    ],
)
def test_the_schema_is_shown_to_those_who_may_read(world: World, query: str) -> None:
    error = refused(world, query, principal_of=lambda headers: SLEEPER)
    assert error["extensions"]["code"] == "FORBIDDEN"

    assert "errors" not in world.client(principal_of=lambda headers: READER).post("/", json={"query": query}).json()


def test_the_name_of_a_type_is_no_secret(world: World) -> None:
    client = world.client(principal_of=lambda headers: SLEEPER)

    assert client.post("/", json={"query": "{ __typename }"}).json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    "query",
    [
        "{ modls { nodes { id } } }",
        "{ models(frist: 1) { nodes { id } } }",
        "{ models { nodes { ... on Modl { id } } } }",
        "query ($a: Strin) { log { size } }",
        '{ lineage(of: {id: "x"}, direction: UPSTREM) { depthReached } }',
        "{ log { size @skp(if: true) } }",
        '{ lineage(of: {rn: "x"}) { depthReached } }',
    ],
)
def test_nobody_is_helped_to_guess_names(world: World, query: str) -> None:
    answer = world.client().post("/", json={"query": query})

    assert answer.json()["errors"]
    assert "did you mean" not in answer.text.lower()


# At the same time --------------------------------------------------------------------------------------------------


class Stuck(World):
    """A world whose log takes its time."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.go = Event()
        self.begun = Event()

    def hold(self) -> None:
        state = self.access._log_state

        def slow() -> Any:
            self.begun.set()
            assert self.go.wait(60)
            return state()

        self.access._log_state = slow


@pytest.fixture
def stuck(store: Any) -> Any:
    world = Stuck(store)
    world.hold()
    yield world
    world.go.set()


QUERY = {"query": "{ log { size } }"}


async def asked(application: Any, *clients: str) -> list[httpx.Response]:
    """The answers to one question of each, put at the same time."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://localhost") as client:
        put = [client.post("/", json=QUERY, headers={"x-name": name}) for name in clients]
        return list(await asyncio.gather(*put))


def by_name(headers: Any) -> Principal:
    return replace(LOCAL, name=headers["x-name"])


def test_one_caller_has_so_many_operations_at_once(stuck: Stuck) -> None:
    limits = Limits(at_once=2, operation_seconds=0.2)
    application = create_graphql(stuck.access, stuck.entry, principal_of=by_name, limits=limits)

    answers = asyncio.run(asked(application, "ann", "ann", "ann", "bob"))

    assert sorted(answer.status_code for answer in answers) == [429, 503, 503, 503]
    (turned_away,) = [answer for answer in answers if answer.status_code == 429]
    assert answers[3].status_code == 503, "another caller is not held to what the first has under way"
    assert turned_away.headers["retry-after"] == "1"
    assert turned_away.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert turned_away.json()["errors"][0]["extensions"]["retryAfter"] == 1


def test_an_operation_has_a_deadline(stuck: Stuck) -> None:
    application = create_graphql(stuck.access, stuck.entry, limits=Limits(operation_seconds=0.05))

    (answer,) = asyncio.run(asked(application, "ann"))

    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"]["code"] == "TOO_SLOW"
    assert "retry-after" in answer.headers


def test_a_thread_that_was_given_up_still_counts() -> None:
    """Or one caller could fill every thread with operations that are over."""
    go, done = Event(), Event()

    async def story() -> None:
        share, executor = Share(Limits(threads=1)), ThreadPoolExecutor(2)
        try:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(share.run(executor, lambda: go.wait(60)), 0.02)
            next_one = asyncio.create_task(share.run(executor, done.set))
            await asyncio.sleep(0.02)
            assert not done.is_set()
            go.set()
            await next_one
            assert done.is_set()
        finally:
            go.set()
            executor.shutdown()

    asyncio.run(story())


def test_a_share_is_forgotten_when_nothing_is_under_way() -> None:
    shares = Shares(Limits(at_once=1))
    share = shares.of(LOCAL)
    assert shares.of(LOCAL) is share

    with share.operation(), pytest.raises(RateLimitedError), shares.of(LOCAL).operation():
        pass
    with share.operation():
        pass
    del share
    assert not len(shares._known)


# Who asks ----------------------------------------------------------------------------------------------------------


def test_issuers_that_cannot_be_asked_are_told_apart_from_strangers(world: World) -> None:
    def unavailable(headers: Any) -> Principal:
        raise StoreUnavailableError("The issuer does not answer.", "Try again.")

    def nobody(headers: Any) -> Principal:
        raise UnauthenticatedError("Who are you?", "Say so.")

    waited_for = world.client(principal_of=unavailable).post("/", json=QUERY)
    unknown = world.client(principal_of=nobody).post("/", json=QUERY)

    assert (waited_for.status_code, waited_for.headers["retry-after"]) == (503, "1")
    assert (unknown.status_code, unknown.headers["www-authenticate"]) == (401, 'Bearer realm="lineward"')


def test_limits_are_what_the_documentation_says() -> None:
    told = (Path(__file__).parents[2] / "docs/security.md").read_text()
    for limits in (DocumentLimits(), Limits()):
        for name in limits.__slots__:
            value = getattr(limits, name)
            if isinstance(value, int):
                assert f"{value:,}" in told, name


def test_what_was_not_executed_is_counted_by_its_code(world: World) -> None:
    counted: list[str] = []
    client = world.client(refused=counted.append)
    for query in ("{ log { size } }", NESTED, "{", "{ log { nothing } }"):
        client.post("/", json={"query": query})
    client.post("/", content=b"x", headers={"content-type": "text/plain"})
    assert counted == ["INVALID_INPUT", "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "BAD_REQUEST"]
