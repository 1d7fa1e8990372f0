"""Whole corpora of events in every store: any order, any cut, the same facts and the same answers."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations
from operator import attrgetter
from random import Random
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from catalog.act import KINDS, Act
from catalog.errors import NotFoundError
from catalog.graph.contract import GraphStore
from catalog.graph.digest import digest
from catalog.graph.memory import MemoryGraph
from catalog.identity import NodeKind, dataset_id, field_id, run_id
from catalog.log.entry import Entry, EntryType
from catalog.model import Direction, Grain, LineageGraph, NodeRef
from catalog.reading import Reading, Walk
from tests.conformance.corpus import ORACLE, Event, airflow, corpora, entry_at, with_acts
from tests.ingest.events import (
    DATA,
    change,
    dataset,
    dataset_event,
    entries_of,
    interpret_entry,
    job_type,
    project,
    run_event,
    whole_run,
)

EXAMPLES = {"neo4j": 1}  # round trips to a server are slow
USUAL_EXAMPLES = 5
SAMPLED_NODES = {"neo4j": 4}
USUAL_NODES = 10
ACT_KINDS = tuple(KINDS.values())

Answers = dict[tuple[str, Grain], LineageGraph | None]

FLOW: dict[str, Any] = {"reads": ["a"], "writes": ["b"]}
UNORDERED: dict[str, list[Event]] = {
    "one microsecond, two spellings, and the version's label is that of the first": [
        run_event("RUNNING", f"2026-03-01T00:00:01.00000000{digit}Z", "r", writes=["x"]) for digit in (1, 2)
    ],
    "one instant, two spellings, and the created version's label is that of the first": [
        dataset_event(spelt, dataset("x", lifecycleStateChange=change("CREATE")))
        for spelt in ("2026-03-01T00:00:01Z", "2026-03-01T00:00:01.000Z")
    ],
    "the event that tells a stream comes late, and a span stays that a stream has not": [
        run_event("START", 1, "r", job_facets=job_type("FLINK", processing="STREAMING")),
        run_event("RUNNING", 2, "r", reads=["x"]),
        run_event("RUNNING", 3, "r"),
    ],
}

corpus = pytest.mark.parametrize("corpus", list(corpora()))


@corpus
def test_any_order_and_any_cut_end_in_the_same_facts(store: GraphStore, corpus: str) -> None:
    entries = with_acts(corpora()[corpus])

    def holds(random: Random) -> None:
        again = [*entries, *random.sample(entries, min(3, len(entries)))]
        rebuilt = MemoryGraph()
        project(rebuilt, _numbered(again))
        store.clear()
        random.shuffle(again)
        project(store, _numbered(again), _cuts(random, len(again)))
        assert digest(store) == digest(rebuilt)

    _for_examples(store, holds)


@corpus
def test_any_order_and_repetition_give_the_same_answers(corpus: str) -> None:
    entries = with_acts(corpora()[corpus])
    whole, every = _projected(entries), _nodes(entries)
    expected, acted = _lasting(_answers(whole, every)), _unordered(_acts(whole, every))

    def holds(random: Random) -> None:
        again = [*entries, *random.sample(entries, min(3, len(entries)))]
        random.shuffle(again)
        store = _projected(_numbered(again), _cuts(random, len(again)))
        nodes = _some(sorted({node for node, _ in expected}), store, random)
        answered = _lasting(_answers(store, nodes))
        assert answered == {key: expected[key] for key in answered}
        assert _unordered(_acts(store, every)) == acted

    _for_examples(MemoryGraph(), holds)


@corpus
def test_every_node_answers_alike_in_every_store(store: GraphStore, corpus: str) -> None:
    entries = with_acts(corpora()[corpus])
    nodes = _some(_nodes(entries), store, Random(0)) if store.name in SAMPLED_NODES else _nodes(entries)
    project(store, entries, [len(entries) // 3])
    plain = _projected(entries)
    assert _answers(store, nodes) == _answers(plain, nodes)
    assert _acts(store, nodes) == _acts(plain, nodes)


@corpus
@pytest.mark.parametrize("grain", list(Grain))
def test_a_fixed_known_is_the_first_entries_for_ever(store: GraphStore, corpus: str, grain: Grain) -> None:
    """Before and after later entries, late ones among them, and in a store that never saw more."""
    unordered = with_acts(corpora()[corpus])

    def holds(random: Random) -> None:
        random.shuffle(unordered)
        entries = _numbered(unordered)
        known = random.randint(0, len(entries))
        nodes = _some(_nodes(entries), store, random)
        first = _projected(entries[:known])
        expected, acted = _answers(first, nodes, grains=(grain,)), _acts(first, nodes)
        store.clear()
        project(store, entries[:known])
        assert (_answers(store, nodes, grains=(grain,)), _acts(store, nodes)) == (expected, acted)
        project(store, entries[known:], start=known)
        assert (_answers(store, nodes, known, (grain,)), _acts(store, nodes, known)) == (expected, acted)

    _for_examples(store, holds)


def test_the_airflow_corpus_has_every_link_of_the_reference_consumer(store: GraphStore) -> None:
    """Dataplex's own answer to the same events. Without the collected folder there is no link to find."""
    entries = entries_of(airflow())
    project(store, entries)
    with store.read() as reader:
        reading = Reading(reader)
        for source, target in _links():
            graph = reading.lineage(NodeRef(id=target), Walk(Direction.UPSTREAM, 1, Grain.JOB))
            jobs = {edge.source for edge in graph.edges if edge.target == target}
            assert {edge.target for edge in graph.edges if edge.source == source} & jobs


