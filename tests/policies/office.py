"""A catalog in which people act: events go in first, and every act is projected as soon as it is logged."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from catalog.access import Access, LogState
from catalog.act import Act
from catalog.graph.contract import GraphStore
from catalog.graph.memory import MemoryGraph
from catalog.identity import NodeKind
from catalog.instant import text
from catalog.log.entry import Entry, Receipt, Submission
from catalog.model import DatasetRef, NodeRef
from catalog.principal import Grant, Principal, Scope, grants
from catalog.projector import Projector
from policies.acts import Body, Decide, Snapshot, make, target_of
from policies.evidence.builder import build_evidence
from policies.journal import Journal
from policies.lapse import ALLOW_MICROS
from policies.register import Entered, Register
from policies.request import ApproveRequest, AttestRequest, RevokeRequest, WaiveRequest
from tests.ingest.events import ORIGIN, Event, at, entries_of, facet, model, read_entry, time, versioned, whole_run

REGISTRY = "mlflow://registry:5000"
NOON = at(43_200)
DAY = 86_400 * 1_000_000
HOUR = 3_600 * 1_000_000
ENVIRONMENT = "production"
PACK = "base"

TRAINING = [
    *whole_run("load", 1, 2, writes=[versioned("applications", "a1")]),
    *whole_run(
        "train",
        3,
        4,
        reads=[versioned("applications", "a1")],
        writes=[model("credit", "1")],
        lineward_training=facet(authors=["Eve <Eve@Example.org>"], user="dan@example.org"),
    ),
    *whole_run("retrain", 5, 6, reads=[versioned("applications", "a1")], writes=[model("credit", "2")]),
]


def later_input(run: str = "train") -> list[Event]:
    """What a late event adds to a training run: one more input."""
    return whole_run(run, 3, 4, reads=[versioned("late", "l1")], writes=[model("credit", "1")])


def changed_code(run: str = "train", commit: str = "c2", after: float = 0) -> list[Event]:
    location = facet(type="git", url="https://git.example/train.py", version=commit)
    return whole_run(
        run, 3 + after, 4 + after, writes=[model("credit", "1")], job_facets={"sourceCodeLocation": location}
    )


def version(name: str = "1") -> NodeRef:
    return NodeRef(model=DatasetRef(REGISTRY, "credit", name))


def person(name: str, *roles: str, scopes: Iterable[Scope] = Scope, namespaces: Sequence[str] = ("*",)) -> Principal:
    return Principal(f"key:{name}", f"{name}@example.org", grants(scopes, namespaces), roles)


ANN, BOB, CARL, DAN, EVE = (person(name) for name in ("ann", "bob", "carl", "dan", "eve"))
PIPELINE = Principal("key:pipeline", None, tuple(Grant(scope) for scope in Scope))


def control(id_: str, **given: Any) -> dict[str, Any]:
    """A control that asks for an owner, save where something else is given."""
    return {
        "id": id_,
        "title": "Somebody answers for it",
        "citation": {"article": "our own"},
        "plain": "Somebody answers for the model.",
        "severity": "high",
        "assurance": "automatic",
        "applies": "true",
        "requires": [{"expression": "has(subject.owner)", "missing": "nobody is told"}],
        "checks": [{"id": "owner", "expression": "subject.owner != ''", "message": "the owner is nobody"}],
        "remediation": "Name an owner.",
    } | given


CONTROLS = (control("licence"), control("fourEyes", waivable=False), control("secret", severity="critical"))


def pack(
    name: str = PACK, version: str = "1.0.0", *, controls: Sequence[Mapping[str, Any]] = CONTROLS, **more: Any
) -> dict[str, Any]:
    """A reviewed pack."""
    return {
        "apiVersion": "lineward.dev/v1",
        "kind": "PolicyPack",
        "metadata": {"name": name, "version": version, "status": "reviewed", "reviewedBy": [{"name": "Lex"}]},
        "source": {"instrument": "Ours", "uri": "https://example.org", "binding": "internal", "certainty": "enacted"},
        "controls": list(controls),
        **more,
    }


def binding(name: str = "starter", *packs: str, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "lineward.dev/v1",
        "kind": "PolicyBinding",
        "metadata": {"name": name},
        "environments": [ENVIRONMENT],
        "packs": [{"name": each} for each in packs or (PACK,)],
        **more,
    }


class Office:
    """A register over a log in memory. Its clock stands still unless moved."""

    def __init__(self, events: Iterable[Event] = tuple(TRAINING), store: GraphStore | None = None) -> None:
        self.store = MemoryGraph() if store is None else store
        self.entries: list[Entry] = []
        self.now = NOON
        self._projector = Projector(self.store, ORIGIN, read_entry)
        self.access = Access(self.store, lambda: LogState(ORIGIN, len(self.entries), b"\0" * 32), 0.01)
        self.journal = Journal(self.access, self.append, clock=lambda: self.now)
        self.register = Register(self.journal)
        self.tell(events)

    def append(self, submission: Submission) -> Receipt:
        seq = len(self.entries)
        entry = Entry(seq, self.now, submission.type, submission.actor, "act", (), submission.body, b"")
        self.entries.append(entry)
        self.project()
        return Receipt(seq, b"", False)

    def tell(self, events: Iterable[Event]) -> None:
        start = len(self.entries)
        for seq, told in enumerate(entries_of(events), start):
            self.entries.append(Entry(seq, told.recorded, told.type, told.actor, told.source, (), told.body, b""))
        self.project()

    def project(self) -> None:
        self._projector.project(self.entries[self._projector.offset :])

    def wait(self, micros: int) -> None:
        self.now += micros

    def later(self, micros: int) -> str:
        """RFC 3339 of a time from now."""
        return time((self.now + micros - at(0)) / 1_000_000)

    # Acts, with what does not matter filled in -----------------------------------------------------------------

    def approve(self, who: Principal, name: str = "1", environment: str = ENVIRONMENT, **more: Any) -> Entered:
        return self.register.approve(who, ApproveRequest(version(name), environment, **more))

    def waive(self, who: Principal, control: str = "licence", name: str = "1", **more: Any) -> Entered:
        said = {
            "reason": "the supplier has gone",
            "compensating_control": "checked by hand",
            "expires_at": self.later(10 * DAY),
            "pack": PACK,
        } | more
        return self.register.waive(who, WaiveRequest(version(name), control=control, **said))

    def attest(self, who: Principal, type_: str = "dpia", target: NodeRef | None = None, **more: Any) -> Entered:
        said = {"statement": {"summary": "done"}, "expires_at": self.later(10 * DAY)} | more
        return self.register.attest(who, AttestRequest(target or version(), type_, **said))

    def revoke(self, id_: str, reason: str = "a mistake") -> RevokeRequest:
        return RevokeRequest(id_, reason)

    def enact(self, *documents: Mapping[str, Any]) -> str:
        """Bring documents into force by two people; the id of the proposal."""
        proposed = self.register.propose_policy(ANN, documents or (pack(), binding()))
        return self.register.confirm_policy(BOB, proposed.proposal.act.id).proposal.act.id

    def decided(self, state: str = "ALLOW", name: str = "1", **said: Any) -> str:
        """Log a decision on a version, as it is now, without asking the gate; its id."""
        with self.access.reading() as reading:
            node = reading.find(version(name))
            assert node is not None
            evidence = build_evidence(reading, node.id, evaluated_at=self.now).document
        given: dict[str, Any] = {
            "target": target_of(node),
            "environment": ENVIRONMENT,
            "requester": "ann@example.org",
            "state": state,
            "reasons": (),
            "snapshot": Snapshot(origin=ORIGIN, log_size=1, root="", known=1),
            "evaluated_at": text(self.now),
            "evidence": dict(evidence),
            "expires_at": text(self.now + ALLOW_MICROS) if state == "ALLOW" else None,
            "verdict": "pass",
        }
        return self.write(make(Decide, PIPELINE, self.now, **(given | said))).id

    def acts(self, kind: NodeKind) -> list[Act]:
        with self.access.reading() as reading:
            return reading.acts(kind)

    def write(self, body: Body) -> Act:
        """Log an act that no check has seen."""
        return self.journal.write(body).act
