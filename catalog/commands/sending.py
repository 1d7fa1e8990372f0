"""Sending the documents of a source, many at a time: a durable answer takes as long for fifty as for one."""

import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from time import sleep
from typing import Any, Protocol

import httpx

from catalog.commands.failure import UnreachableError
from catalog.composition import create_log, limits
from catalog.errors import InvalidInputError, LinewardError, RetryableError
from catalog.log.entry import Receipt
from catalog.log.writer import LogWriter
from catalog.refusal import sentence
from catalog.settings import Settings
from ingest.files import Passage, Source
from ingest.intake import Intake
from ingest.limits import Limits

AT_ONCE = 128  # documents
BYTES_AT_ONCE = 16 << 20
CONNECTIONS = 8
ATTEMPTS = 6
LOCAL = "local"  # who acts in a folder that nobody serves


class Outcome(StrEnum):
    """What became of a document that was taken."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"


@dataclass(slots=True)
class FileReport:
    """What became of a source; `rejected` holds (where, reason) in the order of the file."""

    path: str
    accepted: int = 0
    duplicate: int = 0
    rejected: list[tuple[str, str]] = field(default_factory=list)


class Door(Protocol):
    """Takes documents. The future has the outcome, or the LinewardError that says why there is none."""

    def take(self, body: bytes) -> "Future[Outcome]": ...


def send(source: Source, door: Door, bounds: Limits, progress: Callable[[int], None]) -> FileReport:
    """Every document of a source through the door; `progress` hears how many bytes of the file are answered.

    A RetryableError gets out: what was sent before it may be sent again, and is then a duplicate.
    """
    window = _Window(FileReport(source.path), progress)
    try:
        for passage in source.passages(bounds):
            window.make_room(len(passage.body))
            window.add(passage, door)
        window.drain()
    except InvalidInputError as error:
        window.drain()
        window.report.rejected.append(("", sentence(error)))
    except (OSError, EOFError, zlib.error) as error:
        window.drain()
        window.report.rejected.append(("", f"the file cannot be read further: {error}"))
    return window.report


@dataclass(slots=True)
class _Window:
    """What is under way, in the order of the file."""

    report: FileReport
    progress: Callable[[int], None]
    waiting: "deque[tuple[Passage, Future[Outcome]]]" = field(default_factory=deque)
    held: int = 0

    def add(self, passage: Passage, door: Door) -> None:
        if passage.fault is not None:
            answer: Future[Outcome] = Future()
            answer.set_exception(passage.fault)
        else:
            answer = door.take(passage.body)
        self.waiting.append((passage, answer))
        self.held += len(passage.body)

    def make_room(self, size: int) -> None:
        while self.waiting and (len(self.waiting) >= AT_ONCE or self.held + size > BYTES_AT_ONCE):
            self._settle()

    def drain(self) -> None:
        while self.waiting:
            self._settle()

    def _settle(self) -> None:
        passage, answer = self.waiting.popleft()
        self.held -= len(passage.body)
        try:
            outcome = answer.result()
        except RetryableError:
            raise
        except LinewardError as error:
            self.report.rejected.append((passage.where, sentence(error)))
        else:
            self.report.accepted += outcome is Outcome.ACCEPTED
            self.report.duplicate += outcome is Outcome.DUPLICATE
        self.progress(passage.end)


@dataclass(frozen=True, slots=True)
class LogDoor:
    """Straight into the log of a folder."""

    writer: LogWriter
    intake: Intake

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Iterator["LogDoor"]:
        """Creates the folder where it is missing. LogLockedError while a server writes to it."""
        with create_log(settings.data) as log, LogWriter(log) as writer:
            yield cls(writer, Intake(limits(settings), settings.environment_variables))

    def take(self, body: bytes) -> "Future[Outcome]":
        answer: Future[Outcome] = Future()
        try:
            receipt = self.writer.submit(self.intake.submission(body, LOCAL, "file"))
        except LinewardError as error:
            answer.set_exception(error)
        else:
            receipt.add_done_callback(lambda done: _pass_on(done, answer))
        return answer


def _pass_on(done: "Future[Receipt]", answer: "Future[Outcome]") -> None:
    error = done.exception()
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(_outcome(done.result().duplicate))


@dataclass(frozen=True, slots=True)
class ServerDoor:
    """To `POST /api/v1/lineage` of a server, over a few connections."""

    client: httpx.Client
    pool: ThreadPoolExecutor

    @classmethod
    @contextmanager
    def connect(cls, url: str) -> Iterator["ServerDoor"]:
        from catalog.commands.remote import client_of

        with client_of(url) as client, ThreadPoolExecutor(CONNECTIONS) as pool:
            try:
                yield cls(client, pool)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def take(self, body: bytes) -> "Future[Outcome]":
        return self.pool.submit(self._post, body)

    def _post(self, body: bytes) -> Outcome:
        for attempt in range(ATTEMPTS):
            answer = self._answer(body)
            if answer.status_code not in (429, 503):
                return _read(answer)
            sleep(_pause(answer, attempt))
        raise UnreachableError(f"{self.client.base_url} takes no more events", "Run the same command again later.")

    def _answer(self, body: bytes) -> httpx.Response:
        try:
            return self.client.post("/api/v1/lineage", content=body, headers={"content-type": "application/json"})
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"{self.client.base_url} does not answer: {error or type(error).__name__}",
                "Check --url, or start the server with `lineward serve`; then run the same command again.",
            ) from error


def _read(answer: httpx.Response) -> Outcome:
    content = _json(answer)
    if answer.status_code == 201:
        return _outcome(content.get("duplicate") is True)
    refused = content.get("error")
    reason = refused.get("message") if isinstance(refused, dict) else None
    raise InvalidInputError(str(reason or f"the server answers with HTTP status {answer.status_code}"))


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _pause(answer: httpx.Response, attempt: int) -> float:
    """What the server asks for, at most ten seconds, and longer from one attempt to the next."""
    asked = answer.headers.get("retry-after", "")
    return min((float(asked) if asked.isdigit() else 1.0) * (1 + attempt / 2), 10.0)


def _outcome(duplicate: bool) -> Outcome:
    return Outcome.DUPLICATE if duplicate else Outcome.ACCEPTED
