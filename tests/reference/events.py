"""Event records by hand: `Scenario` writes sequences down, `event_records` draws adversarial ones.

Times are whole seconds after the epoch; datasets and jobs live in the namespace `ns`, the dataset `d` in `file`; a run
is named by a word.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from hypothesis import strategies as st

from catalog.graph.record import (
    Change,
    DatasetUse,
    EventRecord,
    ParentRef,
    Processing,
    Served,
    Serving,
    Shape,
    Source,
    encode,
)
from catalog.identity import dataset_id, job_id, moment_version_id, named_version_id, run_id, run_version_id, variant
from catalog.instant import SECOND, text

NAMESPACE = "ns"
EVERYBODYS = {"d": "file"}  # names whose namespace tells no two senders apart
HOUR = 3600
DAY = 24 * HOUR


def namespace_of(name: str) -> str:
    return EVERYBODYS.get(name, NAMESPACE)


def dataset(name: str) -> str:
    return dataset_id(namespace_of(name), name)


SHARED = frozenset(map(dataset, EVERYBODYS))


def job(name: str) -> str:
    return job_id(NAMESPACE, name)


def run(uuid: str, name: str | None = None) -> str:
    """The node of a run whose job, unless told, is called like it."""
    return run_id(uuid, NAMESPACE, name or uuid)


def version(name: str, *, by: str | None = None, at: float | None = None, after: float | None = None) -> str:
    """`b@3` is a reported version, `b` with `by` (and `at`, of a service) one that its run names; `after` a DROP."""
    bare, _, label = name.partition("@")
    if label:
        base = named_version_id(dataset(bare), label)
    elif at is None:
        base = run_version_id(dataset(bare), str(by))
    else:
        base = moment_version_id(dataset(bare), str(by), micros(at))
    return base if after is None else variant(base, "after", str(micros(after)))


def micros(seconds: float) -> int:
    return round(seconds * SECOND)


def use(
    name: str,
    *,
    change: Change | None = None,
    renamed_from: str | None = None,
    sources: Sequence[str] | None = None,
    columns: Sequence[str] = (),
    aliases: Sequence[str] | None = None,
    model: bool = False,
    role: str | None = None,
    share: float | None = None,
) -> DatasetUse:
    """A mention of a dataset, `name` or `name@version`; other datasets by their bare names."""
    bare, _, label = name.partition("@")
    return DatasetUse(
        dataset=dataset(bare),
        version=label or None,
        change=change,
        renamed_from=dataset(renamed_from) if renamed_from else None,
        model=model,
        columns=tuple(map(dataset, columns)),
        sources=None if sources is None else tuple(Source(dataset=dataset(source)) for source in sources),
        aliases=None if aliases is None else tuple(map(dataset, aliases)),
        role=role,
        share=share,
    )


def drop(name: str) -> DatasetUse:
    return use(name, change=Change.DROP)


def served(name: str, role: str = "primary", share: float | None = None) -> Served:
    """An entry of `lineward_serving.models`."""
    bare, _, label = name.partition("@")
    return Served(dataset(bare), label or None, role, share)


def parent(uuid: str, name: str | None = None) -> ParentRef:
    return ParentRef(uuid, NAMESPACE, name or uuid)


Mention = str | DatasetUse


class Scenario:
    """A sequence of events; each call appends what it says. `details` are further fields of `EventRecord`."""

    def __init__(self) -> None:
        self.records: list[EventRecord] = []

    def event(
        self,
        uuid: str,
        type: str | None = "COMPLETE",  # noqa: A002 - the wire's word
        *,
        at: float,
        job: str | None = None,
        reads: Iterable[Mention] = (),
        writes: Iterable[Mention] = (),
        **details: Any,
    ) -> "Scenario":
        """One event of a run whose job, unless told, is called like it."""
        name = job or uuid
        return self._append(
            at,
            shape=Shape.RUN,
            type=type,
            run=uuid,
            job=job_id(NAMESPACE, name),
            job_namespace=NAMESPACE,
            job_name=name,
            inputs=tuple(map(_mention, reads)),
            outputs=tuple(map(_mention, writes)),
            **details,
        )

    def run(
        self,
        uuid: str,
        start: float,
        end: float,
        *,
        reads: Iterable[Mention] = (),
        writes: Iterable[Mention] = (),
        ends: str = "COMPLETE",
        **details: Any,
    ) -> "Scenario":
        """A batch run: START, and a terminal event that mentions everything."""
        self.event(uuid, "START", at=start, **details)
        return self.event(uuid, ends, at=end, reads=reads, writes=writes, **details)

    def service(self, uuid: str, at: float, type: str = "RUNNING", **details: Any) -> "Scenario":  # noqa: A002
        """One event of a SERVICE run."""
        return self.event(uuid, type, at=at, processing=Processing.SERVICE, **details)

    def stream(self, uuid: str, at: float, type: str = "RUNNING", **details: Any) -> "Scenario":  # noqa: A002
        return self.event(uuid, type, at=at, processing=Processing.STREAMING, **details)

    def dataset(self, at: float, subject: Mention, **details: Any) -> "Scenario":
        """A DatasetEvent."""
        return self._append(at, shape=Shape.DATASET, subject=_mention(subject), **details)

    def job(
        self, name: str, at: float, *, reads: Iterable[Mention] = (), writes: Iterable[Mention] = (), **details: Any
    ) -> "Scenario":
        """A JobEvent."""
        return self._append(
            at,
            shape=Shape.JOB,
            job=job_id(NAMESPACE, name),
            job_namespace=NAMESPACE,
            job_name=name,
            inputs=tuple(map(_mention, reads)),
            outputs=tuple(map(_mention, writes)),
            **details,
        )

    def now(self, at: float) -> "Scenario":
        """Something unrelated arrives, so that the newest received time is this."""
        return self.dataset(at, "unrelated")

    def _append(self, at: float, *, recorded: float | None = None, actor: str = "local", **details: Any) -> "Scenario":
        heard = micros(at if recorded is None else recorded)
        self.records.append(_record(len(self.records), micros(at), heard, actor, details))
        return self


def _mention(mention: Mention) -> DatasetUse:
    return use(mention) if isinstance(mention, str) else mention


def _record(seq: int, at: int, recorded: int, actor: str, details: Mapping[str, Any]) -> EventRecord:
    """The digest stands for the body: equal bodies have equal ones, whoever sent them and whenever."""
    body = EventRecord(seq=0, at=at, recorded=0, time=text(at), actor="", digest="", **details)
    digest = details.get("digest") or hashlib.sha256(encode(body)).hexdigest()
    return msgspec.structs.replace(body, seq=seq, recorded=recorded, actor=actor, digest=digest)


# -- drawn sequences

NAMES = ("a", "b", "c", "d", "m")
LABELS = (None, None, None, "1", "2")
EARLY, TIMES = st.integers(1, 5), st.integers(1, 12)

IN_APPLICATION = {"parent": ParentRef("app", NAMESPACE, "app"), "job_type": "SQL_JOB"}
RUNS: Mapping[str, tuple[tuple[str, ...], Mapping[str, Any]]] = {
    "app": (("app",), {"job_type": "APPLICATION", "processing": Processing.BATCH}),
    "left": (("load",), IN_APPLICATION),
    "right": (("load",), IN_APPLICATION),
    "save": (("train",), IN_APPLICATION),
    "deep": (("train",), {"parent": ParentRef("left", NAMESPACE, "load")}),
    "lone": (("train",), {"parent": ParentRef("ghost", NAMESPACE, "ghost")}),
    "spark": (("s", "s.t"), {"parent": ParentRef("shared", NAMESPACE, "x")}),
    "shared": (("x", "y"), {}),
    "server": (("serve",), {"processing": Processing.SERVICE, "window": 1.0}),
    "flow": (("pipe",), {"processing": Processing.STREAMING}),
    "snaps": (("batches",), {"processing": Processing.BATCH, "snapshot": True}),
}
"""Run UUID → the jobs that use it and what its events say each time."""


@st.composite
def reads(draw: st.DrawFn) -> DatasetUse:
    """An input; `m` is the model."""
    name = draw(st.sampled_from(NAMES))
    model = name == "m"
    return DatasetUse(
        dataset(name),
        version=draw(st.sampled_from(LABELS)),
        model=model,
        role=draw(st.sampled_from((None, None, "canary"))) if model else None,
        aliases=draw(_aliases()),
    )


@st.composite
def writes(draw: st.DrawFn) -> DatasetUse:
    """An output with, now and then, a change, explicit sources or column lineage."""
    name = draw(st.sampled_from(NAMES))
    change = draw(st.sampled_from((None,) * 8 + tuple(Change)))
    others = st.sampled_from([other for other in NAMES if other != name])
    lineage = st.lists(others.map(dataset), max_size=2, unique=True).map(tuple)
    explicit = draw(_seldom(None, lineage))
    return DatasetUse(
        dataset(name),
        version=draw(st.sampled_from(LABELS)),
        change=change,
        renamed_from=dataset(draw(others)) if change is Change.RENAME else None,
        model=name == "m",
        columns=draw(_seldom((), lineage)),
        sources=None if explicit is None else tuple(Source(dataset=source) for source in explicit),
        aliases=draw(_aliases()),
    )


def _aliases() -> st.SearchStrategy[tuple[str, ...] | None]:
    return _seldom(None, st.lists(st.sampled_from(NAMES).map(dataset), max_size=2, unique=True).map(tuple))


def _seldom(usual: Any, otherwise: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from((True, True, True, True, False)).flatmap(
        lambda plain: st.just(usual) if plain else otherwise
    )


@st.composite
def runs_of(draw: st.DrawFn, uuid: str) -> list[dict[str, Any]]:
    """Up to three events of one run; most end it, and most of what it reads and writes comes with the last."""
    started = draw(st.lists(st.sampled_from(("START", "START", "RUNNING", "RUNNING", "FAIL")), max_size=2))
    ended = draw(st.sampled_from(("COMPLETE", "COMPLETE", "COMPLETE", "FAIL", "RUNNING")))
    return [draw(run_events(uuid, kind)) for kind in [*started, ended]]


@st.composite
def run_events(draw: st.DrawFn, uuid: str, kind: str) -> dict[str, Any]:
    """One event of a run."""
    names, details = RUNS[uuid]
    name = draw(st.sampled_from(names))
    most = 0 if kind == "START" and draw(st.booleans()) else 2
    return {
        **details,
        "shape": Shape.RUN,
        "type": kind,
        "run": uuid,
        "job": job_id(NAMESPACE, name),
        "job_namespace": NAMESPACE,
        "job_name": name,
        "inputs": tuple(draw(st.lists(reads(), max_size=most))),
        "outputs": tuple(draw(st.lists(writes(), max_size=most))),
        "serving": draw(_seldom(None, st.just(Serving(role="shadow", share=0.5)))) if uuid == "server" else None,
        "extraction_failed": draw(_seldom(False, st.just(True))),
    }


def job_events() -> st.SearchStrategy[dict[str, Any]]:
    """A JobEvent of a job that also runs."""
    return st.builds(
        lambda name, inputs, outputs: {
            "shape": Shape.JOB,
            "job": job_id(NAMESPACE, name),
            "job_namespace": NAMESPACE,
            "job_name": name,
            "inputs": tuple(inputs),
            "outputs": tuple(outputs),
        },
        st.sampled_from(("load", "train")),
        st.lists(reads(), max_size=1),
        st.lists(writes(), max_size=1),
    )


def dataset_events() -> st.SearchStrategy[dict[str, Any]]:
    """A DatasetEvent: a declaration, a change, or symlinks."""
    return writes().map(
        lambda subject: {
            "shape": Shape.DATASET,
            "subject": msgspec.structs.replace(subject, sources=None, columns=()),
        }
    )


@st.composite
def event_records(draw: st.DrawFn, max_runs: int = 6) -> list[EventRecord]:
    """Small sets in which times collide, runs overlap and nearly everything refers to everything else.

    Records come in any order of time; their positions are 0, 1, 2, ….
    """
    uuids = draw(st.lists(st.sampled_from(list(RUNS)), min_size=1, max_size=max_runs, unique=True))
    events = [event for uuid in uuids for event in draw(runs_of(uuid))]
    events += draw(st.lists(st.one_of(job_events(), dataset_events()), max_size=3))
    order = draw(st.permutations(events))
    return [_drawn(draw, seq, details) for seq, details in enumerate(order)]


def _drawn(draw: st.DrawFn, seq: int, details: Mapping[str, Any]) -> EventRecord:
    early = details.get("type") in ("START", None)
    at = draw(EARLY if early else TIMES)
    late = draw(st.sampled_from((0, 1, 5)))
    actor = draw(st.sampled_from(("local", "local", "another")))
    return _record(seq, micros(at), micros(at + late), actor, details)
