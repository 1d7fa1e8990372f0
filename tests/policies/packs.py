"""Small packs and evidence to try things on."""

from collections.abc import Mapping
from typing import Any

from policies.loading import parse_document
from policies.pack import PolicyPack
from policies.verdict import ControlResult

HEAD = """\
apiVersion: lineward.dev/v1
kind: PolicyPack
metadata: {name: house, version: 1.0.0, status: reviewed, reviewedBy: [{name: Lea}]}
source: {instrument: House rules, uri: "https://example.org/rules", binding: internal, certainty: enacted}
"""


def control(**parts: Any) -> dict[str, Any]:
    """A control that asks for a licence, unless told otherwise."""
    return {
        "id": "C-1",
        "title": "Licensed",
        "citation": {"article": "1"},
        "plain": "The model has a licence.",
        "severity": "high",
        "assurance": "automatic",
        "checks": [{"id": "licence", "expression": "subject.licence == 'MIT'", "message": "it is not MIT"}],
        "remediation": "Send one.",
    } | parts


def each_dataset(expression: str, **parts: Any) -> dict[str, Any]:
    """A control on each training dataset."""
    return control(
        inputs={"upstream": {}},
        requires=[{"expression": "size(trainingDatasets) > 0", "missing": "no dataset"}],
        forEach={"in": "trainingDatasets", "as": "dataset", "key": "dataset.id"},
        checks=[{"id": "each", "expression": expression, "message": "=dataset.name + ' will not do'"}],
        **parts,
    )


def pack_of(*controls: Mapping[str, Any], **head: Any) -> PolicyPack:
    """A reviewed pack in force, of these controls."""
    document = {
        "apiVersion": "lineward.dev/v1",
        "kind": "PolicyPack",
        "metadata": {"name": "house", "version": "1.0.0", "status": "reviewed", "reviewedBy": [{"name": "Lea"}]},
        "source": {
            "instrument": "House rules",
            "uri": "https://example.org/rules",
            "binding": "internal",
            "certainty": "enacted",
        },
        "controls": list(controls or [control()]),
    } | head
    made = parse_document(document)
    assert isinstance(made, PolicyPack)
    return made


def evidence(**parts: Any) -> dict[str, Any]:
    """A model version of which nothing is known but its name, and these parts; `subject` is added to."""
    subject = {"id": "version:1", "kind": "MODEL_VERSION", "namespace": "n", "name": "risk", "version": "1"}
    lineage = {"complete": True, "truncated": False, "gaps": [], "depthReached": 1, "columnCoverage": 1.0}
    lists = ("trainingDatasets", "trainingRuns", "evaluations", "approvals", "attestations", "deployments")
    empty: dict[str, Any] = {
        name: [] for name in (*lists, "validationDatasets", "testDatasets", "inputColumns", "incidents")
    }
    return {
        **empty,
        "lineage": lineage | parts.pop("lineage", {}),
        "subject": subject | parts.pop("subject", {}),
        **parts,
    }


def dataset(name: str, **parts: Any) -> dict[str, Any]:
    return {"id": f"dataset:{name}", "namespace": "lake", "name": name, "labels": [], "qualityChecks": []} | parts


def items(result: ControlResult) -> list[tuple[str | None, str, str]]:
    """Key, check and verdict of each item."""
    return [(each.key, each.check, each.verdict.value) for each in result.items]
