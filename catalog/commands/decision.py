"""`lineward decision`: one decision, its signature and digests, and its evaluation again from the frozen evidence."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.commands.failure import CheckFailedError
from catalog.commands.options import Data, Graph, Url, place, settings
from catalog.errors import InvalidInputError, NotFoundError, RetryableError

if TYPE_CHECKING:
    from policies.attestation.bundle import Held
    from policies.attestation.verification import Check, Expectation

app = typer.Typer(help="Show a decision of the gate, verify it, or compute it again.", rich_markup_mode=None)

File = Annotated[Path, typer.Argument(metavar="FILE", help="What `gate --json` or `gate --attest` wrote.")]


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    MARKDOWN = "markdown"


class UnsignedError(RetryableError):
    """All is as it should be, but nothing vouches for it."""

    code = "UNSIGNED"


# Show --------------------------------------------------------------------------------------------------------------


@app.command("show", short_help="One decision, from a server or a data folder.")
def show(
    context: typer.Context,
    id: Annotated[str, typer.Argument(metavar="ID", help="Id of the decision, dc_….")],  # noqa: A002
    form: Annotated[
        Format, typer.Option("--format", help="json is the bundle that verifies and replays.")
    ] = Format.TEXT,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Show what was decided, why, and from what."""
    at_url, in_folder = place(context, url, data)
    document = _remote(at_url, id) if at_url is not None else _local(in_folder, graph, id)
    typer.echo(_rendered(document, form), nl=False)


def _remote(url: str, id: str) -> dict[str, Any]:  # noqa: A002
    """The bundle that a server gives."""
    from catalog.commands.remote import RemoteCatalogue
    from policies.attestation.strict_json import parse

    with RemoteCatalogue.connect(url) as remote:
        found = remote.ask("query Decision($id: ID!) { decision(id: $id) { bundle } }", {"id": id})["decision"]
    if found is None:
        raise _unknown(id)
    return parse(found["bundle"], "the server's answer")


def _local(data: Path | None, graph: str | None, id: str) -> dict[str, Any]:  # noqa: A002
    """The bundle of a decision in a folder, signed with the folder's key."""
    from catalog.composition import open_data
    from policies.attestation.bundle import bundle
    from policies.attestation.signing import KeySettings, signing_key
    from policies.formats.document import decision_of

    with open_data(settings(data=data, graph=graph)) as folder:
        folder.project()
        with folder.access.reading() as reading:
            act = reading.act(id)
        if act is None or act.verb != "decide":
            raise _unknown(id)
        signer = signing_key(KeySettings(), folder.settings.data, lambda warning: typer.echo(warning, err=True))
        return bundle(decision_of(act.body), signer)


def _unknown(id: str) -> NotFoundError:  # noqa: A002
    return NotFoundError(f"no decision has the id {id}", "`lineward gate` prints the id of each decision it makes.")


def _rendered(document: dict[str, Any], form: Format) -> str:
    from policies.formats.document import decision_of

    decision = decision_of(document["decision"])
    match form:
        case Format.JSON:
            import json

            return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        case Format.SARIF:
            from policies.formats.sarif import sarif

            return sarif(decision)
        case Format.JUNIT:
            from policies.formats.junit import junit

            return junit(decision)
        case Format.MARKDOWN:
            from policies.formats.markdown import markdown

            return markdown(decision)
        case Format.TEXT:
            from policies.formats.terminal import terminal

            return terminal(decision) + "\n"


# Verify ------------------------------------------------------------------------------------------------------------


@app.command("verify", short_help="Check signature and digests, offline.")
def verify(
    file: File,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key", metavar="KEY", help="Public key to trust, PEM; else LINEWARD_VERIFY_KEY, else the data folder's.",
            show_default=False,
        ),
    ] = None,
    artifact: Annotated[
        str | None,
        typer.Option(help="The model that is about to be released: a file, or sha256:HEX.", show_default=False),
    ] = None,
    environment: Annotated[
        str | None, typer.Option("--env", help="The environment it must be for.", show_default=False)
    ] = None,
    allowed: Annotated[bool, typer.Option("--allowed", help="It must be an allow that has not lapsed.")] = False,
    data: Data = None,
) -> None:  # fmt: skip
    """Check who signed a decision and that no part of it was changed, with neither server nor network."""
    from policies.attestation.bundle import read
    from policies.attestation.signing import KeySettings, verifying_key
    from policies.attestation.verification import verify as checked

    held = read(file)
    trusted = verifying_key(key, KeySettings(), settings(data=data).data)
    found = checked(held, trusted, _expected(artifact, environment, allowed))
    _tell(found.checks)
    if found.failed:
        names = ", ".join(check.name for check in found.failed)
        raise CheckFailedError(f"{file} does not verify: {names}", "Do not rely on it; get the decision again.")
    if not found.signed:
        raise UnsignedError(f"{file} is consistent, but not signed", "Only an ALLOW and a DENY are signed.")
    typer.echo("The decision is genuine.")


def _expected(artifact: str | None, environment: str | None, allowed: bool) -> "Expectation":
    import time

    from policies.attestation.verification import Expectation

    now = time.time_ns() // 1000 if allowed else None
    return Expectation(None if artifact is None else _digest(artifact), environment, now)


def _digest(artifact: str) -> str:
    """A digest as given, else that of the file."""
    import hashlib
    import re

    if re.fullmatch("sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}", artifact):
        return artifact
    try:
        with open(artifact, "rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise InvalidInputError(
            f"--artifact {artifact} cannot be read: {error.strerror}", "Name a file, or a digest as sha256:HEX."
        ) from error


def _tell(checks: "tuple[Check, ...]") -> None:
    from catalog.rendering.legible import legible

    width = max((len(check.name) for check in checks), default=0)
    for check in checks:
        typer.echo(legible(f"{check.outcome:<6}  {check.name:<{width}}  {check.message}"))


# Replay ------------------------------------------------------------------------------------------------------------


@app.command("replay", short_help="Evaluate again from the frozen evidence, offline.")
def replay(file: File) -> None:
    """Compute every verdict again from the evidence and the packs in the file, and compare; no server, no network."""
    from policies.attestation.bundle import read
    from policies.attestation.reevaluation import reevaluate
    from policies.attestation.replay import replay as replayed
    from policies.formats.document import decision_of

    decision = decision_of(_body(file, read(file)))
    found = replayed(decision, reevaluate)
    for each in found.differences:
        _tell_difference(each.what, each.recorded, each.replayed)
    if found.differences:
        raise CheckFailedError(
            f"{len(found.differences)} of the recorded verdicts come out otherwise", "Do not rely on this decision."
        )
    typer.echo(f"{decision.state} again: {found.controls} controls come out as they were recorded.")


def _body(file: Path, held: "Held") -> dict[str, Any]:
    if held.decision is None:
        raise InvalidInputError(f"{file} holds a signature without the decision", "Replay the file of `gate --json`.")
    return dict(held.decision)


def _tell_difference(what: str, recorded: str, replayed: str) -> None:
    from catalog.rendering.legible import legible

    typer.echo(legible(f"{what}: recorded {recorded}, now {replayed}"))
