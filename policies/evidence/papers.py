"""What people stated of a model and its version, as lists: validations, documents, incidents and the rest."""

from collections.abc import Callable, Iterable
from typing import Any

from catalog.instant import text
from policies import statements
from policies.evidence.attested import Told
from policies.standing import StandingApproval, StandingAttestation
from policies.statements import Statement

Record = dict[str, Any]


def papers(told: Iterable[Told]) -> dict[str, list[Record]]:
    """The lists of the document that statements fill, each in the order of its content."""
    every = list(told)
    found = {name: _sorted(make(each, said) for each, said in _of(every, kind)) for name, kind, make in _LISTS}
    return found | {"incidents": _incidents(_of(every, statements.Incident))}


def _of(told: Iterable[Told], kind: type[Statement]) -> list[tuple[StandingAttestation, Any]]:
    return [(each, said) for each, said in told if isinstance(said, kind)]


def _sorted(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: [(name, str(record[name])) for name in sorted(record)])


def _validation(each: StandingAttestation, said: Statement) -> Record:
    return {"at": each.said.at} | said.plain() | {"by": person(each), "current": each.current}


def _document(each: StandingAttestation, said: Statement) -> Record:
    return said.plain() | {"at": each.said.at, "approvedBy": person(each)}


def _plain(each: StandingAttestation, said: Statement) -> Record:
    return said.plain()


_LISTS: tuple[tuple[str, type[Statement], Callable[[StandingAttestation, Statement], Record]], ...] = (
    ("validations", statements.Validation, _validation),
    ("documents", statements.Document, _document),
    ("registrations", statements.Registration, _plain),
    ("thirdParties", statements.ThirdParty, _plain),
)


def _incidents(told: list[tuple[StandingAttestation, Any]]) -> list[Record]:
    """Each incident as the last statement with its reference has it; one without a reference is its own."""
    last: dict[str, Record] = {}
    for each, said in sorted(told, key=lambda pair: pair[0].seq):
        record = {"id": each.id} | {name: value for name, value in said.plain().items() if name != "reference"}
        last[said.reference or each.id] = record
    return sorted(last.values(), key=lambda record: str(record["id"]))


def person(each: StandingAttestation) -> str:
    """Who stated it; the name of the key where nobody is known behind it."""
    return each.said.by.person or each.said.by.principal


def attestation(each: StandingAttestation) -> Record:
    said = each.said
    record = {
        "id": each.id,
        "type": said.type,
        "person": person(each),
        "role": said.role,
        "at": text(each.since),
        "expiresAt": text(each.until),
        "documentDigest": said.document_digest,
        "documentUri": said.document_uri,
        "current": each.current,
    }
    return {name: value for name, value in record.items() if value is not None}


def approval(each: StandingApproval) -> Record:
    said = each.said
    record = {
        "id": each.id,
        "person": said.by.person,
        "role": said.role,
        "roles": list(said.by.roles),
        "at": said.at,
        "environment": said.environment,
        "use": said.use,
        "conditions": list(said.conditions),
        "validUntil": said.valid_until,
        "current": each.current,
        "changed": list(each.changed),
    }
    return {name: value for name, value in record.items() if value is not None}
