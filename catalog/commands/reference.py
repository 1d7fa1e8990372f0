"""REF on the command line: which node is meant. Names hold any character, so only the shorthand is ever split."""

from dataclasses import dataclass
from typing import Annotated

import typer

from catalog.errors import AmbiguousReferenceError, InvalidInputError, NotFoundError
from catalog.model import DatasetRef, NodeRef

Shorthand = Annotated[
    str | None,
    typer.Argument(metavar="[NAME@VERSION]", help="A version of the one model of that name.", show_default=False),
]
Id = Annotated[str | None, typer.Option("--id", help="An id that an answer held.", show_default=False)]
Namespace = Annotated[str | None, typer.Option("--namespace", help="Namespace of the name.", show_default=False)]
Model = Annotated[str | None, typer.Option("--model", help="Name of a model.", show_default=False)]
Dataset = Annotated[str | None, typer.Option("--dataset", help="Name of a dataset.", show_default=False)]
Job = Annotated[str | None, typer.Option("--job", help="Name of a job or deployment.", show_default=False)]
Column = Annotated[str | None, typer.Option("--column", help="Path of a column of the dataset.", show_default=False)]
Version = Annotated[str | None, typer.Option("--version", help="Version of model or dataset.", show_default=False)]
Run = Annotated[str | None, typer.Option("--run", help="UUID of a run.", show_default=False)]

_WAYS = "Use NAME@VERSION, --id, --run, or --namespace with --model, --dataset or --job."


@dataclass(frozen=True, slots=True)
class Reference:
    """The options as given."""

    shorthand: str | None = None
    id: str | None = None
    namespace: str | None = None
    model: str | None = None
    dataset: str | None = None
    job: str | None = None
    column: str | None = None
    version: str | None = None
    run: str | None = None

    def node(self) -> NodeRef | None:
        """The node named in full; None for a shorthand, whose namespace is still to be found.

        InvalidInputError unless exactly one node is named.
        """
        self._check_one()
        if self.shorthand is not None:
            return None
        if self.id is not None:
            return NodeRef(id=self.id)
        if self.run is not None:
            return NodeRef(run=self.run)
        return self._named()

    def name_and_version(self) -> tuple[str, str]:
        """The parts of the shorthand, which is split at its last `@`."""
        name, at, version = (self.shorthand or "").rpartition("@")
        if not (name and at and version):
            raise InvalidInputError(f"{self.shorthand} names no version of a model", _WAYS)
        return name, version

    def _check_one(self) -> None:
        ways = (self.shorthand, self.id, self.run, self.model, self.dataset, self.job)
        given = sum(way is not None for way in ways)
        if given != 1:
            raise InvalidInputError("no node is named" if not given else "more than one node is named", _WAYS)
        named = (self.model, self.dataset, self.job) != (None, None, None)
        if named and self.namespace is None:
            raise InvalidInputError("the namespace of the name is missing", "Add --namespace.")
        if not named and (self.namespace, self.version) != (None, None):
            raise InvalidInputError("--namespace and --version belong to a name", _WAYS)
        if self.version is not None and self.job is not None:
            raise InvalidInputError("a job has no versions", "Leave --version out, or name a run with --run.")
        if self.column is not None and (self.dataset is None or self.version is not None):
            raise InvalidInputError("a column belongs to a dataset", "Use --column with --dataset alone.")

    def _named(self) -> NodeRef:
        assert self.namespace is not None
        if self.job is not None:
            return NodeRef(job=DatasetRef(self.namespace, self.job))
        if self.model is not None:
            return NodeRef(model=DatasetRef(self.namespace, self.model, self.version))
        assert self.dataset is not None
        dataset = DatasetRef(self.namespace, self.dataset, self.version)
        return NodeRef(dataset=dataset) if self.column is None else NodeRef(field=(dataset, self.column))


def the_one(namespaces: list[str], name: str, version: str) -> NodeRef:
    """The model of that name. AmbiguousReferenceError lists the namespaces where several have it."""
    if not namespaces:
        raise NotFoundError(
            f"no model is called {name}", "Check the spelling; a job or dataset is named by its option."
        )
    if len(namespaces) > 1:
        listed = ", ".join(namespaces)
        raise AmbiguousReferenceError(
            f"{len(namespaces)} namespaces have a model {name}: {listed}",
            "Add --namespace: `--namespace NS --model NAME --version VERSION`.",
        )
    return NodeRef(model=DatasetRef(namespaces[0], name, version))