def test_the_entries_behind_an_edge_are_the_same_for_a_fixed_known() -> None:
    runs = [*whole_run("one", 1, 2, job="j", **FLOW), *whole_run("two", 3, 4, job="j", **FLOW)]
    _assert_fixed_at(runs, dataset_id(DATA, "b"))


def test_the_runs_of_an_edge_are_the_same_for_a_fixed_known() -> None:
    streaming = job_type("FLINK", processing="STREAMING")
    beats = [run_event("RUNNING", when, "stream", job_facets=streaming, **FLOW) for when in (1, 2)]
    _assert_fixed_at(beats, dataset_id(DATA, "b"))


@pytest.mark.parametrize("events", UNORDERED.values(), ids=UNORDERED)
def test_the_facts_do_not_depend_on_which_of_two_came_first(events: list[Event]) -> None:
    entries = entries_of(events)
    digests = {digest(_projected(_numbered(order), range(9))) for order in permutations(entries)}
    assert len(digests) == 1


def _assert_fixed_at(events: list[Event], node: str) -> None:
    """What JOB grain answers of the events is the same once another one came."""
    entries = entries_of([*events, run_event("COMPLETE", 9, "other")])
    known = len(events)
    alone = _answers(_projected(entries[:known]), [node], grains=(Grain.JOB,))
    assert _answers(_projected(entries), [node], known, (Grain.JOB,)) == alone


# Entries ---------------------------------------------------------------------------------------------------------


def _numbered(entries: Iterable[Entry]) -> list[Entry]:
    """The same entries, received at the same times, in the positions of this order."""
    return [entry_at(entry, seq) for seq, entry in enumerate(entries)]


def _cuts(random: Random, size: int) -> list[int]:
    return random.sample(range(size + 1), random.randint(0, min(size, 3)))


def _projected(entries: Sequence[Entry], cuts: Iterable[int] = ()) -> GraphStore:
    store = MemoryGraph()
    project(store, entries, cuts)
    return store


