"""Who read what: a log of its own beside the log, so that questions neither swell nor hold up the evidence.

It lies in `audit/` of the data folder and is a log like the other: append-only, hashed into a tree, exported and
verified by the same commands. An entry says who asked when, through which door, for what; never what was answered.
"""

import threading
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from uuid import uuid4

import orjson
import structlog

from catalog import instant
from catalog.errors import LinewardError, RetryableError
from catalog.log.entry import EntryType, Submission
from catalog.log.writer import LogWriter, microseconds_now
from catalog.principal import Principal

logger = structlog.get_logger(__name__)

FOLDER = "audit"
SOURCE = "reads"


class AuditedReads(StrEnum):
    """Which reads are kept: `required` those that `audit:read` permits, `all` every operation of GraphQL too."""

    REQUIRED = "required"
    ALL = "all"


class UnauditedReadError(RetryableError):
    """What may only be read where it is noted cannot be noted now."""

    code = "UNAUDITED_READ"


class ReadAudit:
    """For any number of threads."""

    def __init__(self, writer: LogWriter, reads: AuditedReads = AuditedReads.REQUIRED) -> None:
        self._writer = writer
        self.reads = reads
        self._failing = threading.Event()

    def require(self, principal: Principal, door: str, told: Mapping[str, Any]) -> None:
        """Note a read, durably, before it is answered. UnauditedReadError where that cannot be done."""
        try:
            self._writer.submit(_noted(principal, door, told)).result()
        except LinewardError as error:
            raise UnauditedReadError(
                f"What is read here is noted, and that failed: {error.message}", "Try again; see data/audit."
            ) from error

    def note(self, principal: Principal, door: str, told: Mapping[str, Any]) -> None:
        """Note a read if that can be done, without waiting. The first one of several that fail is logged."""
        if self.reads is not AuditedReads.ALL:
            return
        try:
            noted = self._writer.submit(_noted(principal, door, told))
        except LinewardError as error:
            self._heed(error)
        else:
            noted.add_done_callback(lambda done: self._heed(done.exception()))

    def _heed(self, failure: BaseException | None) -> None:
        if failure is None:
            self._failing.clear()
        elif not self._failing.is_set():
            self._failing.set()
            logger.error("audit.failing", reason=str(failure), hint="reads go on and are not noted; see data/audit")


def _noted(principal: Principal, door: str, told: Mapping[str, Any]) -> Submission:
    now = microseconds_now()
    body = orjson.dumps(
        {"v": 1, "id": str(uuid4()), "at": instant.text(now), "by": principal.as_json(), "door": door, **told}
    )
    return Submission(EntryType.ACCESS, principal.name, body, body, source=SOURCE, event_time=now)
