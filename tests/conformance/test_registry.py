"""Aliases that a registry gives to a model's versions, in every store: who has which when, whatever the order told."""

from collections.abc import Sequence
from itertools import groupby
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.graph.contract import FOREVER, GraphStore
from catalog.graph.digest import digest
from catalog.identity import dataset_id, named_version_id
from catalog.instant import text
from catalog.model import DatasetRef, NodeRef, RegistryAlias
from catalog.reading import Reading
from tests.ingest.events import Event, at, dataset_event, entries_of, facet, model, project

REGISTRY = "registry"
Telling = tuple[int, str, frozenset[str]]  # second, version, all of its aliases


def told(second: int, version: str, *aliases: str) -> Event:
    return dataset_event(second, model("credit", version, REGISTRY, lineward_registry=facet(aliases=list(aliases))))


def held(*events: Event, store: GraphStore, known: int | None = None, valid: int = FOREVER) -> dict[str, str]:
    """The version that each alias of the events leads to."""
    if store.position() is None:
        project(store, entries_of(events))
    aliases = {each for event in events for each in event["dataset"]["facets"]["lineward_registry"]["aliases"]}
    with store.read(known, valid) as reader:
        found = {each: Reading(reader).find(_named(each)) for each in aliases}
    return {alias: node.label or "" for alias, node in found.items() if node is not None}


def periods(store: GraphStore, version: str) -> list[RegistryAlias]:
    with store.read() as reader:
        return Reading(reader).aliases(named_version_id(dataset_id(REGISTRY, "credit"), version))


def _named(label: str) -> NodeRef:
    return NodeRef(model=DatasetRef(REGISTRY, "credit", label))


def test_an_alias_leads_to_the_version_that_claimed_it_last(store: GraphStore) -> None:
    events = told(1, "1", "champion"), told(2, "2", "challenger"), told(3, "2", "champion")

    assert held(*events, store=store) == {"champion": "2"}
    assert held(*events, store=store, valid=at(2)) == {"champion": "1", "challenger": "2"}
    assert held(*events, store=store, known=2) == {"champion": "1", "challenger": "2"}
    assert periods(store, "1") == [RegistryAlias("champion", text(at(1)), text(at(3)))]
    assert periods(store, "2") == [
        RegistryAlias("challenger", text(at(2)), text(at(3))),
        RegistryAlias("champion", text(at(3)), None),
    ]


def test_an_alias_given_up_does_not_fall_back_to_an_earlier_version(store: GraphStore) -> None:
    assert held(told(1, "1", "champion"), told(2, "2", "champion"), told(3, "2"), store=store) == {}


def test_a_late_word_changes_the_past_and_not_the_present(store: GraphStore) -> None:
    events = told(1, "1", "champion"), told(9, "3", "champion"), told(5, "2", "champion")

    assert held(*events, store=store) == {"champion": "3"}
    assert held(*events, store=store, valid=at(6)) == {"champion": "2"}
    assert held(*events, store=store, valid=at(6), known=2) == {"champion": "1"}


def test_a_version_of_that_name_comes_before_the_alias(store: GraphStore) -> None:
    assert held(told(1, "1", "2"), told(2, "2"), store=store) == {"2": "2"}


def test_what_an_alias_is_called_does_not_matter(store: GraphStore) -> None:
    odd = "Prod@1 {x} /:\N{PILE OF POO}", "‮evil", "<script>", "x" * 256
    assert held(told(1, "1", *odd), store=store) == dict.fromkeys(odd, "1")
    assert {each.alias for each in periods(store, "1")} == set(odd)


def test_other_facets_of_a_model_stand_while_its_aliases_move(store: GraphStore) -> None:
    card = facet(intendedUse="credit")
    project(
        store, entries_of([dataset_event(1, model("credit", "1", REGISTRY, lineward_model=card)), told(2, "1", "a")])
    )
    with store.read() as reader:
        reading = Reading(reader)
        facets = reading.facets(dataset_id(REGISTRY, "credit"), ["lineward_model"])
    assert [each.name for each in facets] == ["lineward_model"]


tellings = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from("123"), st.frozensets(st.sampled_from("ab"))), min_size=1, max_size=7
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tellings, st.randoms(use_true_random=False))
def test_any_order_and_duplicate_tells_the_same(store: GraphStore, told_so: list[Telling], random: Random) -> None:
    events = [told(second, version, *sorted(aliases)) for second, version, aliases in told_so]
    store.clear()
    project(store, entries_of(events))
    facts = digest(store)
    assert held(*events, store=store) == plainly(told_so)

    random.shuffle(events)
    store.clear()
    project(store, entries_of(events), [random.randrange(len(events) + 1)])
    assert held(*events, store=store) == plainly(told_so)
    assert digest(store) == facts


def plainly(told_so: Sequence[Telling]) -> dict[str, str]:
    """Instant by instant: claims outweigh losses, and of two claims the version with the greater id wins."""
    ids = {version: named_version_id(dataset_id(REGISTRY, "credit"), version) for version in "123"}
    holder: dict[str, str] = {}
    for _, at_once in groupby(sorted(told_so, key=lambda each: each[0]), key=lambda each: each[0]):
        said = list(at_once)
        for alias in "ab":
            claims = [version for _, version, aliases in said if alias in aliases]
            if claims:
                holder[alias] = max(claims, key=ids.__getitem__)
            elif any(version == holder.get(alias) for _, version, _ in said):
                del holder[alias]
    return holder
