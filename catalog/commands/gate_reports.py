"""The files that a gate writes: each holds this answer, or is not there."""

import json as json_format
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import typer

from catalog.commands.governing import Answer
from catalog.errors import InvalidInputError

STANDARD_OUTPUT = Path("-")


@dataclass(frozen=True, slots=True)
class Reports:
    """Where each is to be written; `-` is standard output."""

    json: Path | None = None
    sarif: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None
    attest: Path | None = None
    receipt: Path | None = None

    @property
    def prints(self) -> bool:
        """Whether standard output is taken by one of them."""
        return STANDARD_OUTPUT in self._paths()

    def prepare(self) -> None:
        """Before anything is asked: remove what earlier answers left. InvalidInputError where none can be written."""
        paths = self._paths()
        if len(paths) != len(set(paths)):
            raise InvalidInputError("two reports are to be written to one place", "Name a file for each.")
        for path in paths:
            if path != STANDARD_OUTPUT:
                _prepare(path)

    def write(self, answer: Answer) -> None:
        """All but the receipt, which is made of the log and not of the answer."""
        for path, content in self._contents(answer):
            _put(path, content)

    def write_receipt(self, answer: Answer, receipt_of: Callable[[str], bytes]) -> None:
        """The receipt of the decision, by its id; none of a preview. Raises what `receipt_of` raises."""
        if self.receipt is None:
            return
        if answer.decision.body.preview:
            typer.echo("No receipt was written: a preview is not in the log.", err=True)
            return
        _put(self.receipt, receipt_of(answer.decision.id).decode())

    def _paths(self) -> list[Path]:
        given = (getattr(self, field.name) for field in fields(self))
        return [path for path in given if path is not None]

    def _contents(self, answer: Answer) -> Iterator[tuple[Path, str]]:
        from policies.formats.junit import junit
        from policies.formats.markdown import markdown
        from policies.formats.sarif import sarif

        decision = answer.decision
        if self.json is not None:
            yield self.json, _json(answer.bundle)
        if self.sarif is not None:
            yield self.sarif, sarif(decision)
        if self.junit is not None:
            yield self.junit, junit(decision)
        if self.markdown is not None:
            yield self.markdown, markdown(decision)
        if self.attest is not None:
            if answer.attestation is None:
                _tell_unsigned(answer)
            else:
                yield self.attest, _json(answer.attestation)


def _tell_unsigned(answer: Answer) -> None:
    from policies.attestation.statement import why_unsigned

    typer.echo(f"No attestation was written: {why_unsigned(answer.decision)}.", err=True)


def _json(document: Any) -> str:
    return json_format.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _prepare(path: Path) -> None:
    """Pipes, devices and links are left as they are: others own them."""
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder", "Name a file in it.")
    if path.is_symlink() or (path.exists() and not path.is_file()):
        return
    try:
        path.touch()
        path.unlink()
    except OSError as error:
        raise _unwritable(path, error) from error


def _put(path: Path, content: str) -> None:
    if path == STANDARD_OUTPUT:
        typer.echo(content, nl=not content.endswith("\n"))
    else:
        _write(path, content)


def _write(path: Path, content: str) -> None:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> InvalidInputError:
    return InvalidInputError(f"{path} cannot be written: {error.strerror}", "Name another file.")
