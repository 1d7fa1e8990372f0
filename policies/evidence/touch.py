"""Which nodes an entry of the log speaks of: what the dependencies of a document are compared with."""

from catalog.act import Act
from catalog.graph.record import DatasetUse, EventRecord
from catalog.identity import NodeKind, dataset_id, job_id, named_version_id, run_id
from catalog.reading import Reading
from catalog.reported import only
from policies.evidence.people import IDENTITIES


def touched_by_event(reading: Reading, event: EventRecord) -> frozenset[str]:
    """The nodes that an event names, the runs above its run, and what its datasets are aliases of.

    `reading` sees the event.
    """
    found: set[str] = set()
    for use in (*event.inputs, *event.outputs, *((event.subject,) if event.subject else ())):
        found |= _named(use)
    for served in event.serving.models if event.serving else ():
        found.add(served.dataset)
    if event.job is not None:
        found.add(event.job)
    if event.parent is not None:
        found.add(job_id(event.parent.namespace, event.parent.name))
        found.add(run_id(event.parent.run, event.parent.namespace, event.parent.name))
    if event.run is not None:
        found |= _runs(reading, run_id(event.run, event.job_namespace, event.job_name))
    return frozenset(found | _aliased(reading, found))


def touched_by_act(act: Act) -> frozenset[str]:
    """What an act is about, what it answers, and for a policy act its kind: it may say who somebody is.

    Of a redaction the datasets that it concerns, the version about which it decides, and the versions that rested on
    it; what it erased touches everything.
    """
    target = act.body.get("target") or {}
    named = {target.get("node"), act.body.get("refersTo"), act.kind.value if act.kind == IDENTITIES else None}
    if act.kind is NodeKind.REDACTION:
        named |= {*(act.body.get("concerns") or ()), act.body.get("version")}
        named |= set((act.body.get("reached") or {}).get("models") or ())
    return frozenset(each for each in named if each)


def touched_in_evidence(act: Act) -> frozenset[str]:
    """What an act touches of evidence, which holds no decisions, and of policies only who somebody is."""
    if act.kind is NodeKind.DECISION or (act.kind is NodeKind.POLICY and act.verb != "identify"):
        return frozenset()
    return touched_by_act(act)


def _named(use: DatasetUse) -> set[str]:
    found = {use.dataset, *use.columns, *(use.aliases or ())}
    found |= {each for source in use.sources or () for each in (source.dataset, source.job) if each}
    if use.version is not None:
        found.add(named_version_id(use.dataset, use.version))
    return found | ({use.renamed_from} if use.renamed_from else set())


def _runs(reading: Reading, run: str) -> set[str]:
    """A run and all above it."""
    found: set[str] = set()
    current: str | None = run
    while current is not None and current not in found:
        found.add(current)
        node = reading.node(current)
        current = node.parent_run if node else None
    return found


def _aliased(reading: Reading, named: set[str]) -> set[str]:
    return {alias for node in sorted(named) if node.startswith("ds_") for alias in aliases_of(reading, node)}


def aliases_of(reading: Reading, dataset: str) -> set[str]:
    """The datasets that the symlinks facet in force on a dataset names (SymlinksDatasetFacet 1-0-1)."""
    listed = only(reading.facets(dataset, ["symlinks"])).get("identifiers")
    return {
        dataset_id(each["namespace"], each["name"])
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict) and isinstance(each.get("namespace"), str) and isinstance(each.get("name"), str)
    }
