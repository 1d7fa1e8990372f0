"""The credit-risk model as an HTTP service, reporting what it predicts while it runs.

    OPENLINEAGE_URL=http://127.0.0.1:8765 python -m examples.credit_risk.service

Three lines make an ASGI service report itself: a `PredictionLog`, the middleware around the application, and
the call of `predicted` where a prediction is made.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from examples.credit_risk.pipeline import (
    FILES,
    JOBS,
    Rows,
    Table,
    delivery_to,
    features_of,
    load,
    read,
    retrain,
    train,
)
from ingest.producer import (
    Dataset,
    Delivery,
    Deployment,
    Model,
    Oversight,
    PredictionLog,
    PredictionMiddleware,
    ScoringRequest,
    Served,
)

REQUESTS = 100  # for each of the two versions
REFER_ABOVE = 0.5  # probability of default


class Scorer:
    """Answers `POST /score` with the version that is in place."""

    def __init__(self, log: PredictionLog, model: Model, artifact: Path) -> None:
        self.log = log
        self.put_in_place(model, artifact)

    def put_in_place(self, model: Model, artifact: Path) -> None:
        """Switches to a version, and reports the change if the service is running."""
        self.card = load(artifact)
        self.served = Served(model, role="primary", share=1.0)
        self.log.serve([self.served])

    async def score(self, request: Request) -> JSONResponse:
        features = features_of(await request.json())
        probability = float(self.card.probabilities([features])[0])
        decision = "refer" if probability > REFER_ABOVE else "approve"
        scoring: ScoringRequest = request.scope["lineward"]
        request_id = scoring.predicted(features=features, output=probability, decision=decision, served=self.served)
        return JSONResponse({"requestId": request_id, "probability": probability, "decision": decision})


def deployment(endpoint: str) -> Deployment:
    return Deployment(
        namespace=JOBS,
        name="scoring",
        environment="production",
        endpoint=endpoint,
        country="DE",
        oversight=Oversight(assignedTo=["team:credit-operations"], overrideEnabled=True),
        decision_mode="human_in_the_loop",
        retention_days=365,
        window_seconds=30,
    )


@dataclass(frozen=True, slots=True)
class Service:
    """The running service: its address, what it runs as, and the scorer inside."""

    endpoint: str
    deployment: Deployment
    scorer: Scorer

    def ask(self, applicants: Rows) -> list[str]:
        """Sends one request per applicant; the request ids of the answers."""
        with httpx.Client() as client:
            answers = [client.post(self.endpoint, json=applicant) for applicant in applicants]
        return [answer.raise_for_status().json()["requestId"] for answer in answers]


@contextmanager
def serving(folder: Path, delivery: Delivery, model: Model, artifact: Path) -> Iterator[Service]:
    """Serves a model version on a free port of this machine until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    described = deployment(f"http://127.0.0.1:{listener.getsockname()[1]}/score")
    log = PredictionLog(
        delivery,
        deployment=described,
        served=[Served(model)],
        path=folder / "predictions.ndjson",
        dataset=Dataset(namespace=FILES, name="predictions.ndjson"),
    )
    scorer = Scorer(log, model, artifact)
    app = PredictionMiddleware(Starlette(routes=[Route("/score", scorer.score, methods=["POST"])]), log)
    with listening(app, listener):
        yield Service(str(described.endpoint), described, scorer)


@contextmanager
def listening(app: PredictionMiddleware, listener: socket.socket) -> Iterator[None]:
    """Runs an ASGI server in a thread, as a process of its own would in earnest."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="scoring", daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@dataclass(frozen=True, slots=True)
class Summary:
    """What to ask the lineage server about: `request_id` was answered by `model`, the newer version."""

    deployment: Deployment
    model: Model
    request_id: str
    earlier_model: Model
    earlier_request_id: str
    requests: int
    features: Table
    delivered: bool  # False where events went to the spool file in the folder instead


def run(folder: Path, url: str, key: str | None = None) -> Summary:
    """Trains both versions, serves the first and then the second, and shuts the service down."""
    delivery = delivery_to(url, folder, key)
    trained = train(folder, delivery)
    earlier, model = trained.models
    applicants = read(trained.applications.path)[: 2 * REQUESTS]
    with serving(folder, delivery, earlier, trained.artifacts[0]) as service:
        earlier_ids = service.ask(applicants[:REQUESTS])
        service.scorer.put_in_place(model, trained.artifacts[1])
        ids = service.ask(applicants[REQUESTS:])
    return Summary(
        deployment=service.deployment,
        model=model,
        request_id=ids[-1],
        earlier_model=earlier,
        earlier_request_id=earlier_ids[-1],
        requests=len(earlier_ids) + len(ids),
        features=trained.features,
        delivered=delivery.close(patience=30),
    )


def correct(folder: Path, url: str, features: Table, key: str | None = None) -> tuple[Model, Path]:
    """Trains version 3, which does not see the age of applicants; the model and its file."""
    delivery = delivery_to(url, folder, key)
    corrected = retrain(folder, delivery, features)
    delivery.close(patience=30)
    return corrected


def roll_out(folder: Path, url: str, model: Model, artifact: Path, key: str | None = None) -> None:
    """Serves a version for a while."""
    delivery = delivery_to(url, folder, key)
    with serving(folder, delivery, model, artifact) as service:
        service.ask(read(folder / "applications.csv")[:REQUESTS])
    delivery.close(patience=30)


if __name__ == "__main__":
    summary = run(Path("work"), os.environ["OPENLINEAGE_URL"], os.environ.get("OPENLINEAGE_API_KEY"))
    print(f"{summary.requests} requests answered; request {summary.request_id} by {summary.model.name}")
