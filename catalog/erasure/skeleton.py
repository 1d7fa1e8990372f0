"""What stays of an erased entry so that lineage can still be walked: ids, names, versions and the links between them.

A skeleton of an event is an event, of an act an act, so that the same readers read them. Of an event stay when it was
and what it was about; of facets only what makes an edge of the graph (a version, a parent, explicit lineage, …), put
together anew. Any other facet of a dataset or a job is replaced by `ERASED_FACET`, which says under the facet's name
that something was said: else what an earlier event said would look as if it still held.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import orjson

from catalog.errors import InvalidInputError
from catalog.log.entry import Entry, EntryType

ERASED_FACET = {"_erased": True}
ERASED_DIGEST = sha256(orjson.dumps(ERASED_FACET)).hexdigest()
"""The digest under which the graph keeps it."""

REVOKING = frozenset({"revokeApproval", "revokeWaiver", "revokeAttestation"})
"""Acts without which what they ended would stand again: their structure stays in any case."""

_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}", re.ASCII)
_NEVER = {
    EntryType.REDACTION: "it says what was erased, by whom and why, and whoever audits the log needs it",
    EntryType.POLICY: "what was in force, and who somebody is, decides whether other entries count",
    EntryType.KEY: "who held which key decides whose acts others are; it holds no key itself",
    EntryType.CONFIG: "it ties this log to the one before it",
}


def refuse_what_stays(entry: Entry) -> None:
    """Raises InvalidInputError for entries that are never erased."""
    why = _NEVER.get(entry.type)
    if why is not None:
        raise InvalidInputError(
            f"entry {entry.seq} is a {entry.type} entry, which cannot be erased: {why}.",
            "Name the events, decisions, approvals, waivers and attestations that hold the words.",
        )


def skeleton_of(entry: Entry) -> dict[str, Any]:
    """The structure of an entry that still has its body. Raises InvalidInputError for one that is never erased."""
    refuse_what_stays(entry)
    document = _mapping(orjson.loads(entry.body or b"{}"))
    return _event(document) if entry.type is EntryType.OPENLINEAGE else _act(document)


def is_whole_act(keeps: Mapping[str, Any]) -> bool:
    """Whether the skeleton of an act is an act that can be read, and not only the trace of one."""
    return keeps.get("act") == "decide" or keeps.get("act") in REVOKING


def is_plain(facet: str) -> bool:
    """Whether a facet's name may stay: one that is no plain word may itself be what is to be erased."""
    return _PLAIN_NAME.fullmatch(facet) is not None


# Events ---------------------------------------------------------------------------------------------------------


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = _texts(event, "eventType", "eventTime")
    run, job, dataset = (_mapping(event.get(part)) for part in ("run", "job", "dataset"))
    if run:
        facets = _without_empty({"facets": _run_facets(_mapping(run.get("facets")))})
        kept["run"] = _texts(run, "runId") | facets
    if job:
        kept["job"] = _named(job) | _without_empty({"facets": _job_facets(_mapping(job.get("facets")))})
    if dataset:
        kept["dataset"] = _dataset(dataset, None)
    for side, uses in (("inputs", "inputFacets"), ("outputs", "outputFacets")):
        if isinstance(event.get(side), list):
            kept[side] = [_dataset(_mapping(each), uses) for each in event[side]]
    return kept


def _run_facets(facets: Mapping[str, Any]) -> dict[str, Any]:
    parent = _mapping(facets.get("parent") or facets.get("parentRun"))
    kept: dict[str, Any] = {}
    if parent:
        kept["parent"] = {"run": _texts(_mapping(parent.get("run")), "runId"), "job": _named(parent.get("job"))}
    serving = _mapping(facets.get("lineward_serving"))
    if serving:
        models = [
            _named(each) | _texts(each, "version", "role") | _numbers(each, "share")
            for each in map(_mapping, _list(serving.get("models")))
        ]
        kept["lineward_serving"] = _texts(serving, "environment", "role") | _numbers(serving, "share")
        kept["lineward_serving"] |= _without_empty({"models": models})
    if facets.get("extractionError") is not None:
        kept["extractionError"] = ERASED_FACET
    return kept


def _job_facets(facets: Mapping[str, Any]) -> dict[str, Any]:
    kept = _markers(facets)
    job_type = _mapping(facets.get("jobType"))
    if job_type and not _is_deleted(job_type):
        pattern = _mapping(job_type.get("emissionPattern"))
        pattern = _texts(pattern, "eventContentMode") | _numbers(pattern, "windowDuration")
        kept["jobType"] = _texts(job_type, "processingType", "integration", "jobType")
        kept["jobType"] |= _without_empty({"emissionPattern": pattern})
    lineage = _mapping(facets.get("lineage"))
    if isinstance(lineage.get("entries"), list) and not _is_deleted(lineage):
        entries = map(_mapping, lineage["entries"])
        kept["lineage"] = {"entries": [_named(each) | _texts(each, "type") | _sources(each) for each in entries]}
    return kept


