"""A watch in a thread beside a server: it works when there is work, and nothing ends it but being told to."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from catalog.access import Access, LogState
from catalog.errors import StoreUnavailableError
from catalog.graph.memory import MemoryGraph
from catalog.projector import Projector
from catalog.reading import Reading
from policies.gate import Gate
from policies.governance import Governance
from policies.judge import Judge
from policies.watch.acts import others_between
from policies.watch.change import VerdictChange
from policies.watch.watching import Watching, watched
from tests.ingest.events import ORIGIN, read_entry, whole_run
from tests.policies.office import ANN, Office, binding, control, pack, version
from tests.policies.watched import CountingJudge, acts_of, reading_of

OWNED = pack(controls=[control("owner")])


class CountingAccess(Access):
    """Counts the readings that were opened, and may fail to open one."""

    def __init__(self, office: Office) -> None:
        self.store = MemoryGraph()
        super().__init__(self.store, lambda: LogState(ORIGIN, len(office.entries), b"\0" * 32), 0.01)
        self.opened = 0
        self.failure: Exception | None = None

    @contextmanager
    def reading(self, *asked: Any, **named: Any) -> Iterator[Reading]:
        self.opened += 1
        if self.failure is not None:
            raise self.failure
        with super().reading(*asked, **named) as reading:
            yield reading


class Server:
    def __init__(self, office: Office, judge: Judge | None = None) -> None:
        self.office = office
        self.access = CountingAccess(office)
        self.judge = judge or CountingJudge(others_between(reading_of(office.entries)))
        self.watching = Watching(self.access, self.judge, acts_of(office.entries), clock=lambda: office.now, idle=0.001)
        self.project()

    def project(self) -> None:
        projector = Projector(self.access.store, ORIGIN, read_entry)
        projector.project(self.office.entries[projector.offset :])

    def settle(self) -> int:
        """Let the watch look until it has nothing to do; how many readings that took."""
        before = self.access.opened
        while self.watching.look():
            pass
        return self.access.opened - before

    def own(self, name: str = "1") -> None:
        self.office.attest(ANN, "inventory", version(name), statement={"owner": "team:credit"})
        self.project()


@pytest.fixture
def server() -> Server:
    office = Office()
    office.enact(OWNED, binding())
    return Server(office)


def test_without_news_nothing_is_read(server: Server) -> None:
    assert server.settle() > 0
    assert server.settle() == 0
    server.own()
    assert server.settle() > 0
    assert server.settle() == 0


def test_a_server_without_policies_judges_nothing() -> None:
    server = Server(Office())
    server.settle()
    server.office.tell(whole_run("more", 9, 10, reads=["p"], writes=["q"]))
    server.project()
    server.settle()
    assert isinstance(server.judge, CountingJudge)
    assert not server.judge.judged
    server.office.enact(OWNED, binding())
    server.project()
    server.settle()
    assert len(server.watching.standing()[0]) == 2


def test_what_time_makes_due_is_looked_at_without_an_entry(server: Server) -> None:
    server.own()
    server.settle()
    (before, _) = server.watching.standing()
    server.office.now = max(each.next_flip_at or 0 for each in before)
    assert server.settle() == 1
    assert {each.verdict.value for each in server.watching.standing()[0]} == {"unknown"}


def test_listeners_hear_of_changes_while_they_listen(server: Server) -> None:
    heard: list[VerdictChange] = []
    server.settle()
    with server.watching.listening(heard.extend):
        server.own()
        server.settle()
    server.own("2")
    server.settle()
    assert [each.target.label for each in heard] == ["1"]


def test_a_graph_that_is_projected_anew_is_waited_for(server: Server) -> None:
    server.settle()
    known, entries = server.watching.standing(), server.office.entries
    server.access.store.clear()
    projector = Projector(server.access.store, ORIGIN, read_entry)
    projector.project(entries[:3])
    server.office.now += 1
    assert not server.watching.look()
    projector.project(entries[3:])
    server.own()
    server.settle()
    assert [each.target.id for each in server.watching.standing()[0]] == [each.target.id for each in known[0]]
    assert {each.known for each in server.watching.standing()[0]} == {len(entries) - 1, len(entries)}


@pytest.mark.parametrize(
    ("failure", "level"), [(StoreUnavailableError("It is away."), "warning"), (RuntimeError("a fault"), "error")]
)
def test_a_failure_is_logged_and_tried_again(
    server: Server, failure: Exception, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policies.watch.watching._PATIENCE", 0.001)
    server.access.failure = failure
    with capture_logs() as logs, server.watching:
        until(lambda: server.access.opened > 2)
        server.access.failure = None
        until(lambda: len(server.watching.standing()[0]) == 2)
    assert {each["log_level"] for each in logs} == {level}


def test_the_thread_ends_when_told_to(server: Server) -> None:
    with server.watching:
        until(lambda: len(server.watching.standing()[0]) == 2)
    assert not [each for each in threading.enumerate() if each.name == "lineward-watch"]
    server.watching.stop()


def test_governance_has_the_watch_beside_all_else(server: Server) -> None:
    office = server.office
    gate = Gate(office.journal, server.judge)

    def signer() -> Any:
        raise AssertionError("nobody signs here")

    plain = Governance(office.journal, office.register, server.judge, gate, signer)
    both = watched(plain, server.watching)
    assert (both.journal, both.register, both.judge, both.gate) == (
        plain.journal,
        plain.register,
        plain.judge,
        plain.gate,
    )
    assert both.watching is server.watching


def until(reached: Callable[[], bool]) -> None:
    """Wait for another thread, for as long as a slow machine may take."""
    pause = threading.Event()
    for _ in range(30_000):
        if reached():
            return
        pause.wait(0.001)
    raise AssertionError("it never came to this")
