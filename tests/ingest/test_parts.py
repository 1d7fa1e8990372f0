"""What is remembered of an event's parts changes nothing: a reader with a full memory reads as a new one does."""

from collections.abc import Sequence
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import parts as parts_module
from ingest.namespaces import NamespaceRules
from ingest.openlineage import Interpretation, ModelRules, _Reader
from ingest.parts import Parts
from tests.conformance.corpus import corpora
from tests.ingest.events import Event, dataset, facet, job_type, parent, run_event, schema, symlinks, versioned

SENDERS = ("laptop-1", "laptop-2", "server")
RULES = ModelRules(namespaces=frozenset({"models"}))
PLACES = NamespaceRules((("laptop-*", "file", "file-of-{principal}"), ("server", "file", "file")))


def reader(places: NamespaceRules = PLACES) -> _Reader:
    return _Reader(Parts(RULES.match, places))


def read(by: _Reader, body: bytes, sender: str) -> tuple[Any, ...]:
    return image(by.interpretation(body, 7, 2**60, sender))


def image(found: Interpretation) -> tuple[Any, ...]:
    return (
        found.record,
        found.datasets,
        found.jobs,
        {dataset: set(paths) for dataset, paths in found.fields.items()},
        found.bundles,
        found.bodies,
        found.unplaced,
    )


LINEAGE = facet(inputs=[{"namespace": "file", "name": "b", "type": "DATASET"}, {"type": "JOB"}])
JOB_LINEAGE = facet(entries=[{"namespace": "file", "name": "a", "type": "DATASET", "inputs": [{"type": "JOB"}]}])
MENTIONS: list[Event] = [
    dataset("a", "file", schema=schema("x", "y")),
    dataset("a", "file", schema=schema("x")),
    dataset("a", "file", schema=schema("x"), version=facet(datasetVersion="1")),
    dataset("a", "file", schema=schema("x"), version=facet(datasetVersion="2")),
    dataset("a", "file", schema=schema("x"), version=facet(other="2")),
    dataset("a", "file", schema=schema("x"), version=None),
    versioned("a", "1", "models", use={"inputStats": facet(rows=1)}),
    versioned("a", "1", "models", use={"inputStats": facet(rows=2)}),
    dataset("a", "file", lineage=LINEAGE),
    dataset("b", "file", symlinks=symlinks("a"), lineward_namespace=facet(written="forged")),
    dataset("b", "file", unknown=facet(deep=[1, {"é": None}])),
]


@st.composite
def events(draw: st.DrawFn) -> Event:
    mentions = st.lists(st.sampled_from(MENTIONS), max_size=3)
    job_facets = draw(st.sampled_from([job_type("SPARK"), job_type("FLINK", processing="STREAMING"), {}]))
    if draw(st.integers(0, 3)) == 0:
        job_facets = {**job_facets, "lineage": JOB_LINEAGE}
    run_facets: Event = draw(st.sampled_from([{}, {"parent": parent("p")}, {"parent": parent("q"), "nothing": None}]))
    return run_event(
        draw(st.sampled_from(["START", "COMPLETE"])),
        draw(st.integers(1, 3)),
        draw(st.sampled_from("rs")),
        draw(st.sampled_from("jk")),
        reads=draw(mentions),
        writes=draw(mentions),
        job_facets=job_facets,
        **run_facets,
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(events(), st.sampled_from(SENDERS)), min_size=2, max_size=8))
def test_one_that_read_before_reads_the_same(sent: list[tuple[Event, str]]) -> None:
    _assert_alike([(orjson.dumps(event), sender) for event, sender in sent])


@pytest.mark.parametrize("corpus", list(corpora()))
def test_of_real_events_likewise(corpus: str) -> None:
    found = Random(0).choices(corpora()[corpus], k=60)
    _assert_alike([(orjson.dumps(event), SENDERS[place % 3]) for place, event in enumerate(found)])


def _assert_alike(sent: Sequence[tuple[bytes, str]]) -> None:
    used = reader()
    for body, sender in sent:
        assert read(used, body, sender) == read(reader(), body, sender)


def test_spacing_and_order_of_members_do_not_matter() -> None:
    event = run_event("START", 1, writes=[versioned("a", "1", schema=schema("x", "y"))])
    tight = orjson.dumps(event)
    loose = orjson.dumps(event, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    used = reader()
    one, other = (image(used.interpretation(body, 7, 2**60, "local")) for body in (tight, loose))
    assert one[1:] == other[1:]
    assert one[0].outputs == other[0].outputs


def test_an_equal_part_is_one_object_whatever_its_version() -> None:
    used = reader()
    bodies = [
        orjson.dumps(run_event("START", number, f"r{number}", "j", writes=[versioned("a", f"{number}")]))
        for number in (1, 2)
    ]
    one, other = (used.interpretation(body, 7, 2**60, "local") for body in bodies)
    assert one.record.outputs[0].version != other.record.outputs[0].version
    assert set(map(id, one.parts)) & set(map(id, other.parts)) >= {id(one.parts[0]), id(one.parts[-1])}


def test_a_memory_that_is_full_forgets_and_reads_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "_REMEMBERED", 600)
    used = reader()
    for number in range(40):
        body = orjson.dumps(run_event("START", 1, writes=[dataset(f"d{number % 7}", schema=schema("x", str(number)))]))
        assert read(used, body, "server") == read(reader(), body, "server")
