"""`lineward gate`: may this version go into that environment now? The exit code is the answer."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.commands import reference
from catalog.commands.options import Data, Graph, Url, place
from catalog.errors import InvalidInputError, LinewardError

if TYPE_CHECKING:
    from catalog.commands.gate_reports import Reports
    from catalog.commands.governing import Answer

ALLOW, DENY, UNDECIDED, WAITING, INTERRUPTED = 0, 1, 3, 4, 130
EXIT_CODES = {"ALLOW": ALLOW, "DENY": DENY, "INDETERMINATE": UNDECIDED, "PENDING": WAITING}


class OnError(StrEnum):
    DENY = "deny"
    ALLOW = "allow"


def gate(
    context: typer.Context,
    shorthand: reference.Shorthand = None,
    id: reference.Id = None,  # noqa: A002 - the name of the option
    namespace: reference.Namespace = None,
    model: reference.Model = None,
    dataset: reference.Dataset = None,
    job: reference.Job = None,
    version: reference.Version = None,
    run: reference.Run = None,
    environment: Annotated[
        str, typer.Option("--env", help="Where it is to go, such as production.", metavar="ENV", show_default=False)
    ] = "",
    pack: Annotated[list[str] | None, typer.Option(help="Add a pack; repeatable.", show_default=False)] = None,
    use: Annotated[str | None, typer.Option(help="What it is to be used for.", show_default=False)] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Answer the same, and record nothing.")] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Go back to what was allowed within 90 days: one approver suffices.")
    ] = False,
    at_least: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Token of a write that it must have seen.", show_default=False)
    ] = None,
    wait: Annotated[
        str | None, typer.Option(metavar="30m", help="Wait so long for approvals, then decide.", show_default=False)
    ] = None,
    on_error: Annotated[OnError, typer.Option(help="What an unreachable server means.")] = OnError.DENY,
    json: Annotated[
        Path | None,
        typer.Option(metavar="F", help="Write the bundle, which verifies and replays offline; - prints it."),
    ] = None,
    sarif: Annotated[Path | None, typer.Option(metavar="F", help="Write SARIF 2.1.0, for code scanning.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="F", help="Write a JUnit report.")] = None,
    markdown: Annotated[Path | None, typer.Option(metavar="F", help="Write Markdown, for a pull request.")] = None,
    attest: Annotated[Path | None, typer.Option(metavar="F", help="Write the signed attestation alone (DSSE).")] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(metavar="F", help="Write the proof that the decision is in the log (.tlog-proof)."),
    ] = None,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Ask the release gate.

    The exit code is the answer: 0 allow, 1 deny, 2 a mistake in the call, 3 not decidable, 4 waiting for approval.
    """
    from catalog.commands.gate_asking import Asking
    from catalog.commands.gate_reports import Reports
    from catalog.commands.moment import seconds_of
    from catalog.commands.remote import NobodyThereError

    if not environment:
        raise InvalidInputError("no environment is named", "Add --env, such as --env production.")
    named = reference.Reference(shorthand, id, namespace, model, dataset, job, None, version, run)
    named.node()  # a mistake in the reference comes before a server that does not answer
    at_url, in_folder = place(context, url, data)
    if on_error is OnError.ALLOW:
        from catalog.commands.outage import check_outage_rule

        check_outage_rule(environment, at_url)
    seconds = 0 if wait is None else seconds_of("--wait", wait)
    reports = Reports(json=json, sarif=sarif, junit=junit, markdown=markdown, attest=attest, receipt=receipt)
    reports.prepare()
    asking = Asking(
        at_url,
        in_folder,
        graph,
        named,
        environment,
        tuple(pack or ()),
        use,
        at_least,
        preview,
        rollback,
        allows_outage=on_error is OnError.ALLOW,
    )
    try:
        answer = asking.answer(seconds)
    except NobodyThereError as error:
        if on_error is OnError.DENY:
            raise
        from catalog.commands.outage import tell_outage

        tell_outage(environment, error)
        raise typer.Exit(ALLOW) from error
    except KeyboardInterrupt as error:
        typer.echo("Interrupted; nothing was decided. Run the same command again to go on.", err=True)
        raise typer.Exit(INTERRUPTED) from error
    reports.write(answer)
    unproven = _prove(answer, reports, at_url, in_folder)
    _tell(answer, reports)
    if unproven is not None:
        raise unproven
    raise typer.Exit(EXIT_CODES[answer.decision.state])


def _tell(answer: "Answer", reports: "Reports") -> None:
    """After the reports: whoever reads the summary finds them written."""
    from rich.console import Console

    from catalog.commands.gate_summary import summary
    from catalog.commands.lineage import UNWRAPPED

    console = Console(highlight=False, stderr=reports.prints)
    if not console.is_terminal:
        console.width = UNWRAPPED
    for part in summary(answer.decision):
        console.print(part)


def _prove(answer: "Answer", reports: "Reports", url: str | None, data: Path | None) -> LinewardError | None:
    """Write the receipt; what to raise without it: the decision stands, and the command ends as undecided."""
    from functools import partial

    from catalog.commands.gate_asking import UndecidableError
    from catalog.commands.receipt import receipt_of

    try:
        reports.write_receipt(answer, partial(receipt_of, url, data))
    except LinewardError as error:
        return UndecidableError(
            f"the decision {answer.decision.id} stands, but no receipt of it was written: {error.message}",
            f"Do not release on it; once that is mended: lineward receipt --decision {answer.decision.id} -o FILE",
        )
    return None
