"""`lineward witness`: somebody else's eyes on a log, so that what it once said cannot be unsaid."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.commands.failure import CheckFailedError, tell
from catalog.commands.options import Url
from catalog.errors import InvalidInputError, RetryableError

if TYPE_CHECKING:
    from catalog.log.cosigning import Witness
    from catalog.log.note import Signer

KEY = "witness-key.pem"


def witness(
    log: Annotated[
        list[str],
        typer.Option("--log", metavar="VKEY", help="Key of a log to watch, or a file of it; repeatable."),
    ],
    url: Url = None,
    state: Annotated[
        Path, typer.Option("--state", metavar="DIR", help="Folder of the witness's key and of what it has seen.")
    ] = Path("witness"),
    name: Annotated[
        str | None, typer.Option(help="Name of the key; kept once it is chosen.", show_default="made from the key")
    ] = None,
    mldsa44: Annotated[
        bool, typer.Option("--mldsa44", help="Make the key an ML-DSA-44 one, where there is none yet.")
    ] = False,
    every: Annotated[
        float | None, typer.Option(min=1, help="Look again after so many seconds, until told to stop.")
    ] = None,
    listen: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Instead of asking, take `add-checkpoint` on this port."),
    ] = None,
) -> None:
    """Cosign the checkpoints of a log as long as each continues the last (C2SP tlog-witness).

    Run it where the log's operator has no access. A log that was rolled back or forked is refused, named, and the
    checkpoint that proves it is kept. The cosigned checkpoint goes to standard output and stays in the state folder.
    """
    from catalog.log.checkpoint_key import verifier_key
    from catalog.log.cosigning import Witness

    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    signer = _signer(state, name, mldsa44)
    logs = [verifier_key(each) for each in log]
    watching = Witness(state, signer, logs)
    typer.echo(f"witness {signer.key}", err=True)
    if listen is not None:
        from catalog.commands.witness_door import serve

        serve(watching, listen)
    elif url is None or len(logs) != 1:
        raise InvalidInputError("no log is named to ask", "Give --url and the --log key of that one, or --listen PORT.")
    else:
        _watch(url, watching, logs[0].name, every)


def _signer(state: Path, name: str | None, mldsa44: bool) -> "Signer":
    """The witness's own key, under the name given, else the one that it has, else one made from the key."""
    from catalog.log.checkpoint_key import cosigner, verifier_key, witness_key

    def warn(told: str) -> None:
        typer.echo(told, err=True)

    path = state / KEY
    public = path.with_suffix(".vkey")
    if name is None and public.is_file():
        name = verifier_key(str(public)).name
    if name is None:
        public_bytes = witness_key(path, warn, mldsa44=mldsa44).public_key().public_bytes_raw()
        name = f"lineward-witness/{public_bytes.hex()[:16]}"
    return cosigner(path, name, warn, mldsa44=mldsa44)


def _watch(url: str, watching: "Witness", origin: str, every: float | None) -> None:
    """Once, or again and again; a server that does not answer is waited for, a fork is not."""
    while True:
        try:
            typer.echo(_look(url, watching, origin), nl=False)
        except RetryableError as error:
            if every is None:
                raise
            tell(error.message, error.remedy)
        if every is None:
            return
        time.sleep(every)


def _look(url: str, watching: "Witness", origin: str) -> str:
    """The newest checkpoint, cosigned."""
    from catalog.commands.fetching import fetch, hand_in
    from catalog.commands.remote import client_of
    from catalog.log.cosigning import ForkError, RollbackError
    from catalog.log.tiles import tiled_nodes

    with client_of(url) as client:
        data = fetch(client, "/checkpoint")
        try:
            cosigned = watching.follow(
                origin, data, lambda size: tiled_nodes(lambda tile: fetch(client, tile.path), size)
            )
        except (ForkError, RollbackError) as error:
            kept = watching.keep(data)
            raise CheckFailedError(
                f"{error.message}; the checkpoint that shows it is kept as {kept}",
                "Tell everybody who relies on this log, and rely on nothing after the last cosigned checkpoint",
            ) from error
        refusal = hand_in(client, "/checkpoint/cosignatures", cosigned)
    if refusal is not None:
        typer.echo(f"The log does not show this cosignature: {refusal}", err=True)
    return cosigned
