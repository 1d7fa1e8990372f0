"""Lineage by GraphQL over HTTP, warm: answers of several sizes, and small answers over ever longer histories."""

from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.data import write_log
from benchmarks.figures import Figure, Section, latency
from benchmarks.floor import empty_server
from benchmarks.graphs import NAMESPACE, Layers, Repeated
from benchmarks.load import Latencies, beside, repeat, request
from benchmarks.process import Server, serving

QUERY = """
query Lineage($namespace: String!, $name: String!, $grain: Grain!) {
  lineage(of: {dataset: {namespace: $namespace, name: $name}}, grain: $grain, depth: 100, limit: 2000) {
    nodes { id kind namespace name }
    edges { from to basis firstSeen lastSeen }
  }
}
"""
LAYERS = (Layers(13, 1), Layers(13, 10), Layers(29, 18))
GRAINS = ("RUN", "JOB")
_TARGETS = {"sqlite": (2.0, 5.0, 15.0), "neo4j": (10.0, 40.0, 100.0)}  # ms, p50 at RUN grain
_CATCH_UP = 300.0  # seconds
_WARM_UP = 3  # requests
_CROWD = 4  # clients that ask for the largest graph while another one asks for the smallest
_CROWDED = 15.0  # ms, p50 of the smallest meanwhile
_GROWTH = 1.5  # how much slower the longest history may be than the shortest


@dataclass(frozen=True, slots=True)
class Plan:
    """Which graphs are asked for, how often, and for how long at most each."""

    layers: tuple[Layers, ...]
    runs: tuple[int, ...]
    times: int
    seconds: float


QUICK = Plan(LAYERS[:2], (1, 20), 3, 0.5)
QUICK_NEO4J = Plan(LAYERS[:1], (1,), 3, 0.5)
FULL = Plan(LAYERS, (1, 100, 10_000), 300, 3.0)
FULL_NEO4J = Plan(LAYERS, (1, 100, 1_000), 100, 3.0)


def prepare(data: Path, plan: Plan) -> None:
    """Write the log of all graphs."""
    graphs: list[Layers | Repeated] = [*plan.layers, *(Repeated(runs) for runs in plan.runs)]
    for graph in graphs:
        write_log(data, graph.events())


def measure(data: Path, plan: Plan, graph: str = "sqlite") -> Section:
    """Serve a log from `prepare` and ask."""
    store = graph.partition(":")[0].replace("bolt", "neo4j")
    section = Section(f"Lineage by GraphQL over HTTP, one client, {store}")
    with empty_server() as empty:
        floor = repeat(empty.port, _question(LAYERS[0].root, "RUN"), plan.times, plan.seconds, status=201)
    with serving(data, graph) as server:
        server.await_projection(_CATCH_UP)
        _ask_layers(section, server, plan, floor, _TARGETS[store])
        _ask_crowded(section, server, plan)
        _ask_repeated(section, server, plan)
    section.remark("floor: a POST to the empty application; growth: the median over that of the shortest history")
    return section


def _ask_layers(
    section: Section, server: Server, plan: Plan, floor: Latencies, targets: tuple[float, float, float]
) -> None:
    for grain in GRAINS:
        for layers, target in zip(plan.layers, targets, strict=False):
            nodes, found = _ask(server, layers.root, grain, plan)
            if grain == "RUN" and nodes != layers.nodes:
                raise RuntimeError(f"an answer has {nodes} nodes instead of {layers.nodes}")
            name = f"{grain} grain, {nodes:,} nodes"
            wanted = target if grain == "RUN" else None
            section.add(latency(name, found, floor=floor.median, target=wanted))


def _ask_crowded(section: Section, server: Server, plan: Plan) -> None:
    small, large = plan.layers[0], plan.layers[-1]
    asked, other = _question(small.root, "RUN"), _question(large.root, "RUN")
    found = beside(server.port, asked, other, _CROWD, plan.times, plan.seconds)
    name = f"RUN grain, {small.nodes} nodes, beside {_CROWD} clients asking for {large.nodes:,}"
    section.add(latency(name, found, target=_CROWDED))


def _ask_repeated(section: Section, server: Server, plan: Plan) -> None:
    for grain in GRAINS:
        medians = []
        for runs in plan.runs:
            nodes, found = _ask(server, Repeated(runs).root, grain, plan)
            section.add(latency(f"{grain} grain, {nodes} nodes, jobs of {runs:,} runs", found))
            medians.append(found.median)
        growth = medians[-1] / medians[0]
        section.add(Figure(f"{grain} grain: growth from 1 to {plan.runs[-1]:,} runs", growth, "×", target=_GROWTH))


def _ask(server: Server, root: str, grain: str, plan: Plan) -> tuple[int, Latencies]:
    """How many nodes the answer has, and how long it took."""
    question = _question(root, grain)
    nodes = _nodes(server, root, grain)
    repeat(server.port, question, _WARM_UP, plan.seconds)
    return nodes, repeat(server.port, question, plan.times, plan.seconds)


def _question(root: str, grain: str) -> bytes:
    return request("/graphql", _body(root, grain))


def _body(root: str, grain: str) -> bytes:
    variables = {"namespace": NAMESPACE, "name": root, "grain": grain}
    return orjson.dumps({"query": QUERY, "variables": variables})


def _nodes(server: Server, root: str, grain: str) -> int:
    answer = server.post("/graphql", _body(root, grain))
    if answer.get("errors"):
        raise RuntimeError(f"the server refuses the question: {answer['errors']}")
    return len(answer["data"]["lineage"]["nodes"])
