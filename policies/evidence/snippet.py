"""What to paste so that a field of the evidence gets a value: producer code for facets, a command for statements."""

import shlex
from collections.abc import Mapping
from typing import Any

import orjson

from policies.evidence.document import Evidence
from policies.evidence.fields import fields_of
from policies.evidence.source import Source, SourceKind
from policies.statements import STATEMENTS

EXPIRES = "365d"
"""To replace: how long a statement is good for is the decision of whoever makes it."""

_CLASSES: Mapping[str, tuple[str, str]] = {
    "lineward_model": ("ModelDatasetFacet", "dataset facet of the model, where the training run lists it as an output"),
    "lineward_training": ("TrainingRunFacet", "run facet of the training run"),
    "lineward_input": ("InputInputDatasetFacet", "input facet of the dataset, where the run lists it as an input"),
    "lineward_evaluation": ("EvaluationRunFacet", "run facet of the evaluation"),
    "lineward_serving": ("ServingRunFacet", "run facet of the service"),
    "lineward_predictions": ("PredictionsRunFacet", "run facet of the service, for each window"),
    "lineward_dataGovernance": ("DataGovernanceDatasetFacet", "dataset facet of the dataset, where it is written"),
}
_PARTS = {
    "origin": "Origin",
    "logging": "Logging",
    "oversight": "Oversight",
    "compute": "Compute",
}
_PREDICTIONS = 'from_="2026-03-01T00:00:00Z", to="2026-03-01T01:00:00Z", count=0'
_WHOLE = {
    ("lineward_evaluation", "metrics"): 'kind="performance", metrics=[Metric(name="auc", value=0.75)]',
    (
        "lineward_evaluation",
        "slices",
    ): 'kind="performance", metrics=[], slices=[Slice(name="young", attributes=["age"])]',
    ("lineward_evaluation", "kind"): 'kind="{}", metrics=[]',
    ("lineward_evaluation", "reportDigest"): 'kind="performance", metrics=[], reportDigest="sha256:…"',
    ("lineward_model", "baseModel"): 'baseModel=ModelReference(namespace="…", name="…", version="…")',
    ("lineward_predictions", "to"): _PREDICTIONS,
    ("lineward_serving", "models"): 'models=[ServedModel(namespace="…", name="…", version="…")]',
    ("lineward_serving", "logging"): "logging=Logging(enabled=True)",
    ("lineward_serving", "logging.schemaDigest"): 'logging=Logging(enabled=True, schemaDigest="sha256:…")',
    ("lineward_serving", "logging.retentionDays"): "logging=Logging(enabled=True, retentionDays=365)",
    ("lineward_serving", "oversight"): 'oversight=Oversight(assignedTo=["team:…"], overrideEnabled=True)',
    ("lineward_dataGovernance", "origin"): 'origin=Origin(source="…")',
}
_HELPERS = ("Metric", "Slice", "ModelReference", "ServedModel", *_PARTS.values())

_STANDARD: Mapping[str, tuple[str, str, str]] = {
    "version": (
        "dataset facet",
        "dataset_version_dataset",
        'DatasetVersionDatasetFacet(datasetVersion="sha256:…")',
    ),
    "ownership": (
        "dataset facet",
        "ownership_dataset",
        'OwnershipDatasetFacet(owners=[ownership_dataset.Owner(name="team:…")])',
    ),
    "tags": (
        "dataset facet, for every classified dataset, without tags where no column is sensitive",
        "tags_dataset",
        'TagsDatasetFacet(tags=[tags_dataset.TagsDatasetFacetFields(key="protected:sex", value="true", field="sex")])',
    ),
    "columnLineage": (
        "dataset facet of the output",
        "column_lineage_dataset",
        'ColumnLineageDatasetFacet(fields={"column": column_lineage_dataset.Fields(inputFields=['
        'column_lineage_dataset.InputField("…", "…", "column")])})',
    ),
    "dataQualityAssertions": (
        "input facet of the checked dataset, in the run that checks it",
        "data_quality_assertions_dataset",
        "DataQualityAssertionsDatasetFacet(assertions=["
        'data_quality_assertions_dataset.Assertion(assertion="not_null", success=True)])',
    ),
    "sourceCodeLocation": (
        "job facet of the run",
        "source_code_location_job",
        'SourceCodeLocationJobFacet(type="git", url="https://…", repoUrl="https://…", path="…", version="3f2c…")',
    ),
    "executionParameters": (
        "run facet of the training run",
        "execution_parameters_run",
        'ExecutionParametersRunFacet(parameters=[execution_parameters_run.ExecutionParameter(key="C", value="0.5")])',
    ),
}


