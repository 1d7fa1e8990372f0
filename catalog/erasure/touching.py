"""Which nodes of the graph lose something with an entry's body, and in which namespaces they lie.

Where a node lost something, policies answer unknown; so too few would let one pass, and each one too many stops a
release that nothing speaks against. With its structure kept, an event is missed by its run, by what that wrote, and by
what it read as far as its facets may have spoken of that; facets of datasets and jobs leave a mark in the skeleton
instead, which a later event outdates. With nothing kept, it is missed by everything that it named.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from catalog.erasure.redaction import Keep
from catalog.erasure.skeleton import is_plain
from catalog.graph.record import DatasetUse, EventRecord
from catalog.identity import named_version_id, run_id, run_version_id
from catalog.log.entry import Entry, EntryType

_OF_THE_RUN_ALONE = frozenset(
    {
        "environmentVariables",
        "errorMessage",
        "executionParameters",
        "lineward_training",
        "nominalTime",
        "parent",
        "parentRun",
        "processing_engine",
    }
)
"""Run facets that say nothing of what the run read."""

_OF_THE_READ_ALONE = frozenset({"lineward_input", "lineward_serving"})
"""Input facets that say how one run read something, and nothing of that itself."""


@dataclass(frozen=True, slots=True)
class Touched:
    """The nodes that lose something, and the namespaces of everything that the entry names."""

    nodes: tuple[str, ...]
    namespaces: frozenset[str]


Touching = Callable[[Entry, Keep], Touched]
"""What an entry touches, as the projection reads entries."""


def touched_by_act(entry: Entry) -> Touched:
    """Whatever was stated of something; an approval or a waiver that is gone lets nothing pass."""
    act = orjson.loads(entry.body or b"{}")
    target = act.get("target") or {}
    stated = entry.type is EntryType.ATTESTATION and act.get("act") == "attest" and target.get("node")
    return Touched((str(target["node"]),) if stated else (), frozenset({str(target.get("namespace") or "")} - {""}))


def touched_by_event(entry: Entry, record: EventRecord, namespaces: Iterable[str], keep: Keep) -> Touched:
    """`record` is how the graph has the event, `namespaces` are those of what it names."""
    document = orjson.loads(entry.body or b"{}")
    nodes = _by_event(record, document) if keep == "structure" else _everything(record)
    return Touched(tuple(sorted(nodes)), frozenset(namespaces))


def _by_event(record: EventRecord, document: Mapping[str, Any]) -> set[str]:
    nodes = _oddly_described(record, document)
    if record.run is not None:
        run_facets = set((document.get("run") or {}).get("facets") or {})
        nodes.add(_run(record))
        nodes |= {_written(use, record.run) for use in record.outputs}
        if run_facets - _OF_THE_RUN_ALONE:
            nodes |= _versions(record.inputs) | _served(record)
        else:
            told = _pairs(record.inputs, document.get("inputs"))
            nodes |= _versions(use for use, said in told if set(said.get("inputFacets") or {}) - _OF_THE_READ_ALONE)
    return nodes


def _oddly_described(record: EventRecord, document: Mapping[str, Any]) -> set[str]:
    """Datasets and jobs with a facet of which not even the name stays."""
    subject = [record.subject] if record.subject else []
    told = [
        *_pairs(record.inputs, document.get("inputs")),
        *_pairs(record.outputs, document.get("outputs")),
        *_pairs(subject, [document.get("dataset")]),
    ]
    found = {use.dataset for use, said in told if not all(map(is_plain, said.get("facets") or {}))}
    job = document.get("job") or {}
    if record.job is not None and not all(map(is_plain, job.get("facets") or {})):
        found.add(record.job)
    return found


def _pairs(uses: Iterable[DatasetUse], said: Any) -> list[tuple[DatasetUse, Mapping[str, Any]]]:
    """Uses with what the event says of each; those that only explicit lineage names come after these."""
    return list(zip(uses, said or (), strict=False))


def _everything(record: EventRecord) -> set[str]:
    uses = (*record.inputs, *record.outputs, *((record.subject,) if record.subject else ()))
    nodes = {use.dataset for use in uses} | _served(record)
    if record.run is not None:
        nodes.add(_run(record))
    elif record.job is not None:
        nodes.add(record.job)
    return nodes


def _run(record: EventRecord) -> str:
    return run_id(record.run or "", record.job_namespace, record.job_name)


def _written(use: DatasetUse, run: str) -> str:
    return run_version_id(use.dataset, run) if use.version is None else named_version_id(use.dataset, use.version)


def _versions(uses: Iterable[DatasetUse]) -> set[str]:
    """The versions that are named; of a dataset without one, all."""
    return {use.dataset if use.version is None else named_version_id(use.dataset, use.version) for use in uses}


def _served(record: EventRecord) -> set[str]:
    listed = record.serving.models if record.serving else ()
    return {each.dataset if each.version is None else named_version_id(each.dataset, each.version) for each in listed}
