"""Datasets and models by name and version, and how they look as inputs and outputs of an event."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Literal

from openlineage.client.event_v2 import InputDataset, OutputDataset, StaticDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    dataset_type_dataset,
    dataset_version_dataset,
)

from ingest.producer.facets import InputInputDatasetFacet, ModelDatasetFacet, ModelReference, RegistryDatasetFacet

Role = Literal["training", "validation", "test", "reference", "background"]


def digest_of(content: bytes | Path) -> str:
    """SHA-256 over bytes, or over a file's content, as `sha256:` and hex. Raises OSError for a file."""
    if isinstance(content, bytes):
        return f"sha256:{sha256(content).hexdigest()}"
    with content.open("rb") as file:
        return f"sha256:{file_digest(file, 'sha256').hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A version of a dataset. `role`, `split_group` and `digest` say how a run uses it as an input."""

    namespace: str
    name: str
    version: str | None = None
    digest: str | None = None
    role: Role | None = None
    split_group: str | None = None
    facets: Mapping[str, DatasetFacet] = field(default_factory=dict)
    output_facets: Mapping[str, OutputDatasetFacet] = field(default_factory=dict)

    def with_content(self, content: bytes | Path) -> "Dataset":
        """The version whose name is the digest of its content. Raises OSError for an unreadable file."""
        digest = digest_of(content)
        return replace(self, version=digest, digest=digest)

    def used_as(self, role: Role | None = None, split_group: str | None = None) -> "Dataset":
        """The same version as somebody's input: facets that describe it are its writer's to send."""
        return replace(self, role=role, split_group=split_group, facets={}, output_facets={})

    def as_input(self) -> InputDataset:
        used = InputInputDatasetFacet(role=self.role, splitGroup=self.split_group, digest=self.digest)
        inputs: dict[str, InputDatasetFacet] = {"lineward_input": used} if self._is_used() else {}
        return InputDataset(self.namespace, self.name, facets=self._facets(), inputFacets=inputs)

    def as_output(self) -> OutputDataset:
        return OutputDataset(self.namespace, self.name, facets=self._facets(), outputFacets=dict(self.output_facets))

    def _is_used(self) -> bool:
        return any((self.role, self.split_group, self.digest))

    def _facets(self) -> dict[str, DatasetFacet]:
        return {**_version(self.version), **self.facets}


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A version of a model: a dataset of type MODEL whose namespace is the registry."""

    namespace: str
    name: str
    version: str
    digest: str | None = None
    framework: str | None = None
    task: str | None = None
    intended_use: str | None = None
    out_of_scope_use: str | None = None
    licence: str | None = None
    base: "Model | None" = None
    aliases: tuple[str, ...] | None = None  # all that it has in its registry; None says nothing, () takes them away
    facets: Mapping[str, DatasetFacet] = field(default_factory=dict)

    def with_artifact(self, artifact: bytes | Path) -> "Model":
        """The model with the digest of its artifact. Raises OSError for an unreadable file."""
        return replace(self, digest=digest_of(artifact))

    def as_input(self) -> InputDataset:
        # The digest is an input facet: a `lineward_model` from a reader would replace the developer's.
        inputs: dict[str, InputDatasetFacet] = {}
        if self.digest:
            inputs["lineward_input"] = InputInputDatasetFacet(digest=self.digest)
        return InputDataset(self.namespace, self.name, facets=self._identity(), inputFacets=inputs)

    def as_output(self) -> OutputDataset:
        facets = {**self._identity(), "lineward_model": self._card(), **self._registered(), **self.facets}
        return OutputDataset(self.namespace, self.name, facets=facets)

    def _identity(self) -> dict[str, DatasetFacet]:
        kind = dataset_type_dataset.DatasetTypeDatasetFacet(datasetType="MODEL")
        return {**_version(self.version), "datasetType": kind}

    def _card(self) -> ModelDatasetFacet:
        return ModelDatasetFacet(
            framework=self.framework,
            task=self.task,
            intendedUse=self.intended_use,
            outOfScopeUse=self.out_of_scope_use,
            licence=self.licence,
            digest=self.digest,
            baseModel=None if self.base is None else self.base.reference(),
        )

    def as_registered(self) -> StaticDataset:
        """The version with its aliases alone: what a registry says when they change."""
        return StaticDataset(self.namespace, self.name, facets={**self._identity(), **self._registered()})

    def _registered(self) -> dict[str, DatasetFacet]:
        return {} if self.aliases is None else {"lineward_registry": RegistryDatasetFacet(aliases=list(self.aliases))}

    def reference(self) -> ModelReference:
        return ModelReference(namespace=self.namespace, name=self.name, version=self.version)


def _version(version: str | None) -> dict[str, DatasetFacet]:
    if version is None:
        return {}
    return {"version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=version)}
