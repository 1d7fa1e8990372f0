"""A credit-risk model from raw data to two registered versions, reporting every step to a lineage server.

    OPENLINEAGE_URL=http://127.0.0.1:8765 python -m examples.credit_risk.pipeline

Each step is an ordinary function with a `with` block around its work. The block says what the step reads; the
step adds what it wrote. Versions of files are the digests of their content.
"""

import csv
import os
import pickle
import shutil
import subprocess
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self, cast

import numpy as np
from openlineage.client import OpenLineageClient
from openlineage.client.facet_v2 import (
    DatasetFacet,
    column_lineage_dataset,
    lifecycle_state_change_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    schema_dataset,
    tags_dataset,
)
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ingest.producer import BatchRun, Dataset, Delivery, Evaluation, Model, TrainingRun
from ingest.producer.facets import DataGovernanceDatasetFacet, Origin

JOBS = "credit-risk"  # namespace of the jobs
FILES = "file://credit-risk"  # namespace of the data files
REGISTRY = "mlflow://models.example"  # namespace of the models
SEED = 20260301
APPLICANTS = 4_000
LABEL = "defaulted"
DEVELOPER = "dana@bank.example"

Rows = list[dict[str, float]]


class Estimator(Protocol):
    """What is used of a scikit-learn classifier."""

    def fit(self, features: np.ndarray, labels: np.ndarray) -> Self: ...

    def predict_proba(self, features: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A classifier with the names of its inputs in their order."""

    columns: tuple[str, ...]
    estimator: Estimator

    def inputs(self, rows: Rows) -> np.ndarray:
        return np.array([[row[name] for name in self.columns] for row in rows])

    def probabilities(self, rows: Rows) -> np.ndarray:
        """The probability of default of each applicant."""
        return self.estimator.predict_proba(self.inputs(rows))[:, 1]


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file that a step wrote, with the dataset version that it is."""

    path: Path
    dataset: Dataset


@dataclass(frozen=True, slots=True)
class Trained:
    """The registered versions, oldest first, their files, and the applications and features behind them."""

    models: tuple[Model, ...]
    artifacts: tuple[Path, ...]
    applications: Table
    features: Table


def train(folder: Path, delivery: Delivery) -> Trained:
    """Runs the whole pipeline in `folder`: version 1 is a linear model, version 2 gradient boosting."""
    folder.mkdir(parents=True, exist_ok=True)
    applications = ingest(folder, delivery, generate(folder))
    features = build_features(folder, delivery, applications)
    training, held_out = split(folder, delivery, features)
    linear = fit(folder, delivery, training, "1", "logistic_regression", {"C": 1.0, "max_iter": 500})
    boosted = fit(folder, delivery, training, "2", "gradient_boosting", BOOSTING)
    for model, artifact in (linear, boosted):
        evaluate(delivery, held_out, model, artifact)
    return Trained((linear[0], boosted[0]), (linear[1], boosted[1]), applications, features)


def retrain(folder: Path, delivery: Delivery, features: Table) -> tuple[Model, Path]:
    """Version 3: as version 2, without the age of the applicants. It is still measured by age."""
    training, held_out = split(folder, delivery, features, left_out={"age_group"})
    model, artifact = fit(folder, delivery, training, "3", "gradient_boosting", BOOSTING)
    evaluate(delivery, held_out, model, artifact)
    return model, artifact


BOOSTING: Mapping[str, float] = {"n_estimators": 60, "max_depth": 3}


# --- from the bureau's extract to applications: three columns are tagged as protected ---------------------


def generate(folder: Path) -> Table:
    """Stands for the credit bureau, which reports nothing: invents applicants, the same ones every time."""
    random = np.random.default_rng(SEED)
    age = random.integers(18, 80, APPLICANTS)
    sex = random.integers(0, 2, APPLICANTS)
    nationality = random.integers(0, 5, APPLICANTS)
    income = random.lognormal(10.4, 0.45, APPLICANTS).round(2)
    employment = (random.random(APPLICANTS) * (age - 17) * 0.6).round(1)
    amount = random.lognormal(9.3, 0.6, APPLICANTS).round(2)
    late = random.poisson(0.6, APPLICANTS)
    risk = -2.2 + 1.9 * amount / income + 0.7 * late - 0.05 * employment - 0.012 * (age - 45)
    defaulted = (random.random(APPLICANTS) < 1 / (1 + np.exp(-risk))).astype(int)
    columns = {
        "applicant_id": np.arange(1, APPLICANTS + 1),
        "age": age,
        "sex": sex,
        "nationality": nationality,
        "income": income,
        "employment_years": employment,
        "loan_amount": amount,
        "late_payments": late,
        LABEL: defaulted,
    }
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return write(folder / "bureau_extract.csv", rows, {"tags": protected("sex", "age", "nationality")})


def ingest(folder: Path, delivery: Delivery, extract: Table) -> Table:
    """Takes the extract over, without applicants that have no income."""
    with BatchRun(delivery, job="ingest", namespace=JOBS, inputs=[from_outside(extract)]) as run:
        rows = [row for row in read(extract.path) if row["income"] > 0]
        facets = {
            "columnLineage": column_lineage(extract.dataset, {name: [name] for name in rows[0]}),
            "tags": protected("sex", "age", "nationality"),
        }
        applications = write(folder / "applications.csv", rows, facets)
        run.outputs.append(applications.dataset)
    return applications


def from_outside(extract: Table) -> Dataset:
    """Who takes over what nobody reports writing describes it, its origin above all: a source is no gap."""
    facets = {name: facet for name, facet in extract.dataset.facets.items() if name != "lifecycleStateChange"}
    return replace(extract.dataset, facets=facets, output_facets={})


# --- features: `sex` and `nationality` are dropped, but age survives as `age_group` -----------------------

FEATURES: Mapping[str, list[str]] = {
    "loan_to_income": ["loan_amount", "income"],
    "employment_years": ["employment_years"],
    "late_payments": ["late_payments"],
    "age_group": ["age"],
    LABEL: [LABEL],
}


def build_features(folder: Path, delivery: Delivery, applications: Table) -> Table:
    """Computes what the models see, and says for each column which columns it comes from."""
    with BatchRun(delivery, job="features", namespace=JOBS, inputs=[applications.dataset.used_as()]) as run:
        rows = [features_of(row) | {LABEL: row[LABEL]} for row in read(applications.path)]
        lineage = column_lineage(applications.dataset, FEATURES)
        features = write(folder / "features.csv", rows, {"columnLineage": lineage})
        run.outputs.append(features.dataset)
    return features


def features_of(applicant: Mapping[str, float]) -> dict[str, float]:
    """The features of one applicant, in the order of the models' inputs."""
    return {
        "loan_to_income": round(applicant["loan_amount"] / applicant["income"], 4),
        "employment_years": applicant["employment_years"],
        "late_payments": applicant["late_payments"],
        "age_group": float(applicant["age"] // 10),
    }


def split(folder: Path, delivery: Delivery, features: Table, left_out: Collection[str] = ()) -> tuple[Table, Table]:
    """Holds a quarter of the rows out for evaluation; what is left out of training can still be measured by."""
    run = BatchRun(
        delivery,
        job="split",
        namespace=JOBS,
        inputs=[features.dataset.used_as()],
        parameters={"seed": SEED, "held_out": 0.25},
    )
    with run:
        rows = read(features.path)
        order = np.random.default_rng(SEED).permutation(len(rows))
        border = len(rows) // 4
        kept = [name for name in rows[0] if name not in left_out]
        test = write(folder / "test.csv", [rows[i] for i in order[:border]], copied(features, rows[0]))
        training = write(
            folder / "train.csv",
            [{name: rows[i][name] for name in kept} for i in order[border:]],
            copied(features, kept),
        )
        run.outputs += [training.dataset, test.dataset]
    return training, test


# --- training, registration and evaluation ----------------------------------------------------------------


def fit(
    folder: Path,
    delivery: Delivery,
    training: Table,
    version: str,
    algorithm: str,
    parameters: Mapping[str, float],
) -> tuple[Model, Path]:
    """Trains and registers one version."""
    run = TrainingRun(
        delivery,
        job="train",
        namespace=JOBS,
        seed=SEED,
        parameters={"algorithm": algorithm, **parameters},
        inputs=[training.dataset.used_as("training", split_group="credit-risk")],
        code=repository(folder),
    )
    with run:
        rows = read(training.path)
        card = Scorecard(tuple(name for name in rows[0] if name != LABEL), untrained(algorithm, parameters))
        card.estimator.fit(card.inputs(rows), labels_of(rows))
        artifact = folder / f"credit-risk-{version}.pickle"
        artifact.write_bytes(pickle.dumps(card))
        model = run.register(described(version, algorithm), artifact)
    return model, artifact


def repository(folder: Path) -> Path:
    """Stands for the team's checkout: this very file, committed by its developer. In earnest: where your code lies."""
    checkout = folder / "code"
    if not checkout.exists():
        checkout.mkdir()
        shutil.copy(__file__, checkout)
        git = ["git", "-C", str(checkout), "-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null"]
        subprocess.run([*git, "init", "--quiet"], check=True)
        subprocess.run([*git, "config", "user.email", DEVELOPER], check=True)
        subprocess.run([*git, "config", "user.name", "Dana"], check=True)
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "--quiet", "--message", "Train the credit-risk model"], check=True)
    return checkout


