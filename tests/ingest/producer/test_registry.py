from openlineage.client import OpenLineageClient

from ingest.producer import Delivery, Model, announce_aliases
from tests.ingest.producer.collector import Collector

CREDIT = Model(namespace="registry", name="credit", version="3")


def facets_told(collector: Collector, client: OpenLineageClient, model: Model) -> dict[str, object]:
    delivery = Delivery(client)
    announce_aliases(model, delivery)
    assert delivery.close(30.0)
    (event,) = collector.events
    assert (event["dataset"]["namespace"], event["dataset"]["name"]) == ("registry", "credit")
    assert "run" not in event
    facets: dict[str, object] = event["dataset"]["facets"]
    return {
        name: {key: value for key, value in facet.items() if not key.startswith("_")}
        for name, facet in facets.items()
        if isinstance(facet, dict)
    }


def test_aliases_are_told_without_the_rest_of_the_card(collector: Collector, client: OpenLineageClient) -> None:
    model = Model(namespace="registry", name="credit", version="3", framework="sklearn", aliases=("champion",))
    assert facets_told(collector, client, model) == {
        "datasetType": {"datasetType": "MODEL"},
        "version": {"datasetVersion": "3"},
        "lineward_registry": {"aliases": ["champion"]},
    }


def test_taking_all_away_is_told_too(collector: Collector, client: OpenLineageClient) -> None:
    model = Model(namespace="registry", name="credit", version="3", aliases=())
    assert facets_told(collector, client, model)["lineward_registry"] == {"aliases": []}


def test_who_says_nothing_of_aliases_leaves_them_alone() -> None:
    assert "lineward_registry" not in (CREDIT.as_output().facets or {})


def test_a_registration_can_name_them() -> None:
    model = Model(namespace="registry", name="credit", version="3", aliases=("champion",))
    assert "lineward_registry" in (model.as_output().facets or {})
