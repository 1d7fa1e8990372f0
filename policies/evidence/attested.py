"""Statements of people, laid over what events told."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.errors import CorruptLogError, InvalidInputError
from catalog.identity import NodeKind
from catalog.model import Node
from catalog.reading import Reading
from policies.evidence.closure import Closure
from policies.evidence.draft import Draft, voice_of
from policies.standing import StandingAttestation, standing_attestations
from policies.statements import FieldStatement, Statement, parse_statement

Told = tuple[StandingAttestation, Statement]


class Attested:
    """The statements about nodes that count at one instant (µs). `turns` are the instants at which others will."""

    def __init__(self, reading: Reading, instant: int) -> None:
        self._reading = reading
        self._instant = instant
        self._standing: dict[str, list[StandingAttestation]] = {}
        self.turns: set[int] = set()

    def standing(self, node: str, now: Closure | None = None) -> list[StandingAttestation]:
        """All that nobody withdrew, in the order of the log, whether they count now or not."""
        if node not in self._standing:
            self._standing[node] = standing_attestations(self._reading, node, now)
            times = (time for each in self._standing[node] for time in (each.since, each.until))
            self.turns |= {time for time in times if time > self._instant}
        return self._standing[node]

    def counting(self, *nodes: str | None) -> list[Told]:
        """What counts about these nodes, in the order of the log; the later node comes after the earlier one."""
        return [
            (each, _typed(each))
            for node in nodes
            if node is not None
            for each in self.standing(node)
            if each.counts(self._instant)
        ]

    def of_type(self, kind: type[Statement], *nodes: str | None) -> Iterator[tuple[StandingAttestation, Any]]:
        """Those with one type of payload."""
        return ((each, said) for each, said in self.counting(*nodes) if isinstance(said, kind))


def _typed(standing: StandingAttestation) -> Statement:
    said = standing.said
    try:
        return parse_statement(said.type, said.statement, NodeKind(said.target.kind))
    except InvalidInputError as error:
        raise CorruptLogError(
            f"the statement {standing.id} cannot be read: {error.message}", "Withdraw it, and attest it again."
        ) from error


def lay_over(draft: Draft, told: Iterable[Told], layout: Mapping[str, Mapping[str, str]]) -> None:
    """Put the properties of statements into the fields that `layout` gives them, by type of statement."""
    for each, said in told:
        places = layout.get(each.said.type, {})
        for property_, value in _leaves(said.plain()):
            if property_ in places:
                draft.put(places[property_], value, voice_of(each))


def lay_over_fields(draft: Draft, told: Iterable[Told]) -> None:
    """Put what statements of the type `field` say, where the record has such a field."""
    for each, said in told:
        if isinstance(said, FieldStatement) and draft.has_field(said.path):
            draft.put(said.path, said.value, voice_of(each))


def _leaves(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, each in value.items():
        if isinstance(each, Mapping):
            yield from _leaves(each, f"{prefix}{name}.")
        else:
            yield prefix + name, each


def about(node: Node) -> tuple[str | None, str]:
    """The nodes whose statements tell of a node: what it is a version of, then itself."""
    return node.parent, node.id
