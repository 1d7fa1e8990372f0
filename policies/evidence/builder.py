"""The one function that builds evidence from the graph.

It asks a `Reading` and nothing else, so every store gives the same bytes. The document is a function of the reading's
cut, the target and `evaluated_at`: what people attested counts from its acceptance until it expires, so the time of the
evaluation decides which statements fill fields, and nothing else reads a clock. It holds no log positions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from catalog import rfc3339
from catalog.errors import InvalidInputError, NotFoundError
from catalog.graph.record import Processing
from catalog.identity import NodeKind, base_version, structure
from catalog.instant import SECOND, text
from catalog.model import Gap, GapKind, Node, RunState
from catalog.reading import MAX_DEPTH, MAX_LIMIT, Reading
from policies.erasure.cases import Case
from policies.evidence.artifact import artifact_of
from policies.evidence.attested import Attested, about, lay_over, lay_over_fields
from policies.evidence.closure import Closure, closure, closure_of
from policies.evidence.columns import Column, Columns
from policies.evidence.data import Data, first_owner
from policies.evidence.document import Evidence, Subject, canonical
from policies.evidence.draft import Assurance, Authoritative, Draft, Governance, Voice
from policies.evidence.erasures import Erasures
from policies.evidence.layout import layout
from policies.evidence.measured import Measurements, thresholds_of
from policies.evidence.papers import approval, attestation, papers
from policies.evidence.people import IDENTITIES, People
from policies.evidence.roles import TEST, TRAINING, VALIDATION, Held, Roles
from policies.evidence.said import digest_in
from policies.evidence.service import Services
from policies.evidence.source import SourceKind
from policies.evidence.touch import aliases_of
from policies.evidence.training import Trained, put_developers, training_runs
from policies.evidence.upstream import Upstream
from policies.standing import standing_approvals
from policies.statements import ColumnJustification
from policies.verdict import Witness

_ABANDONED = 24 * 3600 * SECOND  # µs without an event after which a batch run is not waited for
_ENDLESS = (Processing.SERVICE, Processing.STREAMING)
_LISTED = {TRAINING: "trainingDatasets", VALIDATION: "validationDatasets", TEST: "testDatasets"}
_UNWRITTEN = (GapKind.EXTERNAL, GapKind.UNKNOWN_PRODUCER)
_MODELS = (NodeKind.MODEL, NodeKind.MODEL_VERSION)


@dataclass(frozen=True, slots=True)
class Built:
    """Evidence on one target.

    `document` are its JSON types, `bytes` the canonical JSON, `digest` over these. `dependencies` are the ids of the
    nodes that it was read from: an entry that speaks of none of them (see `touch`) leaves the bytes as they are, as
    long as it is received before `quiet_until` (µs): later, silence itself has changed something. `turns_at` is the
    first instant after `evaluated_at` at which, with nothing new, other statements count. None: never.
    """

    evidence: Evidence
    document: Mapping[str, Any]
    bytes: bytes
    digest: str
    closure: Closure | None
    dependencies: frozenset[str]
    witnesses: Mapping[str, Witness]
    turns_at: int | None
    quiet_until: int | None

    def witness(self, key: str) -> Witness | None:
        """What proves an item: by the id of a dataset version, column, run, deployment, approval or attestation."""
        return self.witnesses.get(key)


def everyone(actor: str, namespace: str) -> bool:
    """The authority of a catalog without credentials: every sender describes every namespace."""
    return True


def build_evidence(
    reading: Reading,
    target: str,
    *,
    evaluated_at: int,
    authoritative: Authoritative = everyone,
    depth: int = MAX_DEPTH,
    rows: int = MAX_LIMIT,
) -> Built:
    """Everything that a verdict on one model version, dataset version, run or deployment may depend on.

    `evaluated_at` is the decision time, µs. `authoritative` says whether a sender's facets of governance count in a
    namespace; those of others are listed in `facts` as SELF_DECLARED and not used. `depth` and `rows` bound each walk,
    and a walk that they cut says so in `lineage.truncated`.

    Raises NotFoundError for an unknown node, InvalidInputError for one of another kind, CorruptLogError for an act
    that cannot be read.
    """
    node = reading.node(target)
    if node is None:
        raise NotFoundError(f"Nothing known is called {target}.", "Check the spelling with a search, or the as-of.")
    if node.kind not in _SUBJECTS:
        raise InvalidInputError(
            f"{node.name} is a {node.kind.value}, which no policy judges.",
            "Name a model version, a dataset version, a run or a deployment.",
            pointer="/target",
        )
    return _Building(reading, node, evaluated_at, authoritative, depth, rows).built()


_SUBJECTS = frozenset({NodeKind.MODEL_VERSION, NodeKind.DATASET_VERSION, NodeKind.RUN, NodeKind.DEPLOYMENT})


class _Building:
    """One document being built."""

    def __init__(
        self, reading: Reading, node: Node, instant: int, authoritative: Authoritative, depth: int, rows: int
    ) -> None:
        self._reading = reading
        self._node = node
        self._instant = instant
        self._governance = Governance(reading, authoritative)
        self._attested = Attested(reading, instant)
        self._data = Data(reading, self._governance, self._attested)
        self._measurements = Measurements(reading, self._attested)
        self._services = Services(reading, self._attested, instant)
        self._erasures = Erasures(reading, instant)
        self._version = self._judged()
        root = self._version or node
        without, self._upstream = Upstream.with_and_without_history(reading, root.id, depth=depth, rows=rows)
        self._closure = self._closed(without, (depth, rows)) if self._version else None
        self._attested.standing(root.id, self._closure)
        reading.prepare(self._upstream.nodes)
        self._columns = Columns(reading, self._upstream, self._data, depth=depth, rows=rows)
        self._made = [node] if node.kind is NodeKind.RUN else reading.producers(root.id)
        self._sections: dict[str, list[Draft]] = {}
        self._listed: dict[str, Any] = {}
        self._witnesses: dict[str, Witness] = {}
        self._dependencies: set[str] = {node.id, root.id, *self._own}

    def _judged(self) -> Node | None:
        """The model version in question: the subject, or what a deployment serves."""
        if self._node.kind is NodeKind.DEPLOYMENT:
            served = self._services.serves(self._node.id)
            return self._reading.node(served) if served else None
        return self._node if self._node.kind is NodeKind.MODEL_VERSION else None

    def _closed(self, upstream: Upstream, bounds: tuple[int, int]) -> Closure:
        """The closure, which knows no bounds but the greatest."""
        if bounds == (MAX_DEPTH, MAX_LIMIT):
            return closure_of(self._reading, upstream)
        return closure(self._reading, upstream.root)

    @property
    def _own(self) -> tuple[str, ...]:
        """The nodes whose statements are about the subject, the more special one last."""
        if self._node.kind is NodeKind.RUN:
            return (self._node.id,)
        nodes = (*(about(self._version) if self._version else ()), *about(self._node))
        return tuple(dict.fromkeys(each for each in nodes if each is not None))

    def built(self) -> Built:
        runs = training_runs(self._reading, self._upstream, self._attested, self._made)
        self._sections["trainingRuns"] = [run.draft for run in runs]
        subject = self._subject(runs)
        if self._version is not None:
            self._measure(self._version)
        roles = Roles(self._upstream, self._made, self._measurements.read)
        unwritten = (gap.node for gap in self._upstream.gaps if gap.kind in _UNWRITTEN)
        held = (each.node.id for role in _LISTED for each in roles.of(role))
        self._data.prepare({*held, *(each for each in unwritten if self._upstream.nodes[each].kind not in _MODELS)})
        self._put_data(roles)
        self._put_columns()
        self._put_acts()
        self._put_erasures()
        document = self._listed | {name: [draft.values for draft in drafts] for name, drafts in self._sections.items()}
        document |= {"subject": subject.values, "lineage": self._lineage(roles), "facts": self._facts(subject)}
        return self._frozen(Evidence.model_validate(document))

    def _frozen(self, evidence: Evidence) -> Built:
        plain = evidence.plain()
        content = canonical(plain)
        turns = [
            turn for turn in self._attested.turns | self._services.turns | self._erasures.turns if turn > self._instant
        ]
        return Built(
            evidence,
            plain,
            content,
            f"sha256:{sha256(content).hexdigest()}",
            self._closure,
            self._depends_on(),
            self._witnesses,
            min(turns, default=None),
            self._quiet_until(),
        )

    # The subject -----------------------------------------------------------------------------------------------

    def _subject(self, runs: list[Trained]) -> Draft:
        node = self._node
        subject = Draft(Subject, id=node.id, kind=node.kind.value, namespace=node.namespace or "", name=node.name)
        subject.put("state", node.state)
        subject.put("version", (self._version or node).label if node.kind is not NodeKind.RUN else None)
        if self._version is not None:
            self._put_version(subject, self._version)
            people = People(self._reading, self._own)
            put_developers(subject, runs, people)
        elif node.kind is NodeKind.DATASET_VERSION:
            subject.put("digest", self._upstream.digests.get(node.id))
        if node.kind is not NodeKind.RUN:
            self._put_owner(subject)
        told = self._attested.counting(*self._own)
        lay_over(subject, told, layout(Subject, SourceKind.ATTESTED))
        lay_over_fields(subject, [each for each in told if each[0].said.target.kind in _MODELS])
        return subject

    def _put_version(self, subject: Draft, version: Node) -> None:
        assert self._closure is not None
        artifact = artifact_of(self._reading, version)
        subject.put("digest", artifact.digest)
        subject.put("closureDigest", self._closure.digest)
        subject.put("registeredAt", version.ended)
        if not artifact.card:
            return
        voice = self._governance.heard(artifact.actor, artifact.at, version.namespace or "")
        for property_, path in layout(Subject, SourceKind.CUSTOM)["lineward_model"].items():
            if path != "digest":
                subject.put(path, artifact.card.get(property_), voice)
        if artifact.base_model:
            _, name, label = artifact.base_model
            subject.put("baseModel", f"{name}@{label}" if label else name)

    def _put_owner(self, subject: Draft) -> None:
        told = self._governance.of(self._version or self._node, ["ownership"])
        if "ownership" in told:
            body, voice = told["ownership"]
            subject.put("owner", first_owner(body), voice)

    # Checks and service ----------------------------------------------------------------------------------------

    def _measure(self, version: Node) -> None:
        assert self._closure is not None
        bounds = thresholds_of(self._attested, version)
        evaluations = self._measurements.evaluations(version, self._closure.digest, bounds)
        services = self._services.of(version)
        if self._node.kind is NodeKind.DEPLOYMENT:
            services = [service for service in services if service.job == self._node.id]
        tests = sorted({draft["datasetId"] for draft in evaluations if draft["datasetId"]})
        self._sections["evaluations"] = evaluations
        self._sections["challengerEvaluations"] = self._measurements.challengers(version, tests)
        self._sections["deployments"] = self._services.records(version, services)
        self._sections["monitoringRuns"] = self._measurements.monitoring(version, services, bounds)
        for draft in evaluations:
            self._witnesses[draft["run"]] = self._measurements.witness(version, draft["run"])
        for service in services:
            self._witnesses[service.job] = service.witness(version.id)

    # Data ------------------------------------------------------------------------------------------------------

    def _put_data(self, roles: Roles) -> None:
        for role, name in _LISTED.items():
            self._sections[name] = [self._dataset(held) for held in roles.of(role)]
            if role != TRAINING:
                for draft in self._sections[name]:
                    draft.values.pop("direct", None)
        training = self._sections["trainingDatasets"]
        self._listed["trainingDigests"] = sorted({draft["digest"] for draft in training if draft["digest"]})
        groups = {held.use.split_group for held in roles.of(TRAINING)}
        self._listed["trainingSplitGroups"] = sorted(group for group in groups if group is not None)

    def _dataset(self, held: Held) -> Draft:
        node = held.node
        behind = node.id in self._upstream.nodes
        makers = self._upstream.makers(node.id) if behind else []
        named = digest_in(node.label)
        draft = self._data.record(
            node,
            digest=self._upstream.digests.get(node.id) or named or held.use.digest,
            verified=self._verified(held) if named is not None and held.use.digest == named else None,
            split_group=held.use.split_group,
            makers=makers or self._reading.producers(node.id),
        )
        draft.put("derived", any(self._upstream.into(maker.id) for maker in makers))
        draft.put("direct", held.direct)
        if behind:
            self._witnesses.setdefault(node.id, self._upstream.witness(node.id))
        elif held.run is not None:
            told = tuple(event.seq for event in self._reading.run_events(held.run))
            self._witnesses.setdefault(node.id, Witness((node.id, held.run), told))
        return draft

    def _verified(self, held: Held) -> Voice | None:
        """The run that read the data and measured it again."""
        events = self._reading.run_events(held.run) if held.run else []
        return Voice(events[-1].actor, text(events[-1].at), Assurance.VERIFIED) if events else None

    def _put_columns(self) -> None:
        told = self._justifications()
        self._listed["inputColumns"] = [self._column(column, told) for column in self._columns.found]
        self._witnesses |= {column.id: column.witness for column in self._columns.found}

    def _column(self, column: Column, told: Mapping[tuple[str, str | None], str]) -> dict[str, Any]:
        dataset = column.dataset
        record = {
            "id": column.id,
            "dataset": dataset.name,
            "datasetId": dataset.id,
            "field": column.field,
            "labels": list(column.labels),
            "path": list(column.path),
            "transformations": list(column.transformations),
            "masked": column.masked,
        }
        versions = [n.id for n in self._upstream.nodes.values() if n.parent == dataset.id]
        own = self._attested.of_type(ColumnJustification, dataset.id, *sorted(versions))
        reasons = [said.reason for _, said in own if said.field == column.field]
        reason = (
            told.get((column.field, dataset.name))
            or told.get((column.field, None))
            or (reasons[-1] if reasons else None)
        )
        return record | ({"justification": reason} if reason else {})

    def _justifications(self) -> Mapping[tuple[str, str | None], str]:
        """What is stated of columns at the model and its version: the last word."""
        told = self._attested.of_type(ColumnJustification, *self._own)
        return {(said.field, said.dataset): said.reason for _, said in told}

    def _lineage(self, roles: Roles) -> dict[str, Any]:
        cut = self._upstream.graph.truncated is not None or self._columns.truncated or self._erasures.truncated
        gaps = [
            {"kind": gap.kind.value, "node": gap.node, "reason": gap.reason}
            for gap in (*self._upstream.gaps, *self._erased())
            if gap.kind not in _UNWRITTEN or not self._is_declared(gap.node)
        ]
        model = self._version.parent if self._version else None
        return {
            "complete": not gaps and not cut,
            "truncated": cut,
            "gaps": gaps,
            "depthReached": self._upstream.graph.depth_reached,
            "columnCoverage": self._columns.coverage(held.node for held in roles.of(TRAINING)),
            "feedback": roles.feeds_back(model),
        }

    def _erased(self) -> list[Gap]:
        """What was erased of what is not upstream: the subject's job, data that it was tested on."""
        beside = {*self._own, *self._data.touched, *self._columns.datasets} - self._upstream.nodes.keys()
        return self._reading.erased(sorted(beside))

    def _is_declared(self, node: str) -> bool:
        """Whether it is said where data that nobody of ours wrote comes from: then it is a source, and no gap."""
        described = self._upstream.nodes[node]
        if described.kind in _MODELS:
            return False
        draft = self._data.record(described, digest=None, verified=None, split_group=None, makers=[])
        return draft["origin.source"] is not None

    # Acts ------------------------------------------------------------------------------------------------------

    def _put_acts(self) -> None:
        stated = [each for node in self._own for each in self._attested.standing(node)]
        self._listed |= papers(self._attested.counting(*self._own))
        self._listed["attestations"] = sorted(map(attestation, stated), key=lambda each: each["id"])
        self._witnesses |= {each.id: Witness((each.said.target.node,), (each.seq,)) for each in stated}
        if self._version is None:
            return
        given = standing_approvals(self._reading, self._version.id, self._closure)
        self._listed["approvals"] = sorted(map(approval, given), key=lambda each: each["id"])
        self._witnesses |= {each.id: Witness((self._version.id,), (each.seq,)) for each in given}

    def _put_erasures(self) -> None:
        if self._version is None:
            return
        version, upstream = self._version, self._upstream.nodes
        datasets = {node.parent for node in upstream.values() if node.parent} | self._columns.datasets
        found = self._erasures.of(version, {*upstream, *datasets, *self._data.touched})
        self._listed["erasures"] = [self._erasures.record(case, version) for case in found]
        self._listed["openErasures"] = [case.id for case in found if case.is_open_for(version.id, self._instant)]
        for draft in self._sections["trainingDatasets"]:
            self._put_own_erasures(draft, found)

    def _put_own_erasures(self, draft: Draft, found: Iterable[Case]) -> None:
        """Of the data itself: rows that went from it later than it was written."""
        node = self._upstream.nodes.get(draft["id"]) or self._reading.node(draft["id"])
        if node is None:
            return
        same = self._reading.aliases_ever([node.parent or node.id])
        began = None if node.started is None else rfc3339.parse(node.started)
        own = (case for case in found if not same.isdisjoint(case.datasets))
        draft.put("erasures", [case.id for case in own if began is None or began < case.before] or None)

    def _facts(self, subject: Draft) -> list[dict[str, Any]]:
        found = list(subject.facts("/subject"))
        for name, drafts in sorted(self._sections.items()):
            for place, draft in enumerate(drafts):
                found += draft.facts(f"/{name}/{place}")
        return sorted(found, key=lambda fact: fact["pointer"])

    # What it depends on ----------------------------------------------------------------------------------------

    def _depends_on(self) -> frozenset[str]:
        found = self._dependencies | self._columns.datasets | self._columns.jobs
        found |= self._data.touched | self._measurements.touched | self._services.touched | self._erasures.touched
        found |= self._closure.nodes if self._closure else set()
        found |= self._upstream.nodes.keys()
        if self._version is not None:
            found.add(IDENTITIES)
        described = self._reading.describe(each for each in sorted(found) if each != IDENTITIES)
        found |= {node.parent for node in described.values() if node.parent}
        for run in described.values():
            found |= self._ancestors(run)
        found |= {base_version(each) for each in found}
        return frozenset(found | self._aliases(found))

    def _ancestors(self, run: Node) -> set[str]:
        """The runs above a run, which can end it and roll its reads up."""
        found: set[str] = set()
        above = run.parent_run
        while above is not None and above not in found:
            found.add(above)
            node = self._reading.node(above)
            above = node.parent_run if node else None
        return found

    def _aliases(self, found: Iterable[str]) -> set[str]:
        datasets = [each for each in sorted(found) if structure(each) is NodeKind.DATASET]
        return {alias for dataset in datasets for alias in aliases_of(self._reading, dataset)}

    def _quiet_until(self) -> int | None:
        """How long silence of running runs and of services changes nothing."""
        ends = [] if self._services.patient_until is None else [self._services.patient_until]
        given_up = {gap.node for gap in self._upstream.gaps if gap.kind is GapKind.NEVER_ENDED}
        for node in self._upstream.nodes.values():
            if node.kind is NodeKind.RUN and node.state == RunState.RUNNING and node.id not in given_up:
                events = self._reading.run_events(node.id)
                if events and events[-1].processing not in _ENDLESS:
                    ends.append(events[-1].at + _ABANDONED)
        return min(ends, default=None)
