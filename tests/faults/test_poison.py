"""Events that no parser should have to see, names that no store should have to hold, and one that is there already."""

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import permutations
from pathlib import Path

import httpx
import orjson
import pytest

from catalog.composition import GRAPH_FILE, open_data
from catalog.graph.contract import GraphStore
from catalog.graph.digest import digest
from catalog.graph.memory import MemoryGraph
from catalog.graph.neo4j import Neo4jGraph
from catalog.graph.sqlite import SqliteGraph
from catalog.log.entry import EntryType, Submission
from catalog.log.store import LogStore
from catalog.model import DatasetRef, NodeRef
from catalog.reading import Reading, Walk
from catalog.settings import Settings
from tests.end_to_end.server_process import Event, ServerProcess, eventually, serving
from tests.end_to_end.story import REGISTRY, dataset, event, story
from tests.faults.conftest import Counted
from tests.faults.projecting import embedded, race, rebuilt, write_log
from tests.faults.tier import tiers
from tests.ingest.events import entries_of, project, run_event
from tests.neo4j_server import RunningServer

QUESTION = {"namespace": REGISTRY, "model": "churn", "version": "1", "environment": "production"}
LIMIT = 4 << 20  # bytes of a body, as received and unpacked


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("poison") / "data", max_body=str(LIMIT), max_unpacked=str(LIMIT)) as running:
        running.record(*story())
        yield running


GOOD = orjson.dumps(event(7, "well", "12:00:00", "START"))


def with_facet(content: bytes) -> bytes:
    """A good event, but for what one facet of its run holds."""
    head, tail = GOOD.split(b'"run":{', 1)
    return b'%b"run":{"facets":{"poison":%b},%b' % (head, content, tail)


POISON: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "not-json": lambda: b"START",
    "not-utf8": lambda: GOOD.replace(b"well", b"\xff\xfe"),
    "half-a-document": lambda: GOOD[:-10],
    "two-documents": lambda: GOOD + GOOD,
    "no-run": lambda: b'{"eventTime":"2026-03-01T00:00:00Z"}',
    "run-id-no-uuid": lambda: GOOD.replace(b"00000000-0000-0000-0000-000000000007", b"seven"),
    "wrong-types": lambda: orjson.dumps({**event(7, "x", "12:00:00", "START"), "inputs": "table"}),
    "not-a-number": lambda: with_facet(b'{"value":NaN}'),
    "number-of-4000-digits": lambda: with_facet(b'{"value":%b}' % (b"9" * 4_000)),
    "lone-surrogate": lambda: with_facet(b'{"value":"\\ud800"}'),
    "nul": lambda: with_facet(b'{"value":"a\\u0000b"}'),
    "equal-keys": lambda: with_facet(b'{"value":1,"value":2}'),
    "depth-100000": lambda: with_facet(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a-million-values": lambda: with_facet(b"[%b1]" % (b"1," * 1_000_000)),
    "too-large": lambda: with_facet(b'{"value":"%b"}' % (b"x" * LIMIT)),
}


@pytest.mark.parametrize("name", POISON)
def test_poison_is_refused_and_the_next_event_is_taken(server: ServerProcess, name: str) -> None:
    """F12: a status of the client's fault, nothing in the log, no memory kept, and service as before."""
    size, before = server.ready()["log"]["size"], resident(server)
    answer = server.post(POISON[name]())
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["error"]["message"]
    packed = server.post(gzip.compress(POISON[name]()), **{"Content-Encoding": "gzip"})
    assert 400 <= packed.status_code < 500
    assert server.ready()["log"]["size"] == size
    assert server.post(orjson.dumps(event(8, f"after {name}", "12:00:00", "START"))).status_code == 201
    assert resident(server) - before < 16 * LIMIT


def resident(server: ServerProcess) -> int:
    """Bytes of memory that the server's process holds."""
    fields = Path(f"/proc/{server.pid}/status").read_text().split("VmRSS:")[1].split()
    return int(fields[0]) * 1024


@pytest.mark.long
def test_an_event_with_a_hundred_thousand_inputs_is_taken_and_projected(tmp_path: Path, counted: Counted) -> None:
    """F12: what is large and allowed is no poison: it is in the graph, and a walk from what it wrote has a budget."""
    data = tmp_path / "data"
    inputs = [dataset(f"part {number}", "1") for number in range(100_000)]
    with serving(data) as server:
        server.record(event(1, "wide", "09:00:00", "COMPLETE", inputs=inputs, outputs=[dataset("all", "1")]))
        server.kill()
    for beside in ("", "-wal", "-shm"):
        (data / f"{GRAPH_FILE}{beside}").unlink(missing_ok=True)
    with open_data(Settings(data=data)) as folder:
        assert folder.project() == 1
        with folder.access.reading() as reading:
            assert reading.find(NodeRef(dataset=DatasetRef("warehouse", "part 99999", "1"))) is not None
            found = reading.lineage(NodeRef(dataset=DatasetRef("warehouse", "all", "1")), Walk(limit=400))
    assert found.truncated is not None
    assert len(found.nodes) == 400
    counted("inputs of one event", len(inputs))


WALK = "query ($of: NodeRef!) { lineage(of: $of) { root { id name namespace } } }"