def untrained(algorithm: str, parameters: Mapping[str, float]) -> Estimator:
    kind = GradientBoostingClassifier if algorithm == "gradient_boosting" else LogisticRegression
    return cast(Estimator, make_pipeline(StandardScaler(), kind(random_state=SEED, **parameters)))


def described(version: str, algorithm: str) -> Model:
    return Model(
        namespace=REGISTRY,
        name="credit-risk",
        version=version,
        framework="scikit-learn",
        task=f"binary classification ({algorithm.replace('_', ' ')})",
        intended_use="Ranking of consumer loan applications for review by a credit officer.",
        out_of_scope_use="Fully automated refusals; employment or insurance decisions.",
        licence="LicenseRef-internal",
    )


def evaluate(delivery: Delivery, held_out: Table, model: Model, artifact: Path) -> None:
    """Measures a version on rows it has not seen, over all of them and by age group."""
    evaluation = Evaluation(
        delivery,
        job="evaluate",
        namespace=JOBS,
        model=model,
        dataset=held_out.dataset.used_as("test", split_group="credit-risk"),
    )
    with evaluation:
        rows = read(held_out.path)
        scores, labels = load(artifact).probabilities(rows), labels_of(rows)
        auc = float(roc_auc_score(labels, scores))
        evaluation.metric("roc_auc", auc, higher_is_better=True)
        evaluation.metric("accuracy", accuracy_score(labels, scores > 0.5), higher_is_better=True)
        evaluation.expect("better than chance", actual=auc, at_least=0.6)
        ages = np.array([row["age_group"] for row in rows])
        for group, chosen in (("young", ages < 3), ("middle", (ages >= 3) & (ages < 6)), ("old", ages >= 6)):
            name = f"age_group={group}"
            evaluation.slice(name, attributes=["age_group"], count=int(chosen.sum()))
            evaluation.metric("approval_rate", float((scores[chosen] < 0.5).mean()), slice=name)


