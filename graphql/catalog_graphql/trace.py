"""What stands behind one prediction: a leg for each part of the answer."""

import strawberry

from catalog import model, prediction
from catalog.model import AsOf
from catalog_graphql.enums import LegState
from catalog_graphql.nodes import Node, node
from catalog_graphql.resolver import resolver
from catalog_graphql.scalars import DateTime, time
from catalog_graphql.service import DeploymentInterval, interval


@strawberry.type(description="A detail that the node alone does not show.")
class LegDetail:
    name: str = strawberry.field(description="What it is.")
    value: str = strawberry.field(description="Its value as text.")


@strawberry.type(description="One part of the answer: a node, or an unknown with its reason. Never neither.")
class PredictionLeg:
    name: str = strawberry.field(description="Which part, as the trace's field is called.")
    state: LegState = strawberry.field(description="How sure it is.")
    node: Node | None = strawberry.field(description="The node; of code and parameters the run that reported them.")
    reason: str | None = strawberry.field(description="Why it is unknown or ambiguous; null where it is known.")
    details: list[LegDetail] = strawberry.field(
        description="What was reported of it, such as the window or the commit."
    )


@strawberry.type(description="What stands behind one prediction.")
class PredictionTrace:
    at: DateTime = strawberry.field(description="When the prediction was made: as asked, or from the request id.")
    request_id: str | None = strawberry.field(description="The request id asked about.")
    interval: DeploymentInterval | None = strawberry.field(
        description="The stretch of service that the legs follow; null where none is known."
    )
    others: list[DeploymentInterval] = strawberry.field(
        description="What else the deployment served at that instant: canaries, shadows, other runs."
    )
    legs: list[PredictionLeg] = strawberry.field(description="All legs in order, for whoever shows them as a list.")

    @resolver("The service that was asked.")
    def deployment(self) -> PredictionLeg:
        return self._leg("deployment")

    @resolver("The run of the service that answered.")
    def deployment_run(self) -> PredictionLeg:
        return self._leg("deploymentRun")

    @resolver("The reported window of predictions that counts this one, with its Merkle root.")
    def window(self) -> PredictionLeg:
        return self._leg("window")

    @resolver("The model version that answered.")
    def model_version(self) -> PredictionLeg:
        return self._leg("modelVersion")

    @resolver("The run that made the model version.")
    def training_run(self) -> PredictionLeg:
        return self._leg("trainingRun")

    @resolver("The code of the training run.")
    def code(self) -> PredictionLeg:
        return self._leg("code")

    @resolver("The parameters of the training run.")
    def parameters(self) -> PredictionLeg:
        return self._leg("parameters")

    @resolver("What the training run read, each with the role that it reported; training data first.")
    def training_data(self) -> list[PredictionLeg]:
        return self._legs("trainingData")

    @resolver("The columns that the model was trained on, and data that the service read.")
    def features(self) -> list[PredictionLeg]:
        return self._legs("features")

    @resolver("What was measured of the model version, a leg for each evaluation run.")
    def metrics(self) -> list[PredictionLeg]:
        return self._legs("metrics")

    @resolver("Who approved the model version for this use.")
    def approver(self) -> PredictionLeg:
        return self._leg("approver")

    def _legs(self, name: str) -> list[PredictionLeg]:
        return [leg for leg in self.legs if leg.name == name]

    def _leg(self, name: str) -> PredictionLeg:
        (found,) = self._legs(name)
        return found


def prediction_trace(found: prediction.Trace, cut: AsOf) -> PredictionTrace:
    return PredictionTrace(
        at=time(found.at),
        request_id=found.request_id,
        interval=interval(found.interval, cut) if found.interval else None,
        others=[interval(each, cut) for each in found.others],
        legs=[_leg(each, cut) for each in found.legs],
    )


def _leg(found: model.Leg, cut: AsOf) -> PredictionLeg:
    return PredictionLeg(
        name=found.name,
        state=_state(found),
        node=node(found.node, cut) if found.node else None,
        reason=found.reason,
        details=[LegDetail(name=name, value=value) for name, value in found.detail.items()],
    )


def _state(leg: model.Leg) -> LegState:
    if leg.node is None:
        return LegState.UNKNOWN
    return LegState.KNOWN if leg.reason is None else LegState.AMBIGUOUS