def _dataset(dataset: Mapping[str, Any], uses: str | None) -> dict[str, Any]:
    kept = _named(dataset) | _without_empty({"facets": _dataset_facets(_mapping(dataset.get("facets")))})
    serving = _mapping(_mapping(dataset.get(uses)).get("lineward_serving")) if uses else {}
    if uses and serving:
        kept[uses] = {"lineward_serving": _texts(serving, "role") | _numbers(serving, "share")}
    return kept


def _dataset_facets(facets: Mapping[str, Any]) -> dict[str, Any]:
    kept = _markers(facets)
    kept.pop("version", None)
    version = _mapping(facets.get("version"))
    if "datasetVersion" in version and not _is_deleted(version):
        kept["version"] = _texts(version, "datasetVersion")
    kind = _mapping(facets.get("datasetType"))
    if str(kind.get("datasetType")).upper() == "MODEL" and not _is_deleted(kind):
        kept["datasetType"] = {"datasetType": "MODEL"}
    change = _mapping(facets.get("lifecycleStateChange"))
    if change and not _is_deleted(change):
        kept["lifecycleStateChange"] = _texts(change, "lifecycleStateChange")
        previous = _named(change.get("previousIdentifier"))
        kept["lifecycleStateChange"] |= _without_empty({"previousIdentifier": previous})
    kept |= _links(facets)
    return kept


def _links(facets: Mapping[str, Any]) -> dict[str, Any]:
    """Facets that name other datasets, down to those names."""
    kept: dict[str, Any] = {}
    aliases = _mapping(facets.get("symlinks"))
    if aliases and not _is_deleted(aliases):
        kept["symlinks"] = {"identifiers": [_named(each) for each in _list(aliases.get("identifiers"))]}
    columns = _mapping(facets.get("columnLineage"))
    if columns and not _is_deleted(columns):
        listed = _list(columns.get("dataset"))
        for field in _mapping(columns.get("fields")).values():
            listed = listed + _list(_mapping(field).get("inputFields"))
        kept["columnLineage"] = {"dataset": _distinct(_named(each) for each in listed)}
    lineage = _mapping(facets.get("lineage"))
    if lineage and not _is_deleted(lineage):
        kept["lineage"] = _sources(lineage)
    return kept


def _sources(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that an explicit entry states, those of its fields among them; an empty list stays one."""
    lists = [entry.get("inputs"), *(_mapping(each).get("inputs") for each in _mapping(entry.get("fields")).values())]
    stated = [each for each in lists if isinstance(each, list)]
    inputs = (_mapping(each) for listed in stated for each in listed)
    return {"inputs": _distinct(_named(each) | _texts(each, "type", "runId") for each in inputs)} if stated else {}


def _markers(facets: Mapping[str, Any]) -> dict[str, Any]:
    """Deletions as they are, everything else as erased. Facets that are null say nothing."""
    return {
        name: {"_deleted": True} if _is_deleted(_mapping(facet)) else ERASED_FACET
        for name, facet in facets.items()
        if facet is not None and is_plain(name)
    }


# Acts -----------------------------------------------------------------------------------------------------------


def _act(act: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {key: act[key] for key in ("v", "act", "id", "at", "refersTo") if key in act}
    by = _mapping(act.get("by"))
    kept["by"] = _texts(by, "principal", "person") | {"roles": []}
    target = act.get("target")
    if isinstance(target, Mapping):
        kept["target"] = _texts(target, "node", "kind", "namespace", "name", "version")
    if act.get("act") in REVOKING:
        kept["reason"] = "(erased)"
    if act.get("act") == "decide":
        kept |= {key: act[key] for key in _OF_DECISION if key in act} | {"reasons": []}
    if act.get("act") == "attest":
        kept |= _texts(act, "type")
    return kept


_OF_DECISION = (
    "environment",
    "requester",
    "state",
    "preview",
    "snapshot",
    "evaluatedAt",
    "evidenceDigest",
    "nextFlipAt",
    "expiresAt",
    "verdict",
)


# JSON -----------------------------------------------------------------------------------------------------------


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(value: Any) -> dict[str, str]:
    return _texts(_mapping(value), "namespace", "name")


def _texts(value: Mapping[str, Any], *keys: str) -> dict[str, str]:
    return {key: value[key] for key in keys if isinstance(value.get(key), str)}


def _numbers(value: Mapping[str, Any], *keys: str) -> dict[str, float]:
    found = {key: value.get(key) for key in keys}
    return {k: v for k, v in found.items() if isinstance(v, int | float) and not isinstance(v, bool)}


def _without_empty(parts: dict[str, Any]) -> dict[str, Any]:
    return {key: part for key, part in parts.items() if part}


def _distinct(parts: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    return list({tuple(sorted(part.items())): part for part in parts if part}.values())


def _is_deleted(facet: Mapping[str, Any]) -> bool:
    return facet.get("_deleted") is True