def _for_examples(store: GraphStore, holds: Callable[[Random], None]) -> None:
    """As many examples as the store has time for. The test clears it; a corpus is not worth shrinking."""
    examples = settings(
        max_examples=EXAMPLES.get(store.name, USUAL_EXAMPLES),
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    examples(given(st.randoms(use_true_random=False))(holds))()


# Answers ---------------------------------------------------------------------------------------------------------


def _nodes(entries: Sequence[Entry]) -> list[str]:
    """Every dataset, version, job, run and column of the corpus."""
    found: set[str] = set()
    for read in (interpret_entry(entry) for entry in entries if entry.type is EntryType.OPENLINEAGE):
        found |= {*read.datasets, *read.jobs}
        found |= {field_id(key, path) for key, paths in read.fields.items() for path in paths}
        record = read.record
        if record.run is not None:
            found.add(run_id(record.run, record.job_namespace, record.job_name))
    with _projected(entries).read() as reader:
        reading = Reading(reader)
        datasets = [record.id for record in reader.of_kind(NodeKind.DATASET)]
        found |= {version.id for each in datasets for version in reading.versions_of(each)}
    return sorted(found)


def _some(nodes: Sequence[str], store: GraphStore, random: Random) -> list[str]:
    return random.sample(nodes, min(len(nodes), SAMPLED_NODES.get(store.name, USUAL_NODES)))


def _answers(
    store: GraphStore, nodes: Iterable[str], known: int | None = None, grains: Iterable[Grain] = tuple(Grain)
) -> Answers:
    """Lineage in both directions at each grain, None where the node is not known yet."""
    with store.read(known) as reader:
        reading = Reading(reader)
        return {(node, grain): _lineage(reading, node, grain) for node in nodes for grain in grains}


def _lineage(reading: Reading, node: str, grain: Grain) -> LineageGraph | None:
    try:
        return reading.lineage(NodeRef(id=node), Walk(Direction.BOTH, 3, grain, history=grain is Grain.RUN))
    except NotFoundError:
        return None


def _acts(store: GraphStore, nodes: Iterable[str], known: int | None = None) -> dict[str, list[Act]]:
    """The acts of each kind, and those about each node and about each act."""
    with store.read(known) as reader:
        reading = Reading(reader)
        every = {kind.value: reading.acts(kind) for kind in ACT_KINDS}
        subjects = [*nodes, *(act.id for acts in every.values() for act in acts)]
        about = {node: [act for kind in ACT_KINDS for act in reading.acts(kind, node)] for node in subjects}
        assert all(reading.act(act.id) == act for acts in every.values() for act in acts)
        return every | about


def _unordered(acts: dict[str, list[Act]]) -> dict[str, list[Act]]:
    """Acts without log positions, which are all that arrival may change."""
    return {
        key: sorted((dataclasses.replace(act, seq=0) for act in some), key=attrgetter("id"))
        for key, some in acts.items()
    }


def _lasting(answers: Answers) -> Answers:
    """Answers without log positions, which are all that arrival may change."""
    return {key: graph and _placeless(graph) for key, graph in answers.items()}


def _placeless(graph: LineageGraph) -> LineageGraph:
    return dataclasses.replace(
        graph, known=0, edges=tuple(msgspec.structs.replace(edge, entries=()) for edge in graph.edges)
    )


# The oracle ------------------------------------------------------------------------------------------------------

_PLACES: dict[str, Callable[[str], tuple[str, str]]] = {
    "bigquery": lambda rest: ("bigquery", rest),
    "gcs": lambda rest: (f"gs://{rest.partition('.')[0]}", _quoted(rest)),
    "filesystem": lambda rest: ("file", f"/{_quoted(rest)}"),
}


def _links() -> list[tuple[str, str]]:
    """(source, target) dataset ids of the oracle's links."""
    links: list[Event] = orjson.loads(ORACLE.read_bytes()) if ORACLE.is_file() else []
    return [(_place(link["source"]), _place(link["target"])) for link in links]


def _place(end: Event) -> str:
    """Dataplex writes `system:part.part`, with backticks around parts that hold its own delimiters."""
    system, _, rest = str(end["fully_qualified_name"]).partition(":")
    return dataset_id(*_PLACES[system](rest))


def _quoted(rest: str) -> str:
    return "".join(re.findall("`(.*)`", rest))
