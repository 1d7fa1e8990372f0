"""The packs that come with Lineward."""

from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent / "packs"


def built_in() -> Mapping[str, Path]:
    """Name → file, in the order of names."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}
