"""Connections that are slow, silent, too many or untrue; and those of honest callers meanwhile."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from catalog.hardening import ConnectionLimits, affordable
from ingest.limits import Limits
from tests.hostile.door import HOST, LIVE, Door, opened, poor, read, said

LONG = 3_600.0
HASTY = ConnectionLimits(header_seconds=0.3, body_seconds=0.6, write_seconds=0.3)
PATIENT = ConnectionLimits(header_seconds=LONG, body_seconds=LONG, write_seconds=LONG)
EVENT = b'{"eventTime":"2026-03-01T12:00:00Z","job":{"namespace":"n","name":"j"}}'
POST = b"POST /api/v1/lineage HTTP/1.1\r\n" + HOST


@pytest.fixture(scope="module")
def hasty() -> Iterator[Door]:
    with opened(HASTY, Limits(chunk_seconds=LONG, body_seconds=LONG, linger_seconds=0.1)) as door:
        yield door


@pytest.fixture(scope="module")
def patient() -> Iterator[Door]:
    with opened(PATIENT, Limits(chunk_seconds=0.5, body_seconds=0.5, linger_seconds=0.1)) as door:
        yield door


@contextmanager
def crowd(address: tuple[str, int], number: int, first: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that have said this, and say no more."""
    with ExitStack() as stack:
        found = [stack.enter_context(socket.create_connection(address, timeout=60)) for _ in range(number)]
        for each in found:
            each.sendall(first)
        yield found


# Slow ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [b"", b"GET", LIVE[:-2], LIVE[:-2] + b"X-A: ", b"\r\n\r\n"])
def test_headers_that_do_not_come_are_not_waited_for(hasty: Door, start: bytes) -> None:
    with hasty.connect() as slow:
        slow.sendall(start)
        assert read(slow).startswith(b"HTTP/1.1 408 ")


def test_a_second_request_is_waited_for_no_longer_than_the_first(hasty: Door) -> None:
    """A byte every now and then stops uvicorn's own clock, which runs only while nothing comes."""
    with hasty.connect() as slow:
        slow.sendall(LIVE)
        assert b"alive" in slow.recv(65_536)
        slow.sendall(b"GET /")
        assert read(slow).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("path", [b"/api/v1/lineage", b"/echo"])
