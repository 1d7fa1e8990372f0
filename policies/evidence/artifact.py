"""What the runs that wrote a model version say of it.

Facets in force belong to the model as a whole, and the newest version speaks last; a digest belongs to one version. So
it is read from the events that wrote this version, and where nobody reports writing it from the facets in force, as
long as these speak of this version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.graph.record import EventRecord
from catalog.model import Node
from catalog.reading import Reading
from catalog.reported import only
from policies.evidence.said import digest_in, text_in

CARD = "lineward_model"


@dataclass(frozen=True, slots=True)
class Artifact:
    """`base_model` is (namespace, name, version), the version empty where it is not told; `card` the facet."""

    digest: str | None = None
    base_model: tuple[str, str, str] | None = None
    card: Mapping[str, Any] = field(default_factory=dict)
    actor: str = ""
    at: str = ""


def artifact_of(reading: Reading, version: Node) -> Artifact:
    """The version's own card, and the digest of its artifact: told there, or the version's name where it is one."""
    told = reading.said(_writes(reading, version), [CARD]) or _standing(reading, version)
    card = only(told)
    digest = digest_in(card.get("digest")) or digest_in(version.label)
    actor, at = (told[0].actor, told[0].at) if told else ("", "")
    return Artifact(digest, _base_model(card.get("baseModel")), card, actor, at)


def _writes(reading: Reading, version: Node) -> list[tuple[EventRecord, str | None]]:
    """Each mention of this version as an output of the runs that made it."""
    return [
        (event, use.bundle)
        for run in reading.producers(version.id)
        for event in reading.run_events(run.id)
        for use in event.outputs
        if use.dataset == version.parent and use.version in (None, version.label)
    ]


def _standing(reading: Reading, version: Node) -> list[Any]:
    facets = {facet.name: facet for facet in reading.facets(version.parent or version.id, [CARD, "version"])}
    named = facets.get("version")
    if named is None or CARD not in facets or only([named]).get("datasetVersion") != version.label:
        return []
    return [facets[CARD]]


def _base_model(told: Any) -> tuple[str, str, str] | None:
    if not isinstance(told, Mapping):
        return None
    namespace, name = text_in(told.get("namespace")), text_in(told.get("name"))
    return (namespace, name, text_in(told.get("version")) or "") if namespace and name else None