def test_an_entry_that_cannot_be_read_stops_the_graph_and_nothing_else(tmp_path: Path) -> None:
    """F12: no door lets such an entry in; where it is there, it is never passed over: events are taken, health is
    degraded, and no gate decides without what comes after it."""
    data = tmp_path / "data"
    with LogStore.open(data) as store:
        for body in (*map(orjson.dumps, story()), b"no event"):
            store.append([Submission(EntryType.OPENLINEAGE, "local", body, body)], time.time_ns() // 1_000)
    with serving(data) as server:
        token = server.record(event(9, "after", "12:00:00", "START"))[0]["token"]
        eventually(lambda: server.ready()["projector"]["restarts"], "restart")
        eventually(lambda: server.ready()["status"] == "degraded", "degraded state")
        ready = server.ready()
        assert (ready["log"]["accepting"], ready["log"]["size"]) == (True, 7)
        assert ready["graph"]["offset"] < 6
        ruled = httpx.post(f"{server.url}/api/v1/gate/decisions", json=QUESTION | {"atLeast": token}, timeout=60).json()
        assert (ruled["state"], ruled["allow"]) == ("INDETERMINATE", False)


NAMES = {
    "injected Cypher": "'}) MATCH (n) DETACH DELETE n //",
    "injected SQL": "'; DROP TABLE node; --",
    "markup": "<img src=x onerror=alert(1)>",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "path": "../../etc/passwd",
    "quotes": "\"'`\\",
    "right to left": "model\u202egpj.exe",
    "joiners": "a\u200db\u200cc",
    "four bytes": "\U0001f4a5\U0001d11e",
    "composed and not": "é e\u0301",
    "newlines": "a\r\nb\tc",
    "template": "${jndi:ldap://x} {{7*7}} %s %n",
    "ten kilobytes": "ü" * 5_000,
    "blank": " ",
}


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_back_as_it_was_sent(server: ServerProcess, name: str) -> None:
    """F13: byte for byte, as the name of a dataset, of its namespace and of a job."""
    text = NAMES[name]
    server.record(event(11, text, "09:00:00", "COMPLETE", outputs=[dataset(text, text, text)]))
    server.await_projection()
    found = server.ask(WALK, of={"dataset": {"namespace": text, "name": text}})["lineage"]["root"]
    assert (found["namespace"], found["name"]) == (text, text)
    found = server.ask(WALK, of={"job": {"namespace": "jobs", "name": text}})["lineage"]["root"]
    assert found["name"] == text


def named_events() -> list[Event]:
    return [
        event(20 + number, text, "09:00:00", "COMPLETE", outputs=[dataset(text, text, text)])
        for number, text in enumerate(NAMES.values())
    ]


@pytest.mark.neo4j
def test_no_name_is_run_by_neo4j(neo4j_server: RunningServer, neo4j_uri: str) -> None:
    """F13: the same nodes as in the plain store, each found by its name."""
    plain = MemoryGraph()
    with closing(Neo4jGraph.connect(neo4j_uri, *(neo4j_server.auth or ()))) as graph:
        for store in (plain, graph):
            project(store, entries_of(named_events()))
        assert digest(graph) == digest(plain)
        assert found_by_name(graph) == found_by_name(plain) == list(NAMES.values())


def found_by_name(store: GraphStore) -> list[str]:
    with store.read() as reader:
        reading = Reading(reader)
        found = [reading.find(NodeRef(dataset=DatasetRef(text, text))) for text in NAMES.values()]
    return [node.name for node in found if node is not None]


LIFE = [
    run_event("START", 1, "r", reads=["a"]),
    run_event("RUNNING", 2, "r", reads=["b"]),
    run_event("COMPLETE", 3, "r", writes=["c"]),
    run_event("RUNNING", 4, "r", writes=["d"]),
    run_event("START", 2, "s", reads=["c"]),
    run_event("FAIL", 5, "s", writes=["e"]),
    run_event("COMPLETE", 6, "s", writes=["e"]),
]


@tiers("events", 5, 7)
def test_no_order_of_the_events_of_a_run_changes_the_graph(counted: Counted, events: int) -> None:
    """F10: COMPLETE before START, RUNNING after COMPLETE, two endings: every permutation, in two cuts."""
    digests = set()
    orders = list(permutations(LIFE[-events:]))
    for order in orders:
        store = MemoryGraph()
        entries = entries_of(order, recorded=lambda _seq, _event: 1_772_400_000_000_000)
        project(store, entries, cuts=[2])
        digests.add(digest(store))
    assert len(digests) == 1
    counted("orders of one history", len(orders))


@tiers("runs", 15, 200)
def test_projectors_that_share_a_file_make_what_one_makes(tmp_path: Path, counted: Counted, runs: int) -> None:
    """F9: one wins each batch, in the embedded graph."""
    write_log(tmp_path, runs)
    race(tmp_path, lambda: SqliteGraph.open(tmp_path / "shared.db"), 3, 3)
    with closing(SqliteGraph.open(tmp_path / "shared.db")) as store:
        assert digest(store) == rebuilt(tmp_path) == embedded(tmp_path)
    counted("entries projected by three at once into one file", 2 * runs)
