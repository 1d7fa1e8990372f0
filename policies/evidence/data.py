"""The dataset versions behind a model, each with what its steward and its checks say."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from catalog.identity import NodeKind, base_version, dataset_id, named_version_id
from catalog.model import Node
from catalog.reading import Reading
from catalog.reported import code_of, only
from policies.evidence.attested import Attested, Told, about, lay_over, lay_over_fields
from policies.evidence.document import Dataset
from policies.evidence.draft import Draft, Governance, Voice, voice_of
from policies.evidence.layout import layout
from policies.evidence.said import digest_in, moment_in, part_in, text_in, texts_in
from policies.evidence.source import SourceKind
from policies.evidence.tags import Labels, labels_in
from policies.statements import BiasExamination

READERS = 1_000  # runs that read one version and are looked at for checks
_GOVERNANCE = "lineward_dataGovernance"
_FACETS = (_GOVERNANCE, "ownership", "tags", "symlinks")
_TIMES = frozenset({"retentionUntil"})


class Data:
    """Writes the records of dataset versions. `touched` collects the nodes that they were read from."""

    def __init__(self, reading: Reading, governance: Governance, attested: Attested) -> None:
        self._reading = reading
        self._governance = governance
        self._attested = attested
        self._readers: dict[str, list[Node]] = {}
        self.touched: set[str] = set()
        self.labels_of = cache(self._labels_of)
        self._facets = cache(self._read_facets)

    def prepare(self, nodes: Iterable[str]) -> None:
        """Fetch together what the records of these will be written from."""
        fresh = sorted(set(nodes) - self._readers.keys())
        if fresh:
            self._reading.prepare(fresh)
            self._readers |= self._reading.readers_of(fresh, READERS)

    def record(
        self, node: Node, *, digest: str | None, verified: Voice | None, split_group: str | None, makers: list[Node]
    ) -> Draft:
        """The record of a version, or of a dataset of which no version is known.

        `verified` is the reader that measured the digest which its writer had told; `makers` are what wrote it.
        """
        draft = Draft(Dataset, id=node.id, namespace=node.namespace or "", name=node.name)
        draft.put("version", _name_of(node))
        draft.put("digest", digest, verified)
        draft.put("splitGroup", split_group)
        self._govern(draft, node)
        self._check(draft, node)
        if makers:
            commits = {code.version for run in makers if (code := code_of(self._reading, run.id)) and code.version}
            draft.put("producerCode", min(commits, default=None))
        draft.put("external", not makers)
        told = self._attested.counting(*about(node))
        lay_over(draft, told, layout(Dataset, SourceKind.ATTESTED))
        self._examine(draft, told)
        lay_over_fields(draft, told)
        self.touched |= {each for each in about(node) if each is not None}
        return draft

    # Facets ----------------------------------------------------------------------------------------------------

    def _read_facets(self, node: Node) -> dict[str, tuple[Mapping[str, Any], Voice]]:
        found = self._governance.of(node, _FACETS)
        self.touched |= _aliases(found)
        return found

    def _labels_of(self, node: Node) -> Labels:
        return labels_in(self._facets(node).get("tags"))

    def _govern(self, draft: Draft, node: Node) -> None:
        told = self._facets(node)
        if _GOVERNANCE in told:
            body, voice = told[_GOVERNANCE]
            for property_, path in layout(Dataset, SourceKind.CUSTOM).get(_GOVERNANCE, {}).items():
                value = part_in(body, property_)
                draft.put(path, moment_in(value) if path in _TIMES else value, voice)
        if "ownership" in told:
            body, voice = told["ownership"]
            draft.put("owner", first_owner(body), voice)
        if "tags" in told:
            _, voice = told["tags"]
            draft.put("classifiedAt", voice.at, voice)
        draft.put("labels", list(self.labels_of(node).own))

    # Checks ----------------------------------------------------------------------------------------------------

    def _check(self, draft: Draft, node: Node) -> None:
        """What runs that read the version found: quality assertions, and examinations for bias that read no model."""
        checks: dict[str, dict[str, Any]] = {}
        examined = []
        self.prepare([node.id])
        for run in self._readers[node.id]:
            self.touched.add(run.id)
            for check in self._assertions(run, node):
                held = checks.get(check["name"])
                if held is None or (held["at"], not held["passed"]) <= (check["at"], not check["passed"]):
                    checks[check["name"]] = check
            examined += self._examination(run)
        draft.put("qualityChecks", [checks[name] for name in sorted(checks)] or None)
        draft.put("biasExaminations", examined or None)

    def _assertions(self, run: Node, node: Node) -> Iterable[dict[str, Any]]:
        dataset = node.parent or node.id
        bundles = [
            (event, bundle)
            for event in self._reading.run_events(run.id)
            for use in (*event.inputs, *event.outputs)
            if use.dataset == dataset and use.version in (None, node.label)
            for bundle in (use.use_bundle, use.bundle)
        ]
        for facet in self._reading.said(bundles, ["dataQualityAssertions"]):
            yield from _checks(only([facet]), facet.at)

    def _examination(self, run: Node) -> list[dict[str, Any]]:
        body = only(self._reading.facets(run.id, ["lineward_evaluation"]))
        if body.get("kind") != "bias" or self._reads_model(run):
            return []
        found: dict[str, Any] = {"at": run.ended or run.started or "", "attributes": attributes_of(body)}
        report = digest_in(body.get("reportDigest"))
        return [found | ({"reportDigest": report} if report else {})]

    def _reads_model(self, run: Node) -> bool:
        read = {use.dataset for event in self._reading.run_events(run.id) for use in event.inputs}
        return any(node.kind is NodeKind.MODEL for node in self._reading.describe(read).values())

    def _examine(self, draft: Draft, told: Iterable[Told]) -> None:
        """Attested examinations beside the reported ones."""
        attested = []
        for act, said in told:
            if isinstance(said, BiasExamination):
                made = said.plain()
                attested.append({"at": act.said.at, "by": act.said.by.person or act.said.by.principal} | made)
                draft.voices["biasExaminations"] = voice_of(act)
        reported = draft["biasExaminations"] or []
        every = sorted(
            (*reported, *attested), key=lambda each: (each["at"], each.get("by", ""), each.get("outcome", ""))
        )
        draft.put("biasExaminations", every or None)


def readers_of(reading: Reading, node: str) -> list[Node]:
    """The runs that read a version, by id."""
    return reading.readers_of([node], READERS)[node]


def attributes_of(body: Mapping[str, Any]) -> list[str]:
    """The columns that the slices of an evaluation depend on; a slice without any stands for itself."""
    slices = body.get("slices")
    found: set[str] = set()
    for each in slices if isinstance(slices, list) else ():
        if isinstance(each, Mapping) and isinstance(each.get("name"), str):
            found.update(texts_in(each.get("attributes")) or [each["name"]])
    return sorted(found)


def first_owner(body: Mapping[str, Any]) -> str | None:
    """The first owner of an ownership facet (OwnershipDatasetFacet 1-0-1)."""
    owners = body.get("owners")
    named = (owner.get("name") for owner in owners if isinstance(owner, Mapping)) if isinstance(owners, list) else ()
    return next((name for each in named if (name := text_in(each))), None)


def _checks(body: Mapping[str, Any], at: str) -> Iterable[dict[str, Any]]:
    """DataQualityAssertionsDatasetFacet 1-0-2; an assertion on a column is `assertion(column)`."""
    listed = body.get("assertions")
    for each in listed if isinstance(listed, list) else ():
        if (
            isinstance(each, Mapping)
            and isinstance(each.get("assertion"), str)
            and isinstance(each.get("success"), bool)
        ):
            column = text_in(each.get("column"))
            name = each["assertion"] + (f"({column})" if column else "")
            yield {"name": name, "passed": each["success"], "at": at}


def _aliases(told: Mapping[str, tuple[Mapping[str, Any], Voice]]) -> set[str]:
    """The datasets that a symlinks facet names."""
    body = told["symlinks"][0] if "symlinks" in told else {}
    listed = body.get("identifiers")
    return {
        dataset_id(each["namespace"], each["name"])
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, Mapping) and isinstance(each.get("namespace"), str) and isinstance(each.get("name"), str)
    }


def _name_of(node: Node) -> str | None:
    """The version's name where its producer gave one."""
    if node.kind not in (NodeKind.DATASET_VERSION, NodeKind.MODEL_VERSION) or node.label is None or node.parent is None:
        return None
    return node.label if base_version(node.id) == named_version_id(node.parent, node.label) else None
