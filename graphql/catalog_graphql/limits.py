"""How much one operation, one caller and one connection may ask for."""

from dataclasses import dataclass, field, replace

from catalog.errors import RetryableError
from catalog.principal import Principal, Scope


class TooSlowError(RetryableError):
    """The operation took longer than any may."""

    code = "TOO_SLOW"


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Of one operation as it is written, fragments counted wherever they are spread."""

    tokens: int = 2_000  # validation of so many takes half a second at worst
    depth: int = 20  # fields below fields; the usual introspection query has 14
    nesting: int = 40  # selection sets in selection sets, those of fragments included
    aliases: int = 30
    root_fields: int = 10
    directives: int = 20
    fields: int = 2_000
    values: int = 300_000  # of the answer, every list at the length that was asked for


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, counts and seconds of the door `/graphql`."""

    body: int = 256 * 1024  # bytes of a request, and of a message on a WebSocket
    chunk_seconds: float = 15.0  # between two pieces of a body
    body_seconds: float = 30.0  # for a whole body
    operation_seconds: float = 30.0  # a question that waits for a projection waits five of them
    at_once: int = 32  # operations of one principal; the next is told to come back
    threads: int = 16  # of the store's 32 for one principal; the next waits
    sockets: int = 32  # WebSockets of one principal
    subscriptions: int = 20  # on one WebSocket
    init_seconds: float = 5.0  # until a WebSocket says who it is
    recheck_seconds: float = 5.0  # between two looks at whether it still may
    send_seconds: float = 10.0  # for one message to be taken
    document: DocumentLimits = field(default_factory=DocumentLimits)

    def of(self, principal: Principal) -> DocumentLimits:
        """Those who may read nothing have nothing to ask that takes many words."""
        return self.document if may_explore(principal) else replace(self.document, tokens=self.document.tokens // 2)


def may_explore(principal: Principal) -> bool:
    """Whether somebody may be shown the schema: whoever may read lineage somewhere."""
    return principal.may(Scope.LINEAGE_READ)
