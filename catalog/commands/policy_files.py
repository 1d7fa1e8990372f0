"""Packs by the name that a user gives: a file, or one that comes with Lineward."""

from pathlib import Path

from catalog.errors import NotFoundError
from policies.library import built_in
from policies.soundness import near


def file_of(name: str | Path) -> Path:
    """The file of that path; else the built-in pack of that name. NotFoundError for neither."""
    path = Path(name)
    if path.exists():
        return path
    packs = built_in()
    if str(name) in packs:
        return packs[str(name)]
    raise NotFoundError(f"there is neither a file nor a built-in pack {name}", near(str(name), packs))
