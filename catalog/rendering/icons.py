"""An icon for each kind of node, as outlines on a square of 16 units."""

from catalog.identity import ACTS, NodeKind

_TABLE = "M2 3h12v10H2zM2 6.5h12M2 9.75h12M6.5 6.5V13"
_MODEL = "M8 1.8 14 5v6L8 14.2 2 11V5zM2 5l6 3.2L14 5M8 8.2v6"
_WORK = "M4 2.6 13 8l-9 5.4z"

ICONS = {
    NodeKind.DATASET: _TABLE,
    NodeKind.DATASET_VERSION: _TABLE,
    NodeKind.MODEL: _MODEL,
    NodeKind.MODEL_VERSION: _MODEL,
    NodeKind.FIELD: "M5.5 2.5h5v11h-5zM2.5 2.5v11M13.5 2.5v11",
    NodeKind.JOB: _WORK,
    NodeKind.RUN: _WORK,
    **dict.fromkeys(ACTS, "M3 8.5 6.5 12 13 4.5"),
    NodeKind.DEPLOYMENT: "M8 13.5V3M4 7l4-4 4 4M2.5 13.5h11",
}
