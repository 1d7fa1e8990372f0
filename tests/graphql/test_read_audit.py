"""Questions that are noted: who asked what, by digest, and never at the price of an answer."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from catalog.errors import LogFullError
from catalog.log.entry import EntryType, Receipt, Submission
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.log.writer import LogWriter
from catalog.read_audit import AuditedReads, ReadAudit
from tests.graphql.test_subscription import RUNS, Steps, subscribed
from tests.graphql.world import World, event

QUERY = "query Size($first: Int) { log { size } models(first: $first) { totalCount } }"
ASKED = {"query": QUERY, "operationName": "Size", "variables": {"first": 1}}


def asked_of(world: World, audit: ReadAudit) -> dict[str, object]:
    answer: dict[str, object] = world.client(audit=audit).post("/", json=ASKED).json()
    assert "errors" not in answer
    return answer


def test_every_question_is_noted_where_that_is_wanted(world: World, tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store, LogWriter(store) as writer:
        answer = asked_of(world, ReadAudit(writer, AuditedReads.ALL))
    with LogReader.open(tmp_path) as log:
        (entry,) = log.entries(0, 10)
    assert (entry.type, entry.actor) == (EntryType.ACCESS, "local")
    told = json.loads(entry.body or b"")
    assert (told["door"], told["operation"]) == ("graphql", "Size")
    assert told["document"] == sha256(QUERY.encode()).hexdigest()
    assert told["variables"] == sha256(b'{"first":1}').hexdigest()
    assert answer["data"]


def test_no_question_is_noted_otherwise(world: World, tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store, LogWriter(store) as writer:
        asked_of(world, ReadAudit(writer))
        assert store.size == 0


def test_a_log_of_reads_that_fails_keeps_no_answer_back(world: World) -> None:
    class Full:
        def append(self, batch: Sequence[Submission], now_us: int) -> list[Receipt]:
            raise LogFullError("the log's disk is full")

    with LogWriter(Full()) as writer:
        audit = ReadAudit(writer, AuditedReads.ALL)
        assert asked_of(world, audit) == asked_of(world, audit)


def test_a_subscription_is_noted_once_however_much_it_brings(world: World, tmp_path: Path) -> None:
    steps = Steps(world, event("new", "START", "12:00:00"), event("new", "COMPLETE", "12:01:00"))
    with LogStore.open(tmp_path) as store, LogWriter(store) as writer:
        client = world.client(progress=steps, audit=ReadAudit(writer, AuditedReads.ALL))
        with subscribed(client, RUNS) as socket:
            assert [socket.receive_json()["type"] for _ in range(2)] == ["next", "next"]
    with LogReader.open(tmp_path) as log:
        (entry,) = log.entries(0, 10)
    assert json.loads(entry.body or b"")["document"] == sha256(RUNS.encode()).hexdigest()
