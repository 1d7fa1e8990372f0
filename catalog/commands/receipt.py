"""`lineward receipt`: the proof that something is in the log, to keep where the log's keeper cannot reach it."""

from pathlib import Path
from typing import Annotated

import typer

from catalog.commands.options import Data, Url, place, settings
from catalog.errors import InvalidInputError, NotFoundError


def receipt(
    context: typer.Context,
    seq: Annotated[
        int | None, typer.Argument(metavar="[SEQ]", help="Position in the log, as ingest and acts answer it.", min=0)
    ] = None,
    decision: Annotated[
        str | None, typer.Option("--decision", metavar="ID", help="A decision instead, by its id.", show_default=False)
    ] = None,
    act: Annotated[
        str | None,
        typer.Option("--act", metavar="ID", help="An approval, waiver or attestation instead.", show_default=False),
    ] = None,
    body: Annotated[bool, typer.Option("--body", help="Hold the body too, not only what binds it.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write, .tlog-proof.", show_default=False)
    ] = None,
    url: Url = None,
    data: Data = None,
) -> None:
    """Write the receipt of an entry: the entry, its proof, and a signed checkpoint (C2SP tlog-proof).

    `lineward verify` checks it offline, years later, with the log's public key alone.
    """
    named = _named(seq, decision, act)
    at_url, in_folder = place(context, url, data)
    content = receipt_of(at_url, in_folder, named, body=body)
    if output is None:
        typer.echo(content, nl=False)
    else:
        output.write_bytes(content)


def receipt_of(url: str | None, data: Path | None, named: str, *, body: bool = False) -> bytes:
    """The receipt of an entry, named by its position or as the id of an act: from a server, else from a folder.

    Raises NotFoundError where there is no such entry, CorruptLogError where nothing may be signed.
    """
    return _remote(url, named, body) if url is not None else _local(data, named, body)


def _named(*ways: int | str | None) -> str:
    given = [str(way) for way in ways if way is not None]
    if len(given) != 1:
        raise InvalidInputError(
            "no entry is named" if not given else "more than one entry is named", "Use SEQ, --decision or --act."
        )
    return given[0]


def _remote(url: str, named: str, body: bool) -> bytes:
    from catalog.commands.fetching import fetch
    from catalog.commands.remote import client_of

    with client_of(url) as client:
        return fetch(client, f"/api/v1/receipts/{named}", {"body": "true"} if body else {})


def _local(data: Path | None, named: str, body: bool) -> bytes:
    from catalog.log.checkpoint_settings import checkpoint_log
    from catalog.log.reader import LogReader
    from catalog.log.receipt_issuing import issue

    folder = settings(data=data).data
    with LogReader.open(folder) as log:
        seq = int(named) if named.isdecimal() else _position(data, named)
        log.entry(seq)
        checkpoints = checkpoint_log(folder, log, lambda warning: typer.echo(warning, err=True))
        return issue(log, seq, checkpoints.covering(seq + 1), body=body).encode()


def _position(data: Path | None, named: str) -> int:
    """Where the act of this id is."""
    from catalog.composition import open_data

    with open_data(settings(data=data)) as folder:
        folder.project()
        with folder.access.reading() as reading:
            act = reading.act(named)
    if act is None:
        raise NotFoundError(
            f"no act has the id {named}", "`gate`, `approve` and the like print the ids of what they log."
        )
    return act.seq
