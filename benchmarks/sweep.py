"""Verdicts that follow the facts: judging a whole catalog once, and what one event changes afterwards."""

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from statistics import median
from uuid import NAMESPACE_URL, uuid5

import orjson

from benchmarks.data import write_log
from benchmarks.figures import Figure, Section
from benchmarks.workload import EPOCH, PRODUCER, SPEC, Json
from catalog.act import KINDS
from catalog.composition import access, create_log, evaluation_worker, follower, open_graph
from catalog.follower import Follower
from catalog.identity import act_id
from catalog.log.entry import EntryType
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.log.writer import microseconds_now
from catalog.principal import Principal, Scope, grants
from catalog.settings import Settings
from ingest.intake import Intake
from policies import acts
from policies.acts import ConfirmPolicy, ProposePolicy
from policies.judge import Judge
from policies.library import built_in
from policies.loading import load_pack, parse_document
from policies.watch.acts import acts_between, others_between
from policies.watch.change import VerdictChange
from policies.watch.watching import Watching

QUICK, FULL = 60, 10_000
PACK = "base-ml-governance"
_OF_A_MODEL = 10  # versions
_TARGET = 60.0  # seconds for 10,000 versions
_WITHIN = 1_000.0  # milliseconds from an event to its verdict
_EVENTS = 20
_ANN, _BOB = (Principal(name, f"{name}@example.org", grants(Scope)) for name in ("ann", "bob"))
_BINDING = {
    "apiVersion": "lineward.dev/v1",
    "kind": "PolicyBinding",
    "metadata": {"name": "everything"},
    "environments": ["production"],
    "packs": [{"name": PACK}],
    "enforceDrafts": True,
}


def prepare(data: Path, versions: int) -> None:
    """Write the log: for each version its data, its training and its evaluation, and a pack in force for all."""
    write_log(data, (orjson.dumps(each) for number in range(versions) for each in _story(number)))
    with create_log(data) as log:
        pack = load_pack(built_in()[PACK]).normalised()
        documents = (pack, parse_document(_BINDING).normalised())
        now = microseconds_now()
        proposal = acts.make(ProposePolicy, _ANN, now, documents=documents)
        refers_to = act_id(KINDS[EntryType.POLICY], proposal.id)
        confirmation = acts.make(ConfirmPolicy, _BOB, now, refers_to=refers_to)
        log.append([acts.submission(proposal), acts.submission(confirmation)], now)


def measure(data: Path, versions: int) -> Section:
    """Judge everything in a log from `prepare`, then send events, each about one version."""
    section = Section(f"Verdicts on {versions:,} model versions, sqlite")
    settings = Settings(data=data)
    with (
        create_log(data) as writer,
        LogReader.open(data) as log,
        closing(open_graph(settings)) as store,
        evaluation_worker() as worker,
    ):
        projecting = follower(settings, log, store)
        projecting.catch_up()
        judge = Judge(worker=worker, others=others_between(log.acts))
        watching = Watching(access(settings, log, store), judge, acts_between(log.acts))
        began = time.perf_counter()
        while watching.look():
            pass
        took = time.perf_counter() - began
        standing, _ = watching.standing()
        controls = sum(len(each.controls) for each in standing)
        if len(standing) != versions or controls < versions:
            raise RuntimeError(f"{len(standing)} versions with {controls} verdicts stand instead of {versions}")
        target = _TARGET * versions / FULL
        section.add(Figure(f"everything once, {controls:,} verdicts", took, "s", target=target))
        section.add(Figure("one version", took / versions * 1000, "ms", samples=versions))
        waits = [_changed(number, writer, projecting, watching) for number in range(min(_EVENTS, versions))]
        middle, slowest = median(waits) * 1000, max(waits) * 1000
        section.add(Figure("from an event to its verdicts", middle, "ms", slowest, target=_WITHIN, samples=len(waits)))
    section.remark(f"{_OF_A_MODEL} versions a model: an event about one is looked at for all of them")
    return section


def _changed(number: int, writer: LogStore, projecting: Follower, watching: Watching) -> float:
    """Seconds from when an event is logged until every verdict that it touches was looked at, projection included."""
    heard: list[VerdictChange] = []
    began = time.perf_counter()
    event = Intake().submission(orjson.dumps(_licensed(number)), "local", "http")
    writer.append([event], microseconds_now())
    projecting.catch_up()
    with watching.listening(heard.extend):
        while watching.look():
            pass
    took = time.perf_counter() - began
    if not heard:
        raise RuntimeError("an event changed no verdict")
    return took


# Events ------------------------------------------------------------------------------------------------------------


def _story(number: int) -> Iterator[Json]:
    data, model = _data(number), _model(number)
    yield _event(number, "load", 0, [], [data])
    yield _event(number, "train", 1, [data], [model], _TRAINING)
    yield _event(number, "evaluate", 2, [model, _dataset(f"holdout.{number}", "1")], [], _EVALUATION)


def _licensed(number: int) -> Json:
    """The load of a version's data once more, with what its steward says of it."""
    told = _facet("lineward_dataGovernance", licence="MIT", origin={"source": "bureau"}, personalData=False)
    return _event(number, "load", 0, [], [_data(number, lineward_dataGovernance=told)])


def _data(number: int, **facets: Json) -> Json:
    return _dataset(f"applications.{number}", "1", **facets)


def _model(number: int) -> Json:
    kind = _facet("DatasetTypeDatasetFacet", datasetType="MODEL")
    return _dataset(f"model.{number // _OF_A_MODEL}", str(number), datasetType=kind)


def _dataset(name: str, version: str, **facets: Json) -> Json:
    named = _facet("DatasetVersionDatasetFacet", datasetVersion=version)
    return {"namespace": "s3://lake", "name": name, "facets": {"version": named, **facets}}


def _facet(name: str, **said: object) -> Json:
    return {"_producer": PRODUCER, "_schemaURL": f"{SPEC}/facets/1-0-0/{name}.json#/$defs/{name}", **said}


_TRAINING = {"lineward_training": _facet("lineward_training", seed=7, authors=["ann@example.org"])}
_EVALUATION = {
    "lineward_evaluation": _facet(
        "lineward_evaluation", kind="performance", metrics=[{"name": "auc", "value": 0.75}], slices=[]
    )
}


def _event(number: int, job: str, step: int, reads: list[Json], writes: list[Json], facets: Json | None = None) -> Json:
    moment = EPOCH + timedelta(minutes=number, seconds=10 * step)
    run = str(uuid5(NAMESPACE_URL, f"sweep {job} {number}"))
    return {
        "eventType": "COMPLETE",
        "eventTime": moment.isoformat(),
        "producer": PRODUCER,
        "schemaURL": f"{SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run, "facets": facets or {}},
        "job": {"namespace": "airflow://sweep", "name": f"{job}.{number // _OF_A_MODEL}", "facets": {}},
        "inputs": reads,
        "outputs": writes,
    }