def test_no_route_waits_for_a_body_for_ever(hasty: Door, path: bytes) -> None:
    with hasty.connect() as slow:
        slow.sendall(b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n{")
        assert read(slow).startswith(b"HTTP/1.1 408 ")


def test_who_leaves_in_the_middle_fills_no_log(hasty: Door, caplog: pytest.LogCaptureFixture) -> None:
    with hasty.connect() as leaving:
        leaving.sendall(b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n{")
        while not hasty.serving.server_state.tasks:
            time.sleep(0.01)
    while hasty.serving.server_state.tasks:
        time.sleep(0.01)
    assert not caplog.records


def test_an_answer_that_nobody_takes_is_taken_back(hasty: Door) -> None:
    with hasty.connect() as idle:
        idle.sendall(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
        while hasty.serving.server_state.connections:
            time.sleep(0.01)
        assert len(read(idle)) < 30_000_000


def test_headers_have_a_size(patient: Door) -> None:
    with patient.connect() as large:
        try:
            large.sendall(b"GET /livez HTTP/1.1\r\n" + HOST)
            for number in range(4_000):
                large.sendall(b"X-%d: %b\r\n" % (number, b"y" * 100))
        except (BrokenPipeError, ConnectionResetError):
            return  # closed before all of it was sent
        answer = read(large)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


# Many ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"GET /livez HTTP/1.1\r\nX-A: ",
        POST + b"Content-Length: 100000\r\n\r\n{",
        POST + b"Transfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["silent", "headers", "bodies", "chunks"],
)
def test_two_hundred_slow_connections_keep_nobody_out(start: bytes) -> None:
    with (
        opened(PATIENT, Limits(chunk_seconds=LONG, body_seconds=LONG)) as door,
        crowd(door.address, 200, start) as slow,
    ):
        for each in slow[::10]:
            each.sendall(b" ")
            assert door.lives()
        sent = said(door.address, POST + b"Content-Length: %d\r\n\r\n" % len(EVENT) + EVENT)
        assert sent.startswith(b"HTTP/1.1 201 ")


@pytest.mark.parametrize("start", [b"", LIVE[:-2], POST + b"Content-Length: 100000\r\n\r\n{"])
def test_a_full_house_makes_room_for_whoever_comes(start: bytes) -> None:
    """The longest quiet goes; without an end to anybody's patience otherwise."""
    limits = ConnectionLimits(connections=20, header_seconds=LONG, body_seconds=LONG)
    with opened(limits, Limits(chunk_seconds=LONG, body_seconds=LONG)) as door, crowd(door.address, 60, start) as slow:
        assert all(door.lives() for _ in range(5))
        assert read(slow[0]) == b""
        slow[-1].setblocking(False)
        with pytest.raises(BlockingIOError):
            slow[-1].recv(1)


def test_few_file_descriptors_are_enough_to_stay_alive() -> None:
    with poor(96) as (address, room):
        assert room < 64
        with crowd(address, 150, b"GET /livez HTTP/1.1\r\n") as _:
            for _ in range(3):
                assert said(address, LIVE).startswith(b"HTTP/1.1 200 ")
        assert said(address, LIVE).startswith(b"HTTP/1.1 200 ")


def test_a_wish_that_can_be_afforded_is_granted() -> None:
    assert affordable(10) == 10


# Untrue ----------------------------------------------------------------------------------------------------------


def test_a_body_shorter_than_it_says_is_given_up(patient: Door) -> None:
    before = len(patient.log.entries)
    with patient.connect() as liar:
        liar.sendall(POST + b"Content-Length: %d\r\n\r\n" % (len(EVENT) + 1) + EVENT)
        assert read(liar).startswith(b"HTTP/1.1 408 ")
    assert len(patient.log.entries) == before


def test_a_body_cut_short_is_no_event(patient: Door) -> None:
    before = len(patient.log.entries)
    with patient.connect() as liar:
        liar.sendall(POST + b"Content-Length: %d\r\n\r\n" % (len(EVENT) + 1) + EVENT)
        liar.shutdown(socket.SHUT_WR)
        read(liar)
    assert len(patient.log.entries) == before


def test_what_follows_a_body_is_no_part_of_it(patient: Door) -> None:
    before = len(patient.log.entries)
    with patient.connect() as liar:
        liar.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(EVENT) + EVENT + b"NOT HTTP\r\n\r\n")
        answers = read(liar)
    assert answers.startswith((b"HTTP/1.1 201 ", b"HTTP/1.1 400 "))
    assert len(patient.log.entries) <= before + 1


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: -5",
        b"Content-Length: +5",
        b"Content-Length: 5, 5",
        b"Content-Length: 0x5",
        b"Content-Length : 5",
        b"Transfer-Encoding: identity, chunked, identity",
        b"X: a\r\n Content-Length: 5",
        b"X: a\nTransfer-Encoding: chunked",
        b"X: a\0b",
    ],
)
def test_two_readings_of_a_length_are_none(patient: Door, framing: bytes) -> None:
    """Where a proxy and a server disagree about where a request ends, the rest becomes somebody else's request."""
    before = len(patient.log.entries)
    answers = b""
    with patient.connect() as smuggler:
        smuggler.sendall(POST + framing + b"\r\n\r\n0\r\n\r\n" + LIVE)
        smuggler.shutdown(socket.SHUT_WR)
        answers = read(smuggler)
    assert b"alive" not in answers
    assert len(patient.log.entries) == before


def test_pipelined_requests_are_answered_one_after_the_other(patient: Door) -> None:
    with patient.connect() as eager:
        eager.sendall(LIVE * 49 + LIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert read(eager).count(b"alive") == 50


def test_half_a_connection_is_closed_whole(hasty: Door) -> None:
    with hasty.connect() as half:
        half.shutdown(socket.SHUT_WR)
        read(half)
    assert hasty.lives()
