"""A small world told in OpenLineage events: credit scoring from raw data to a service that is rolled back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
from starlette.testclient import TestClient

from catalog.access import Access, LogState
from catalog.errors import NotFoundError
from catalog.graph.contract import GraphStore
from catalog.log.entry import Entry, EntryType
from catalog.log.merkle import Frontier, leaf_hash
from catalog.projector import Projector
from catalog.rfc3339 import parse
from catalog_graphql.application import create_graphql
from ingest.openlineage import Interpretation, interpret

OPERATIONS = Path(__file__).parents[2] / "graphql" / "operations"

DATA, JOBS, REGISTRY = "s3://lake", "airflow", "registry"
ORIGIN = "test"

RUNS = {
    name: f"0190{number:04d}-0000-7000-8000-000000000000"
    for number, name in enumerate(("features", "split", "train-1", "train-2", "evaluate", "serve"))
}

Json = Mapping[str, Any]


def stored(name: str) -> str:
    """A stored operation."""
    return (OPERATIONS / f"{name}.graphql").read_text()


def at(clock: str) -> str:
    """A time on the first of March."""
    return f"2026-03-01T{clock}Z"


def dataset(name: str, version: str | None = None, /, namespace: str = DATA, **facets: Json) -> dict[str, Any]:
    told: dict[str, Any] = dict(facets)
    if version:
        told["version"] = {"datasetVersion": version}
    return {"namespace": namespace, "name": name, "facets": told}


def model(version: str | None = None) -> dict[str, Any]:
    return dataset("credit", version, namespace=REGISTRY, datasetType={"datasetType": "MODEL"})


def used_for(role: str, mention: dict[str, Any]) -> dict[str, Any]:
    return mention | {"inputFacets": {"lineward_input": {"role": role}}}


def event(
    run: str,
    kind: str,
    clock: str,
    *,
    job: str | None = None,
    inputs: Iterable[Json] = (),
    outputs: Iterable[Json] = (),
    run_facets: Json | None = None,
    job_facets: Json | None = None,
) -> dict[str, Any]:
    return {
        "eventType": kind,
        "eventTime": at(clock),
        "producer": "https://example.com/test",
        "run": {"runId": RUNS.get(run, run), "facets": dict(run_facets or {})},
        "job": {"namespace": JOBS, "name": job or run, "facets": dict(job_facets or {})},
        "inputs": list(inputs),
        "outputs": list(outputs),
    }


PARAMETERS = [{"key": "C", "value": "0.5"}, {"key": "depth", "value": 3}]


def training(number: str, clock: str) -> dict[str, Any]:
    return event(
        f"train-{number}",
        "COMPLETE",
        clock,
        job="train",
        inputs=[used_for("training", dataset("train", "t1")), used_for("validation", dataset("holdout", "h1"))],
        outputs=[model(number)],
        run_facets={
            "executionParameters": {"parameters": [{"key": "C", "value": "0.5"}, {"key": "depth", "value": 3}]}
        },
        job_facets={
            "sourceCodeLocation": {"type": "git", "url": "https://git.example/train.py", "version": f"commit{number}"}
        },
    )


SERVICE = {"jobType": {"processingType": "SERVICE", "emissionPattern": {"windowDuration": 3600}}}


def serving(clock: str, version: str, kind: str = "RUNNING", window: tuple[str, str] | None = None) -> dict[str, Any]:
    facets: dict[str, Any] = {"lineward_serving": {"environment": "production", "endpoint": "https://score.example"}}
    if window:
        begin, end = map(at, window)
        facets["lineward_predictions"] = {"from": begin, "to": end, "count": 3, "root": "sha256:ab"}
    return event(
        "serve",
        kind,
        clock,
        inputs=[model(version), dataset("online", "o1")],
        run_facets=facets,
        job_facets=SERVICE,
    )


def _schema(*names: str) -> Json:
    return {"fields": [{"name": name, "type": "double"} for name in names]}


def _columns(source: str, **paths: str) -> Json:
    return {
        "fields": {
            target: {
                "inputFields": [
                    {
                        "namespace": DATA,
                        "name": source,
                        "field": path,
                        "transformations": [{"type": "DIRECT", "masking": target == "sex_h"}],
                    }
                ]
            }
            for target, path in paths.items()
        }
    }


def story() -> list[dict[str, Any]]:
    features = dataset(
        "features",
        "f1",
        schema=_schema("income_log", "sex_h"),
        columnLineage=_columns("raw", income_log="income", sex_h="sex"),
    )
    halves = [
        dataset(
            name,
            version,
            schema=_schema("income_log", "sex_h"),
            columnLineage=_columns("features", income_log="income_log", sex_h="sex_h"),
        )
        for name, version in (("train", "t1"), ("holdout", "h1"))
    ]
    metrics = [{"name": "auc", "value": 0.75}, {"name": "auc", "value": 0.5, "slice": "f"}]
    return [
        event("features", "START", "07:00:00"),
        event("features", "COMPLETE", "07:01:00", inputs=[dataset("raw")], outputs=[features]),
        event("split", "COMPLETE", "07:02:00", inputs=[dataset("features", "f1")], outputs=halves),
        training("1", "08:00:00"),
        event(
            "evaluate",
            "COMPLETE",
            "08:30:00",
            inputs=[model("1"), used_for("test", dataset("holdout", "h1"))],
            run_facets={"lineward_evaluation": {"kind": "performance", "metrics": metrics}},
        ),
        serving("09:00:00", "1", "START"),
        serving("09:59:59.999999", "1", window=("09:00:00", "10:00:00")),
        training("2", "09:30:00"),
        serving("10:00:00", "2"),
        serving("11:00:00", "1"),
        serving("11:59:59.999999", "1", window=("11:00:00", "12:00:00")),
    ]


def interpreted(entry: Entry) -> Interpretation | None:
    assert entry.body is not None
    return interpret(entry.body, seq=entry.seq, recorded=entry.recorded, actor=entry.actor)


@dataclass
class World:
    """A log in a list, the graph projected from it, and the application over both."""

    store: GraphStore
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._projector = Projector(self.store, ORIGIN, interpreted)
        self.access = Access(self.store, self.state, wait_seconds=0.1)

    def append(self, *events: Json) -> list[Entry]:
        """Log events without projecting them; each is received in the second in which it happened."""
        start = len(self.entries)
        for told in events:
            seq = len(self.entries)
            entry = Entry(
                seq,
                parse(told["eventTime"]),
                EntryType.OPENLINEAGE,
                "alice",
                "test",
                (),
                orjson.dumps(told),
                b"leaf %d" % seq,
            )
            self.entries.append(entry)
        return self.entries[start:]

    def tell(self, *events: Json) -> "World":
        assert self._projector.project(self.append(*events))
        return self

    def erase(self, seq: int) -> None:
        self.entries[seq] = replace(self.entries[seq], body=None)

    def state(self) -> LogState:
        frontier = Frontier()
        frontier.extend(leaf_hash(entry.envelope) for entry in self.entries)
        return LogState(ORIGIN, len(self.entries), frontier.root())

    def entry(self, seq: int) -> Entry:
        if seq >= len(self.entries):
            raise NotFoundError(f"no entry {seq}")
        return self.entries[seq]

    def client(self, **options: Any) -> TestClient:
        return TestClient(create_graphql(self.access, self.entry, **options))


Ask = Callable[..., Any]


def asking(client: TestClient) -> Ask:
    """Put a query with variables; its data, where there are no errors."""

    def ask(query: str, **variables: Any) -> Any:
        answer = client.post("/", json={"query": query, "variables": variables}).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    return ask


def failing(client: TestClient) -> Ask:
    """Put a query that fails; its first error."""

    def fail(query: str, **variables: Any) -> Any:
        answer = client.post("/", json={"query": query, "variables": variables}).json()
        return answer["errors"][0]

    return fail
