"""The JSON schemas of the policy documents, for editors that complete and check them while they are written.

`python -m policies.published` writes them to `policies/spec/`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from policies.binding import PolicyBinding, WaiverDocument
from policies.pack import Document, PolicyPack
from policies.retention import RetentionSchedule

FOLDER = Path(__file__).parent / "spec"
DOCUMENTS: Mapping[str, type[Document]] = {
    "PolicyPack": PolicyPack,
    "PolicyBinding": PolicyBinding,
    "Waiver": WaiverDocument,
    "RetentionSchedule": RetentionSchedule,
}


def schema_of(kind: str) -> dict[str, Any]:
    """The schema of one kind of document (JSON Schema 2020-12)."""
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://lineward.dev/spec/policies/v1/{kind}.json",
    }
    return {**head, **DOCUMENTS[kind].model_json_schema()}


def text_of(kind: str) -> str:
    """The schema as it is published."""
    return json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"


def write(folder: Path = FOLDER) -> None:
    folder.mkdir(exist_ok=True)
    for kind in DOCUMENTS:
        (folder / f"{kind}.json").write_text(text_of(kind), encoding="utf-8")


if __name__ == "__main__":
    write()
