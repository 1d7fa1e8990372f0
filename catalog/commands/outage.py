"""When a release may go on although nobody decided: the server cannot be reached, and its environment permits that.

Which bindings permit it is known to the server alone, and in an outage that is just what does not answer. So the
permission lies where the pipeline runs, beside its key: in LINEWARD_ON_ERROR_ALLOW_ENVIRONMENTS. While the server
answers, a binding that does not permit it refuses it too, so that the two are found to differ before it matters.
"""

from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from catalog.commands.failure import tell
from catalog.errors import InvalidInputError, LinewardError

if TYPE_CHECKING:
    from catalog.commands.governing import Governing
    from catalog.model import NodeRef

VARIABLE = "LINEWARD_ON_ERROR_ALLOW_ENVIRONMENTS"


class OutageSettings(BaseSettings):
    """What the gate permits without a decision, of `LINEWARD_*` variables."""

    model_config = SettingsConfigDict(env_prefix="LINEWARD_", extra="ignore", frozen=True)

    on_error_allow_environments: Annotated[
        frozenset[str], Field(description="Environments that a release may go into undecided (JSON list)")
    ] = frozenset()


def check_outage_rule(environment: str, url: str | None) -> None:
    """Raises InvalidInputError where `--on-error allow` is not permitted, whether the server answers or not."""
    if url is None:
        raise InvalidInputError("--on-error allow is about a server, and none is named", "Add --url, or leave it out.")
    if environment not in _permitted():
        raise InvalidInputError(
            f"--on-error allow is not permitted for {environment}",
            f"Leave it out. Whoever may permit it names the environment in {VARIABLE}, as in '[\"{environment}\"]'.",
        )


def check_bindings(governing: "Governing", target: "NodeRef", environment: str) -> None:
    """Raises InvalidInputError where a binding that covers the target does not say `onErrorAllow: true`."""
    from policies.in_force import selects

    found = governing.find(target)
    if found is None:
        return  # the gate says so
    for name, document in governing.bindings_in_force().items():
        if selects(document, environment, found.namespace, found.name) and not document.get("onErrorAllow"):
            raise InvalidInputError(
                f"the binding {name} does not permit --on-error allow for {environment}",
                "Leave it out, or let two people apply the binding with onErrorAllow: true.",
            )


def tell_outage(environment: str, error: LinewardError) -> None:
    """Say what was let pass, and that nothing stands behind it."""
    tell(error.message, error.remedy)
    typer.echo(f"ALLOW for {environment} without a decision: {VARIABLE} permits it while no server is reached.")
    typer.echo("Nothing is recorded or signed, and no report is written; the deployment will be shown as UNGATED.")


def _permitted() -> frozenset[str]:
    try:
        return OutageSettings().on_error_allow_environments
    except (SettingsError, ValidationError) as error:
        raise InvalidInputError(f"{VARIABLE} is no JSON list of names", "Write '[\"staging\"]'.") from error
