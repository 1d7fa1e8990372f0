"""Decisions of the gate over HTTP: evidence of a closure built, the base pack evaluated, the decision signed, logged
durably, projected and answered."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.data import write_log
from benchmarks.figures import Figure, Section, latency
from benchmarks.graphs import NAMESPACE, Layers
from benchmarks.load import repeat, request, send
from benchmarks.process import Server, serving
from benchmarks.workload import EPOCH, PRODUCER, SPEC
from catalog.composition import create_log, open_data, signer
from catalog.log.entry import Receipt, Submission
from catalog.log.writer import LogWriter
from catalog.principal import Principal, Scope, grants
from catalog.settings import Settings
from policies.governance import governance
from policies.library import built_in
from policies.loading import load_pack

PACK = "base-ml-governance"
ENVIRONMENT = "production"
CLOSURE = Layers(13, 10)
_BINDING = {
    "apiVersion": "lineward.dev/v1",
    "kind": "PolicyBinding",
    "metadata": {"name": "benchmark"},
    "environments": [ENVIRONMENT],
    "packs": [{"name": PACK}],
    "enforcement": {"*": "block"},
}
_DECLARATION = {  # that the root is a model: else no control is about it
    "eventTime": EPOCH.isoformat(),
    "producer": PRODUCER,
    "schemaURL": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/DatasetEvent",
    "dataset": {
        "namespace": NAMESPACE,
        "name": CLOSURE.root,
        "facets": {
            "datasetType": {
                "_producer": PRODUCER,
                "_schemaURL": f"{SPEC}/facets/1-0-0/DatasetTypeDatasetFacet.json#/$defs/DatasetTypeDatasetFacet",
                "datasetType": "MODEL",
            }
        },
    },
}
_CATCH_UP = 60.0  # seconds
_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """How many decisions one client asks for, for how long at most, and how many several do."""

    times: int
    seconds: float
    together: int


QUICK = Plan(3, 1.0, 8)
FULL = Plan(200, 20.0, 200)


def measure(data: Path, plan: Plan) -> Section:
    """Make a folder with a model of 262 nodes and the base pack in force, and ask whether it may be released."""
    section = Section(f"Gate over HTTP: {PACK}, a closure of {CLOSURE.nodes} nodes")
    prepare(data)
    with serving(data) as server:
        server.await_projection(_CATCH_UP)
        question = request("/api/v1/gate/decisions", orjson.dumps(_question(server)))
        repeat(server.port, question, 3, plan.seconds)
        one = repeat(server.port, question, plan.times, plan.seconds)
        section.add(latency("one client: a decision", one, target=30.0))
        section.add(Figure("one client: p99", one.percentile(99) * 1000, "ms", target=100.0, samples=len(one.each)))
        several = send(server.port, [question] * plan.together, _CONNECTIONS, status=200)
        section.add(latency(f"{_CONNECTIONS} clients: a decision", several))
        rate = Figure(f"{_CONNECTIONS} clients", several.rate, "decisions/s", target=100.0, more=True)
        section.add(rate)
    return section


def prepare(data: Path) -> None:
    """Write the log: the graph, and the pack with a binding, which one person proposes and another confirms."""
    write_log(data, [*CLOSURE.events(), orjson.dumps(_DECLARATION)])
    configured = Settings(data=data)
    documents = [load_pack(built_in()[PACK]).normalised(), _BINDING]
    with open_data(configured) as folder, create_log(data) as store, LogWriter(store) as writer:

        def append(submission: Submission) -> Receipt:
            receipt = writer.submit(submission).result()
            folder.project()
            return receipt

        folder.project()
        _bring_into_force(folder.access, append, signer(configured), documents)


def _bring_into_force(
    access: Any, append: Callable[[Submission], Receipt], signing: Any, documents: list[dict[str, Any]]
) -> None:
    register = governance(access, append, signing).register
    ann, bob = (Principal(name, name, grants(Scope)) for name in ("ann", "bob"))
    proposed = register.propose_policy(ann, documents)
    register.confirm_policy(bob, proposed.proposal.act.id)


def _question(server: Server) -> dict[str, str]:
    """What is asked of the model's only version."""
    query = "query($of: NodeRef!) { lineage(of: $of, depth: 0) { nodes { id } } }"
    variables = {"of": {"dataset": {"namespace": NAMESPACE, "name": CLOSURE.root}}}
    answer = server.post("/graphql", orjson.dumps({"query": query, "variables": variables}))
    (node,) = answer["data"]["lineage"]["nodes"]
    return {"id": node["id"], "environment": ENVIRONMENT}
