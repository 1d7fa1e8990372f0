"""Neo4j killed, frozen, cut off and shared: the graph is that of the log, and nobody waits for it in vain."""

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from catalog.graph.digest import digest
from catalog.graph.neo4j import Neo4jGraph
from tests.end_to_end.server_process import ServerProcess, eventually, lineward, serving
from tests.end_to_end.story import REGISTRY, event, story
from tests.faults.bolt_proxy import BoltProxy, Fate, proxied
from tests.faults.conftest import Counted
from tests.faults.projecting import embedded, following, persist, race, rebuilt, write_log
from tests.faults.tier import tiers
from tests.neo4j_server import RunningServer

pytestmark = pytest.mark.neo4j

VERSION: dict[str, Any] = {"namespace": REGISTRY, "model": "churn", "version": "1", "environment": "production"}


@pytest.fixture
def proxy(stoppable_neo4j: RunningServer) -> Iterator[BoltProxy]:
    port = int(stoppable_neo4j.uri.rpartition(":")[2])
    with proxied(port) as between:
        yield between


def positions(server: RunningServer) -> int:
    with closing(Neo4jGraph.connect(server.uri, *(server.auth or ()))) as graph:
        position = graph.position()
        return position.offset if position else 0


def digest_of(server: RunningServer) -> str:
    with closing(Neo4jGraph.connect(server.uri, *(server.auth or ()))) as graph:
        return digest(graph)


@tiers("runs", 12, 30)
def test_commits_and_answers_that_get_lost_double_nothing(
    tmp_path: Path, stoppable_neo4j: RunningServer, proxy: BoltProxy, counted: Counted, runs: int
) -> None:
    """F8: whether a commit arrived or only its answer was lost, each entry is in the graph once."""
    write_log(tmp_path, runs)
    random = Random(20_261_124)
    with closing(Neo4jGraph.connect(proxy.uri, *(stoppable_neo4j.auth or ()))) as graph:
        graph.position()  # makes the schema, undisturbed
        proxy.decide = lambda _number: random.choice(list(Fate))
        with following(tmp_path, graph, 3) as follower:
            failures = persist(follower)
    assert failures == proxy.lost[Fate.NEVER_ARRIVES] + proxy.lost[Fate.ANSWER_IS_LOST]
    assert positions(stoppable_neo4j) == 2 * runs
    assert digest_of(stoppable_neo4j) == rebuilt(tmp_path)
    counted("commits that never arrived", proxy.lost[Fate.NEVER_ARRIVES])
    counted("answers to commits lost", proxy.lost[Fate.ANSWER_IS_LOST])


@tiers("runs", 12, 120)
def test_projectors_that_know_nothing_of_each_other_make_what_one_makes(
    tmp_path: Path, stoppable_neo4j: RunningServer, counted: Counted, runs: int
) -> None:
    """F9: one wins each batch, in Neo4j."""
    write_log(tmp_path, runs)
    race(tmp_path, lambda: Neo4jGraph.connect(stoppable_neo4j.uri, *(stoppable_neo4j.auth or ())), 3, 2)
    assert positions(stoppable_neo4j) == 2 * runs
    assert digest_of(stoppable_neo4j) == rebuilt(tmp_path)
    counted("entries projected by three at once into Neo4j", 2 * runs)


@pytest.mark.long
@pytest.mark.parametrize("kills", [3])
def test_killed_in_the_middle_neo4j_has_each_batch_whole_or_not_at_all(
    tmp_path: Path, stoppable_neo4j: RunningServer, proxy: BoltProxy, counted: Counted, kills: int
) -> None:
    """F7: killed at a commit, before it or after it, Neo4j ends with what the log says, as the embedded graph does."""
    write_log(tmp_path, 12 * kills)
    due = {5 + 7 * number: number % 2 for number in range(kills)}

    def decide(number: int) -> Fate:
        if number not in due:
            return Fate.PASSES
        if due[number]:
            return Fate.ANSWER_IS_LOST  # and killed by whoever notices
        kill(stoppable_neo4j)
        return Fate.NEVER_ARRIVES

    def recover() -> None:
        kill(stoppable_neo4j)
        stoppable_neo4j.stop()  # what is left of it
        stoppable_neo4j.start()

    with closing(Neo4jGraph.connect(proxy.uri)) as graph:
        graph.position()
        proxy.decide, proxy.commits = decide, 0
        with following(tmp_path, graph, 2) as follower:
            assert persist(follower, recover) >= kills
    assert positions(stoppable_neo4j) == 24 * kills
    assert digest_of(stoppable_neo4j) == rebuilt(tmp_path) == embedded(tmp_path)
    counted("kills of Neo4j at a commit", kills)


def kill(server: RunningServer) -> None:
    if server.pid is not None:
        os.kill(server.pid, signal.SIGKILL)


@tiers("rounds", 1, 2)
def test_a_frozen_neo4j_holds_nobody_up(
    tmp_path: Path, stoppable_neo4j: RunningServer, counted: Counted, rounds: int
) -> None:
    """F7: while Neo4j is stopped in its tracks events are taken, health answers, and the gate decides nothing."""
    data = tmp_path / "data"
    with serving(data, "--graph", stoppable_neo4j.uri) as server:
        server.record(*story())
        server.await_projection()
        for number in range(rounds):
            stoppable_neo4j.pause()
            server.record(event(100 + number, "during", "12:00:00", "START"))
            while_it_is_frozen(server)
            stoppable_neo4j.resume()
            server.await_projection()
            eventually(lambda: server.ready()["status"] == "ready", "ready state")
        compared = lineward("rebuild", "--verify", "--data", data, "--graph", stoppable_neo4j.uri)
        assert compared.returncode == 0, compared.stderr
    counted("freezes of Neo4j", rounds)


def while_it_is_frozen(server: ServerProcess) -> None:
    """Each request would wait for as long as Neo4j does, were it not for ends to patience."""
    ready = httpx.get(f"{server.url}/readyz", timeout=20)
    assert (ready.status_code, ready.json()["status"], ready.json()["graph"]["answers"]) == (200, "degraded", False)
    assert httpx.get(f"{server.url}/livez", timeout=20).status_code == 200
    assert "lineward_graph_up 0.0" in httpx.get(f"{server.url}/metrics", timeout=20).text
    ruled = httpx.post(f"{server.url}/api/v1/gate/decisions", json=VERSION, timeout=30).json()
    assert (ruled["state"], ruled["allow"]) == ("INDETERMINATE", False)
