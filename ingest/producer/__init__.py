"""What a training script or a scoring service imports to report itself to any OpenLineage server.

Needs openlineage-python and the standard library alone, and never breaks or slows what it watches.
"""

from ingest.producer.dataset import Dataset, Model, digest_of
from ingest.producer.delivery import Delivery
from ingest.producer.deployment import Deployment, Served
from ingest.producer.evaluation import Evaluation
from ingest.producer.facets import Compute, Oversight
from ingest.producer.middleware import PredictionMiddleware, ScoringRequest
from ingest.producer.predictions import PredictionLog
from ingest.producer.registry import announce_aliases
from ingest.producer.run import BatchRun
from ingest.producer.training import TrainingRun

__all__ = [
    "BatchRun",
    "Compute",
    "Dataset",
    "Delivery",
    "Deployment",
    "Evaluation",
    "Model",
    "Oversight",
    "PredictionLog",
    "PredictionMiddleware",
    "ScoringRequest",
    "Served",
    "TrainingRun",
    "announce_aliases",
    "digest_of",
]
