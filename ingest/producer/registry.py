"""A registry's word on its models: which version goes by which alias from now on."""

from openlineage.client.event_v2 import DatasetEvent

from ingest.producer.dataset import Model
from ingest.producer.delivery import Reporter, delivery_of, unharmed
from ingest.producer.run import PRODUCER, now


def announce_aliases(model: Model, reporter: Reporter = None) -> None:
    """Report that a model version has exactly its `aliases` from now on.

    Another version that had one of them has it no longer. Raises nothing; without a `reporter` it waits a second at
    most for the delivery.
    """
    at = now()
    with unharmed("report a model's aliases"):
        delivery, owned = delivery_of(reporter)
        delivery.send(DatasetEvent(eventTime=at, producer=PRODUCER, dataset=model.as_registered()))
        if owned:
            delivery.close()
