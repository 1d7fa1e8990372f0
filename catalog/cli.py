"""`lineward`: each command in a module of its own, which imports what is heavy only once it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from catalog.commands import (
    approve,
    attest,
    backup,
    decision,
    demo,
    doctor,
    export,
    failure,
    gate,
    ingest,
    keys,
    lineage,
    new_origin,
    policy,
    rebuild,
    receipt,
    redact_cases,
    restore,
    retention,
    serve,
    verify,
    waive,
    witness,
)
from catalog.errors import LinewardError


class Commands(TyperGroup):
    """Every mistake ends as two lines on standard error and the exit code of its class."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        with _told_in_two_lines():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        with _told_in_two_lines():
            return super().invoke(ctx)

    def list_commands(self, ctx: Any) -> list[str]:
        """As registered, which is how a newcomer meets them."""
        return list(self.commands)


@contextmanager
def _told_in_two_lines() -> Iterator[None]:
    try:
        yield
    except LinewardError as error:
        failure.tell(error.message, error.remedy)
        raise typer.Exit(failure.exit_code(error)) from error
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        failure.tell(failure.usage(error), f"See `{context.command_path if context else 'lineward'} --help`.")
        raise typer.Exit(failure.USAGE) from error


app = typer.Typer(
    cls=Commands,
    name="lineward",
    help="The evidence graph and release gate for machine-learning systems.",
    rich_markup_mode=None,  # it takes longer to import than all else takes to run
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        typer.echo(f"lineward {metadata.version('lineward')}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(failure.USAGE)


app.command("serve", short_help="Run the server.")(serve.serve)
app.command("demo", short_help="Train, serve and trace a small real model.")(demo.demo)
app.command("ingest", short_help="Load OpenLineage events from files.")(ingest.ingest)
app.command("lineage", short_help="Draw where something comes from, or goes.")(lineage.lineage)
app.command("gate", short_help="Ask whether a version may be released.")(gate.gate)
app.command("approve", short_help="Approve a version for an environment.")(approve.approve)
app.command("waive", short_help="Let one control pass for a while, by two people.")(waive.waive)
app.command("attest", short_help="State what no producer sends.")(attest.attest)
app.add_typer(keys.app, name="keys", short_help="API keys, and who is who.")
app.add_typer(policy.app, name="policy", short_help="Policy packs: check, try, bring into force.")
app.add_typer(decision.app, name="decision", short_help="Show, verify or replay a decision.")
app.add_typer(redact_cases.app, name="redact", short_help="Erase what people wrote into the log.")
app.add_typer(retention.app, name="retention", short_help="What is kept how long, and what is due.")
app.command("rebuild", short_help="Project the log again, or prove it needless.")(rebuild.rebuild)
app.command("receipt", short_help="The proof that something is in the log.")(receipt.receipt)
app.command("verify", short_help="Check a log, an export or a receipt offline.")(verify.verify)
app.command("witness", short_help="Cosign a log as long as it takes nothing back.")(witness.witness)
app.command("new-origin", short_help="Let a restored log go on, and say so.")(new_origin.new_origin)
app.command("export", short_help="The log as files, for other tools.")(export.export)
app.command("backup", short_help="Copy a data folder while its server runs.")(backup.backup)
app.command("restore", short_help="Check a backup and make a data folder of it.")(restore.restore)
app.command("doctor", short_help="See what is amiss, and what to do.")(doctor.doctor)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
