import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openlineage.client import OpenLineageClient

from ingest.producer.delivery import PATIENCE, Delivery
from tests.ingest.producer.collector import Collector, an_event, client_of, run_ids, spooled
from tests.ingest.producer.core_spec import check_event

GUARD = 30.0  # seconds after which a test gives up; nothing is measured


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def client_to_nowhere() -> Iterator[OpenLineageClient]:
    client = client_of(f"http://127.0.0.1:{free_port()}")
    yield client
    client.close()


def test_events_arrive_in_the_order_sent(collector: Collector, client: OpenLineageClient, tmp_path: Path) -> None:
    delivery = Delivery(client, spool=tmp_path / "spool.ndjson")
    events = [an_event() for _ in range(20)]
    for event in events:
        delivery.send(event)
    assert delivery.close(GUARD)
    assert run_ids(collector.events) == [event.run.runId for event in events]
    assert not (tmp_path / "spool.ndjson").exists()


def test_a_server_that_is_down_costs_nothing_but_a_spool_file(tmp_path: Path) -> None:
    spool = tmp_path / "not yet there" / "spool.ndjson"
    events = [an_event() for _ in range(3)]
    with client_to_nowhere() as client:
        delivery = Delivery(client, spool=spool)
        for event in events:
            delivery.send(event)
        assert not delivery.close(GUARD)
    assert sorted(run_ids(spooled(spool))) == sorted(event.run.runId for event in events)
    for event_read in spooled(spool):
        check_event(event_read)


def test_a_refused_event_is_kept_as_the_bytes_that_were_sent(
    collector: Collector, client: OpenLineageClient, tmp_path: Path
) -> None:
    collector.status = lambda number: 500
    delivery = Delivery(client, spool=tmp_path / "spool.ndjson")
    delivery.send(an_event())
    delivery.close(GUARD)
    assert (tmp_path / "spool.ndjson").read_bytes() == collector.bodies[0] + b"\n"


def test_a_stalling_server_is_waited_for_a_second_at_most(
    collector: Collector, client: OpenLineageClient, tmp_path: Path
) -> None:
    waits: list[float] = []

    def wait(event: Event, seconds: float) -> bool:
        waits.append(seconds)
        return event.is_set()

    collector.stalling = True
    delivery = Delivery(client, spool=tmp_path / "spool.ndjson", wait=wait)
    events = [an_event() for _ in range(3)]
    for event in events:
        delivery.send(event)
    assert collector.arrived.wait(GUARD)
    assert not delivery.close()
    assert sum(waits) <= PATIENCE == 1.0
    assert sorted(run_ids(spooled(tmp_path / "spool.ndjson"))) == sorted(event.run.runId for event in events)


def test_what_comes_after_the_close_is_kept(client: OpenLineageClient, tmp_path: Path) -> None:
    delivery = Delivery(client, spool=tmp_path / "spool.ndjson")
    assert delivery.close()
    late = an_event()
    delivery.send(late)
    assert run_ids(spooled(tmp_path / "spool.ndjson")) == [late.run.runId]
    assert not delivery.close()


def test_a_spool_that_cannot_be_written_harms_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with client_to_nowhere() as client:
        delivery = Delivery(client, spool=tmp_path / "file" / "spool.ndjson")
        delivery.send(an_event())
        assert not delivery.close(GUARD)
    assert "could not write to the spool file" in caplog.text


def test_a_client_that_cannot_be_made_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spool: Path
) -> None:
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", '{"type": "http", "url": "nonsense"}')
    delivery = Delivery()
    event = an_event()
    delivery.send(event)
    assert not delivery.close(GUARD)
    assert run_ids(spooled(spool)) == [event.run.runId]


def test_the_environment_configures_the_client(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, spool: Path
) -> None:
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", f'{{"type": "http", "url": "{collector.url}"}}')
    delivery = Delivery()
    delivery.send(an_event())
    assert delivery.close(GUARD)
    assert len(collector.events) == 1
    assert not spool.exists()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([201, 422, 503]), max_size=8))
def test_each_event_is_either_accepted_or_kept(statuses: list[int]) -> None:
    collector = Collector()
    collector.status = lambda number: statuses[number - 1]
    client = client_of(collector.url)
    with TemporaryDirectory() as folder:
        delivery = Delivery(client, spool=Path(folder) / "spool.ndjson")
        events = [an_event() for _ in statuses]
        for event in events:
            delivery.send(event)
        delivery.close(GUARD)
        kept = run_ids(spooled(Path(folder) / "spool.ndjson"))
    client.close()
    collector.close()
    refused = [event.run.runId for event, status in zip(events, statuses, strict=True) if status != 201]
    assert kept == refused
