"""From the bytes of one event to what is appended for it: the same steps for every door."""

from collections.abc import Callable
from dataclasses import dataclass, field

from catalog.log.entry import EntryType, Submission
from catalog.tracing import traced
from ingest.document import load_document
from ingest.limits import Limits
from ingest.redaction import redact
from ingest.shape import check_event

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Permit = Callable[[str], None]
"""Raises ForbiddenError where the sender may not write into a namespace."""


def anywhere(_namespace: str) -> None:
    """Permits everything."""


@dataclass(frozen=True, slots=True)
class Intake:
    """`allowed_environment` names the environment variables whose values may be kept."""

    limits: Limits = field(default_factory=Limits)
    allowed_environment: frozenset[str] = frozenset()

    @traced("ingest.validate")
    def submission(self, received: bytes, actor: str, source: str, permit: Permit = anywhere) -> Submission:
        """Check and redact one event; NotJsonError, TooLargeError, InvalidEventError or ForbiddenError say why not.

        `permit` is asked for the namespace of the event's job, of a dataset event for that of its dataset.
        Duplicates are told by the bytes as received, less a byte order mark.
        """
        text = received.removeprefix(BYTE_ORDER_MARK)
        document = load_document(text, self.limits)
        outline = check_event(document.value, self.limits)
        permit(outline.namespace)
        redaction = redact(text, document, self.allowed_environment)
        return Submission(
            type=EntryType.OPENLINEAGE,
            actor=actor,
            received=text,
            body=redaction.body,
            redactions=redaction.pointers,
            source=source,
            event_time=outline.event_time,
        )
