"""`lineward policy apply`: what is to be in force, proposed by one person and confirmed by another."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from catalog.commands.acts import agree, only, place_options, tell_change, tell_facts
from catalog.commands.governing import opened
from catalog.commands.policy_files import file_of
from catalog.errors import InvalidInputError
from catalog.rendering.legible import legible
from policies.acts import digest
from policies.library import FOLDER
from policies.loading import load
from policies.pack import Document

BINDINGS = FOLDER.parent / "bindings"


def apply_documents(
    files: Sequence[str],
    confirm: str | None,
    retire: Sequence[str],
    reason: str | None,
    yes: bool,
    as_json: bool,
    url: str | None,
    data: Path | None,
    graph: str | None,
) -> None:
    """Propose the documents of files, or the end of names, or confirm what somebody else proposed."""
    where = place_options(url, data)
    if confirm is not None:
        only("--confirm", ("FILE", files), ("--retire", retire), ("--reason", reason))
        with opened(url, data, graph, writing=True) as governing:
            tell_facts("You confirm:", _proposed(confirm, governing.said(confirm) or {}))
            agree("Bring it into force now?", yes)
            tell_change(governing.confirm(confirm), as_json, where)
    elif retire:
        only("--retire", ("FILE", files))
        with opened(url, data, graph, writing=True) as governing:
            tell_change(governing.retire(retire, reason), as_json, where)
    elif files:
        documents = [document for name in files for document in _documents(name)]
        tell_facts("You propose:", _facts(documents))
        with opened(url, data, graph, writing=True) as governing:
            agree("Propose this?", yes)
            tell_change(governing.propose([each.normalised() for each in documents], reason), as_json, where)
    else:
        raise InvalidInputError("nothing is named", "Name files, or --confirm ID, or --retire NAME.")


def _documents(name: str) -> Sequence[Document]:
    """The documents of a file or of something built in; warnings are told, mistakes are raised."""
    loaded = load(_file_of(name))
    for warning in loaded.warnings:
        typer.echo(legible(str(warning)), err=True)
    return loaded.documents


def _file_of(name: str) -> Path:
    """A file, else a built-in binding, else a built-in pack."""
    built_in = {path.stem: path for path in BINDINGS.glob("*.yaml")}
    return file_of(name) if Path(name).exists() or name not in built_in else built_in[name]


def _proposed(change: str, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What somebody else wants in force, with digests to compare; the id alone where it may not be seen."""
    yield "change", change
    if "by" in said:
        yield "proposed by", str(said["by"].get("person"))
    for document in said.get("documents", ()):
        yield document["kind"], _named(document, digest(document))
    for name in said.get("names", ()):
        yield "ends", name
    if "findings" in said:
        yield "accepts", f"{len(said['findings'])} findings under {said['binding']} until {said['until']}"
    if "reason" in said:
        yield "reason", said["reason"]


def _facts(documents: Sequence[Document]) -> Iterator[tuple[str, str]]:
    for each in documents:
        document: dict[str, Any] = each.normalised()
        yield document["kind"], _named(document, each.digest)


def _named(document: Mapping[str, Any], of: str) -> str:
    named = document["metadata"]
    version = f"@{named['version']}" if "version" in named else ""
    status = f" ({named['status']})" if "status" in named else ""
    return f"{named['name']}{version}{status} {of}"