def snippet(source: Source, node: str) -> str:
    """Code or a command for one sender; empty for what nobody sends. `node` is the id that a statement is about."""
    if source.kind is SourceKind.STANDARD:
        return _standard(source)
    if source.kind is SourceKind.CUSTOM:
        return _custom(source)
    if source.kind is SourceKind.ATTESTED:
        return attest(source.name, example_of(source.name, source), node)
    return ""


def attest(type_: str, statement: Mapping[str, Any], node: str) -> str:
    """The command that makes a statement about a node."""
    said = shlex.quote(orjson.dumps(statement).decode())
    return f"lineward attest --id {shlex.quote(node)} --type {type_} --statement {said} --expires {EXPIRES}"


def _standard(source: Source) -> str:
    place, module, made = _STANDARD[source.name]
    return f"# {place}\nfrom openlineage.client.facet_v2 import {module}\n\n{_sent(source.name, f'{module}.{made}')}"


def _custom(source: Source) -> str:
    name, place = _CLASSES[source.name]
    given = _given(source)
    imports = sorted({name, *(each for each in _HELPERS if f"{each}(" in given)})
    sent = _sent(source.name, f"{name}({given})")
    return f"# {place}\nfrom ingest.producer.facets import {', '.join(imports)}\n\n{sent}"


def _sent(facet: str, made: str) -> str:
    return f'facets = {{"{facet}": {made}}}'


def _given(source: Source) -> str:
    whole = _WHOLE.get((source.name, source.property))
    if whole is not None:
        return whole.replace("{}", str(source.example or "performance"))
    first, _, rest = source.property.partition(".")
    value = repr(source.example) if source.example is not None else repr(_blank(source))
    return f"{first}={_PARTS[first]}({rest}={value})" if rest else f"{first}={value}"


def _blank(source: Source) -> str:
    return "sha256:…" if source.property.lower().endswith("digest") else "…"


def example_of(type_: str, source: Source | None = None) -> dict[str, Any]:
    """A statement of a type as one may write it: what it must say, and the property that is asked for."""
    model = STATEMENTS[type_].model
    known = _examples()
    wanted = {info.alias or name for name, info in model.model_fields.items() if info.is_required()}
    found: dict[str, Any] = {}
    for name in sorted(wanted):
        found[name] = known.get((type_, name), _REQUIRED.get((type_, name), "…"))
    if type_ == "threshold":
        found["minimum"] = known[type_, "minimum"]
    if source is not None and source.property:
        _place(found, source.property, source.example if source.example is not None else _example(source))
    return found


_REQUIRED: Mapping[tuple[str, str], Any] = {
    ("threshold", "metric"): "auc",
    ("document", "digest"): "sha256:" + "0" * 64,
    ("incident", "at"): "2026-03-01T00:00:00Z",
    ("registration", "at"): "2026-03-01T00:00:00Z",
    ("columnJustification", "field"): "COLUMN",
    ("approvedSchema", "digest"): "sha256:" + "0" * 64,
}


def _example(source: Source) -> Any:
    name = source.property
    if (source.name, name) in _REQUIRED:
        return _REQUIRED[source.name, name]
    if name.endswith("Digest"):
        return "sha256:" + "0" * 64
    if name == "at" or name.endswith(("At", ".at")):
        return "2026-03-01T00:00:00Z"
    if name in ("conditions", "locations", "population.groups"):
        return ["…"]
    return "…"


def _examples() -> dict[tuple[str, str], Any]:
    """What the evidence fields show as examples, by type of statement and property."""
    return {
        (source.name, source.property): source.example
        for field in fields_of(Evidence).values()
        for source in field.sources
        if source.kind is SourceKind.ATTESTED and source.property and source.example is not None
    }


def _place(statement: dict[str, Any], path: str, value: Any) -> None:
    *above, name = path.split(".")
    for each in above:
        statement = statement.setdefault(each, {})
    statement[name] = value
