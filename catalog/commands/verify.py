"""`lineward verify`: an offline check of what somebody holds in their hands."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.commands.failure import CheckFailedError
from catalog.commands.known_roots import Roots, known_roots
from catalog.errors import LinewardError

if TYPE_CHECKING:
    from catalog.commands.finding import Finding
    from catalog.commands.verified import Given


class IncompleteError(LinewardError):
    """Nothing is wrong with what could be checked, and not everything could."""

    code = "INCOMPLETE"


def verify(
    path: Annotated[
        Path, typer.Argument(help="A data folder, at rest or in use; an export; a receipt.", show_default=False)
    ],
    key: Annotated[
        str | None,
        typer.Option(
            "--key", envvar="LINEWARD_LOG_KEY", metavar="VKEY", help="Key of the log, NAME+ID+KEY, or a file of it.",
            show_default=False,
        ),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", help="A checkpoint kept elsewhere, or a folder of them; repeatable."),
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option("--witness", metavar="VKEY", help="Key of a witness who must have cosigned; repeatable."),
    ] = None,
    root: Roots = None,
    document: Annotated[
        Path | None,
        typer.Option("--document", help="For a receipt: the event, act or decision bundle that it must be of."),
    ] = None,
    replay: Annotated[bool, typer.Option(help="Evaluate every decision again from its frozen evidence.")] = True,
) -> None:  # fmt: skip
    """Check, offline, that nothing was changed: signatures, roots, order, bodies, tree, decisions and graph.

    0: as it was signed. 1: tampered with; the first entry that is wrong is named. 2: malformed. 3: incomplete.
    A log that somebody rewrote together with its key agrees with itself: only a checkpoint that was kept elsewhere
    (--checkpoint, --root), best with a witness's signature (--witness), tells.
    """
    from catalog.commands.verified import Given
    from catalog.log.checkpoint_key import verifier_key

    given = Given(
        key=None if key is None else verifier_key(key),
        checkpoints=tuple(checkpoint or ()),
        witnesses=tuple(map(verifier_key, witness or ())),
        roots=known_roots(root),
        document=document,
        replay=replay,
    )
    _conclude(path, _findings(path, given))


def _findings(path: Path, given: "Given") -> "list[Finding]":
    """Told one by one, since a log can take a while."""
    from catalog.commands.verified import findings

    found = []
    for finding in findings(path, given):
        _tell(finding)
        found.append(finding)
    return found


def _conclude(path: Path, found: "list[Finding]") -> None:
    from catalog.commands.finding import Outcome

    failed = [each for each in found if each.outcome is Outcome.FAILED]
    lacking = [each for each in found if each.outcome is Outcome.INCOMPLETE]
    if failed:
        raise CheckFailedError(
            failed[0].message, f"{path} was changed: do not rely on it; restore a backup and compare their roots"
        )
    if lacking:
        raise IncompleteError(
            f"{path} could not be checked in full: {lacking[0].name}: {lacking[0].message}",
            lacking[0].remedy or "Give what is missing",
        )
    typer.echo("Nothing was changed.")
    for name in ("origin", "root"):
        typer.echo("".join(f"{name:<6} {each.message}" for each in found if each.name == name))


def _tell(finding: "Finding") -> None:
    from catalog.rendering.legible import legible

    typer.echo(legible(f"{finding.outcome:<10}  {finding.name:<11}  {finding.message}"))
