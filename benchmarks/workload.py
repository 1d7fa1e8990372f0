"""The events that are sent: START and COMPLETE of the thirteen tasks of a machine-learning pipeline, 3 to 4 KB each.

Raw tables become features, a training set, a model and what the model predicted. The same number of pipelines always
gives the same bytes: names, run ids and times come from a seed and never from the clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from random import Random
from typing import Any
from uuid import UUID

import orjson

EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
EVERY = timedelta(minutes=7)  # between the starts of two pipelines
SPEC = "https://openlineage.io/spec"
PRODUCER = "https://github.com/OpenLineage/OpenLineage/tree/1.54.0/integration/airflow"
TEAMS = ("credit", "fraud", "pricing", "churn", "search", "logistics", "claims", "collections")
COLUMNS = [
    "customer_id",
    "account_age_days",
    "monthly_income_eur",
    "existing_debt_eur",
    "employment_status",
    "postcode_region",
    "payments_missed_12m",
    "credit_lines_open",
    "card_utilisation",
    "last_contact_channel",
]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """One job: what it reads and writes, in how many columns, and whether it names the versions that it writes."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    columns: int
    versioned: bool = False


PIPELINE = (
    Task("land_customers", ("source.customers",), ("raw.customers",), 4),
    Task("land_payments", ("source.payments",), ("raw.payments",), 4),
    Task("land_contacts", ("source.contacts",), ("raw.contacts",), 4),
    Task("clean_customers", ("raw.customers",), ("clean.customers",), 4),
    Task("clean_payments", ("raw.payments",), ("clean.payments",), 4),
    Task("customer_features", ("clean.customers", "raw.contacts"), ("features.customer",), 3),
    Task("payment_features", ("clean.payments",), ("features.payment",), 4),
    Task("join_features", ("features.customer", "features.payment"), ("features.joined",), 3, True),
    Task("split", ("features.joined",), ("set.training", "set.validation"), 2, True),
    Task("train", ("set.training", "set.validation"), ("model.scoring",), 3, True),
    Task("evaluate", ("model.scoring", "set.validation"), ("report.evaluation",), 3),
    Task("score", ("model.scoring", "features.joined"), ("prediction.daily",), 3),
    Task("publish", ("prediction.daily", "report.evaluation"), ("serving.scores",), 3),
)


def events(pipelines: int, first: int = 0) -> Iterator[bytes]:
    """`pipelines` × 13 × 2 events, each as the bytes of one request; `first` is the number of the first pipeline."""
    for number in range(first, first + pipelines):
        yield from _pipeline(number)


def some_events(count: int, first: int = 0) -> list[bytes]:
    """Exactly `count` events, from pipeline `first` on."""
    return list(islice(events(pipelines_for(count), first), count))


def pipelines_for(count: int) -> int:
    """How many pipelines hold `count` events."""
    return -(-count // (2 * len(PIPELINE)))


def _pipeline(number: int) -> Iterator[bytes]:
    random = Random(number)
    team = TEAMS[number % len(TEAMS)]
    start = EPOCH + EVERY * number
    parent = _run_id(start, random)
    for index, task in enumerate(PIPELINE):
        began = start + timedelta(seconds=20 * index)
        run = _run_id(began, random)
        for kind, at in (("START", began), ("COMPLETE", began + timedelta(seconds=15))):
            yield orjson.dumps(_event(kind, at, team, number, task, run, parent))


def _run_id(at: datetime, random: Random) -> str:
    """A UUIDv7 (RFC 9562, section 5.7), as producers make them: the time first, then chance."""
    milliseconds = int(at.timestamp() * 1000)
    value = milliseconds << 80 | 7 << 76 | random.getrandbits(12) << 64 | 2 << 62 | random.getrandbits(62)
    return str(UUID(int=value))


def _event(kind: str, at: datetime, team: str, number: int, task: Task, run: str, parent: str) -> Json:
    nominal = EPOCH + timedelta(days=number // len(TEAMS))
    return {
        "eventType": kind,
        "eventTime": at.isoformat(timespec="milliseconds"),
        "producer": PRODUCER,
        "schemaURL": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run, "facets": _run_facets(team, parent, nominal)},
        "job": {"namespace": f"airflow://{team}", "name": f"{team}_scoring.{task.name}", "facets": _job_facets(team)},
        "inputs": [_dataset(team, name, task, number, ()) for name in task.reads],
        "outputs": [_dataset(team, name, task, number, task.reads) for name in task.writes],
    }


def _run_facets(team: str, parent: str, nominal: datetime) -> Json:
    dag = {"namespace": f"airflow://{team}", "name": f"{team}_scoring"}
    return {
        "parent": _facet("1-2-0/ParentRunFacet", run={"runId": parent}, job=dag),
        "nominalTime": _facet(
            "1-0-1/NominalTimeRunFacet",
            nominalStartTime=nominal.isoformat(),
            nominalEndTime=(nominal + timedelta(days=1)).isoformat(),
        ),
    }


def _job_facets(team: str) -> Json:
    owner = {"name": f"team:{team}", "type": "MAINTAINER"}
    return {
        "jobType": _facet("2-0-3/JobTypeJobFacet", processingType="BATCH", integration="AIRFLOW", jobType="TASK"),
        "ownership": _facet("1-0-1/OwnershipJobFacet", owners=[owner]),
    }


def _dataset(team: str, name: str, task: Task, number: int, made_from: tuple[str, ...]) -> Json:
    columns = list(islice(cycle(COLUMNS), task.columns))
    facets: Json = {
        "schema": _facet("1-1-1/SchemaDatasetFacet", fields=[{"name": each, "type": "double"} for each in columns]),
    }
    if made_from:
        facets["columnLineage"] = _column_lineage(team, columns, made_from)
    if name.startswith("model."):
        facets["datasetType"] = _facet("1-0-0/DatasetTypeDatasetFacet", datasetType="MODEL")
    if name in VERSIONED:
        facets["version"] = _facet("1-0-1/DatasetVersionDatasetFacet", datasetVersion=f"{number:06d}")
    return {"namespace": f"s3://{team}-lake", "name": name, "facets": facets}


def _column_lineage(team: str, columns: list[str], made_from: tuple[str, ...]) -> Json:
    step = {"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": False}
    fields = {}
    for index, column in enumerate(columns):
        source = {"namespace": f"s3://{team}-lake", "name": made_from[index % len(made_from)], "field": column}
        fields[column] = {"inputFields": [source | {"transformations": [step]}]}
    return _facet("1-2-0/ColumnLineageDatasetFacet", fields=fields)


def _facet(schema: str, **content: Any) -> Json:
    version, name = schema.split("/")
    url = f"{SPEC}/facets/{version}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": url, **content}


VERSIONED = frozenset(name for task in PIPELINE if task.versioned for name in task.writes)
