"""Set an alias of a registered MLflow model, if the release gate allows it.

    python promote.py credit-risk 2 champion --namespace mlflow --env production

Needs `mlflow` and `httpx`; LINEWARD_URL and LINEWARD_API_KEY say whom to ask. Exit codes are those of `lineward gate`:
0 allowed and promoted, 1 denied, 2 usage, 3 not decidable, 4 waiting for approval.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

EXIT_CODES = {"ALLOW": 0, "DENY": 1, "INDETERMINATE": 3, "PENDING": 4}


class Registry(Protocol):
    """The two verbs of `mlflow.MlflowClient` that it takes."""

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> Any: ...

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> Any: ...


@dataclass(frozen=True)
class Answer:
    """What the gate said. `decision` names it in the log, for whoever asks later; empty where it is not there."""

    state: str
    decision: str
    reasons: tuple[str, ...]


def ask(gate: httpx.Client, namespace: str, model: str, version: str, environment: str) -> Answer:
    """The decision on a version. Whatever is no clear answer is INDETERMINATE: it fails closed."""
    wanted = {"namespace": namespace, "model": model, "version": version, "environment": environment}
    try:
        response = gate.post("/api/v1/gate/decisions", json=wanted)
        response.raise_for_status()
        said = response.json()
        answer = Answer(str(said["state"]), said["decisionId"] or "", tuple(map(str, said["reasons"])))
        allowed = answer.state == "ALLOW" and bool(answer.decision)  # an allow is in the log, or it is none
        consistent = answer.state in EXIT_CODES and said["allow"] is allowed
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return Answer("INDETERMINATE", "", (f"the gate did not answer: {error or type(error).__name__}",))
    return answer if consistent else Answer("INDETERMINATE", answer.decision, ("the answer contradicts itself",))


def promote(registry: Registry, answer: Answer, model: str, version: str, alias: str) -> int:
    """Set the alias where the gate allows it, and leave the decision's id beside it. The exit code."""
    if answer.decision:
        registry.set_model_version_tag(model, version, "lineward.decision", answer.decision)
    if answer.state == "ALLOW":
        registry.set_registered_model_alias(model, alias, version)
    return EXIT_CODES[answer.state]


def main(arguments: Sequence[str] | None = None, registry: Registry | None = None) -> int:
    parser = argparse.ArgumentParser(description="Set an alias of a model, if the release gate allows it.")
    parser.add_argument("model")
    parser.add_argument("version")
    parser.add_argument("alias")
    parser.add_argument("--namespace", required=True, help="the registry's namespace in Lineward")
    parser.add_argument("--env", default="production", help="environment that the alias stands for")
    given = parser.parse_args(arguments)

    headers = {"Authorization": f"Bearer {key}"} if (key := os.environ.get("LINEWARD_API_KEY")) else {}
    url = os.environ.get("LINEWARD_URL", "http://127.0.0.1:8765")
    with httpx.Client(base_url=url, headers=headers, timeout=60.0) as gate:
        answer = ask(gate, given.namespace, given.model, given.version, given.env)
    for line in (answer.state, *answer.reasons):
        print(line)
    return promote(registry or _mlflow(), answer, given.model, given.version, given.alias)


def _mlflow() -> Registry:
    import mlflow  # type: ignore[import-not-found, unused-ignore]

    client: Registry = mlflow.MlflowClient()
    return client


if __name__ == "__main__":
    sys.exit(main())
