"""How each kind of node and each basis looks, the same in every rendering."""

from dataclasses import dataclass

from catalog.identity import ACTS, NodeKind
from catalog.model import Basis


@dataclass(frozen=True, slots=True)
class Look:
    """`colour` is dark enough to be read on white; `tint` is the same hue as a background."""

    word: str
    symbol: str
    colour: str
    tint: str
    style: str  # of rich


_DATA = ("▤", "#1f6f8b", "#e6f2f6", "cyan")
_MODEL = ("◆", "#7a3e9d", "#f3eaf8", "magenta")
_ACT = ("✓", "#4a4f57", "#eef0f2", "white")
_WORK = ("▸", "#8a5a00", "#fbf1dc", "yellow")

LOOKS = {
    NodeKind.DATASET: Look("dataset", *_DATA),
    NodeKind.DATASET_VERSION: Look("dataset version", *_DATA),
    NodeKind.MODEL: Look("model", *_MODEL),
    NodeKind.MODEL_VERSION: Look("model version", *_MODEL),
    NodeKind.FIELD: Look("column", "▪", "#2f7d4f", "#e7f4ec", "green"),
    NodeKind.JOB: Look("job", *_WORK),
    NodeKind.RUN: Look("run", *_WORK),
    NodeKind.DEPLOYMENT: Look("deployment", "▲", "#b03a2e", "#fbeae8", "red"),
    **{kind: Look(kind.value.lower(), *_ACT) for kind in ACTS},
}

MEANING = {
    Basis.EXPLICIT: "stated by the producer",
    Basis.COLUMN: "by column lineage",
    Basis.INFERRED: "inferred from inputs × outputs",
    Basis.ROLLUP: "taken from the application",
}
DASHES = {Basis.EXPLICIT: "", Basis.COLUMN: "10 3", Basis.INFERRED: "5 4", Basis.ROLLUP: "1.5 4"}

WARNING = "#b45309"