# --- files, and what the events say about them ------------------------------------------------------------


GOVERNANCE: Mapping[str, DatasetFacet] = {
    # Each file is written anew: no row of an earlier version is in it.
    "lifecycleStateChange": lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(
        lifecycle_state_change_dataset.LifecycleStateChange.OVERWRITE
    ),
    "ownership": ownership_dataset.OwnershipDatasetFacet(
        owners=[ownership_dataset.Owner(name="team:credit-data", type="DATA_OWNER")]
    ),
    "tags": tags_dataset.TagsDatasetFacet(
        tags=[tags_dataset.TagsDatasetFacetFields(key="classification", value="confidential")]
    ),
    "lineward_dataGovernance": DataGovernanceDatasetFacet(
        licence="LicenseRef-internal",
        origin=Origin(source="credit bureau (invented)", method="synthetic"),
        personalData=True,
        specialCategories=[],
        lawfulBasis="contract",
        purposes=["credit scoring"],
        retentionUntil="2031-12-31",
        storageCountry="DE",
    ),
}


def write(path: Path, rows: Rows, facets: Mapping[str, DatasetFacet]) -> Table:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, fieldnames=list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    dataset = Dataset(namespace=FILES, name=path.name).with_content(path)
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=len(rows), size=path.stat().st_size
    )
    facets = {"schema": schema(rows[0]), **GOVERNANCE, **facets}
    return Table(path, replace(dataset, facets=facets, output_facets={"outputStatistics": statistics}))


def read(path: Path) -> Rows:
    with path.open(newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def labels_of(rows: Rows) -> np.ndarray:
    return np.array([int(row[LABEL]) for row in rows])


def load(artifact: Path) -> Scorecard:
    """The model in a file of ours; never unpickle somebody else's."""
    return cast(Scorecard, pickle.loads(artifact.read_bytes()))


def schema(columns: Iterable[str]) -> schema_dataset.SchemaDatasetFacet:
    return schema_dataset.SchemaDatasetFacet(
        fields=[schema_dataset.SchemaDatasetFacetFields(name=name, type="double") for name in columns]
    )


def copied(source: Table, columns: Iterable[str]) -> Mapping[str, DatasetFacet]:
    """Says that columns are taken over as they are."""
    return {"columnLineage": column_lineage(source.dataset, {name: [name] for name in columns})}


def protected(*columns: str) -> tags_dataset.TagsDatasetFacet:
    """Tags on columns that the law protects, in the standard facet."""
    return tags_dataset.TagsDatasetFacet(
        tags=[
            tags_dataset.TagsDatasetFacetFields(key=f"protected:{name}", value="true", field=name) for name in columns
        ]
    )


def column_lineage(
    source: Dataset, columns: Mapping[str, Iterable[str]]
) -> column_lineage_dataset.ColumnLineageDatasetFacet:
    """Says that each column is computed from the named columns of `source`."""
    return column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={
            name: column_lineage_dataset.Fields(inputFields=[_input(source, name, origin) for origin in origins])
            for name, origins in columns.items()
        }
    )


def _input(source: Dataset, column: str, origin: str) -> column_lineage_dataset.InputField:
    kind = column_lineage_dataset.Transformation(
        type="DIRECT", subtype="IDENTITY" if column == origin else "TRANSFORMATION", masking=False
    )
    return column_lineage_dataset.InputField(source.namespace, source.name, origin, transformations=[kind])


def delivery_to(url: str, folder: Path, key: str | None = None) -> Delivery:
    """Events go to the server at `url`, with a key where it asks for one; to a file in `folder` while it is away."""
    auth = {"auth": {"type": "api_key", "apiKey": key}} if key else {}
    client = OpenLineageClient(config={"transport": {"type": "http", "url": url, **auth}})
    return Delivery(client, spool=folder / "spool.ndjson")


if __name__ == "__main__":
    delivery = delivery_to(os.environ["OPENLINEAGE_URL"], Path("work"), os.environ.get("OPENLINEAGE_API_KEY"))
    trained = train(Path("work"), delivery)
    delivery.close(patience=30)
    print(*(f"registered {model.name}@{model.version} {model.digest}" for model in trained.models), sep="\n")
