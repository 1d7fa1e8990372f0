"""Whether the explorer that was built is the one that its sources say. Needs the standard library alone: the build
loads this file by its path."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

STATIC = Path(__file__).parent / "static"
STAMP = "build.json"
_SOURCES = "explorer"
_READ_BY_IT = ("schema.graphql", "operations")
_MADE = frozenset({"node_modules", "dist", "gql"})


def source_digest(graphql: Path) -> str:
    """SHA-256, hex, over all that the build reads in the folder `graphql`: names and contents, in order of names."""
    digest = hashlib.sha256()
    for path in _files(graphql):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(graphql).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def built_digest(static: Path = STATIC) -> str | None:
    """The digest of the sources that the assets were built from; None where nothing was built."""
    try:
        return str(json.loads((static / STAMP).read_bytes())["sources"])
    except FileNotFoundError:
        return None


def is_stale(static: Path = STATIC) -> bool:
    """Whether there are sources beside the package, as in a checkout, and the assets were built from others."""
    graphql = static.parents[1]
    return (graphql / _SOURCES / "package.json").is_file() and built_digest(static) != source_digest(graphql)


def _files(graphql: Path) -> Iterator[Path]:
    found: list[Path] = []
    for start in (graphql / name for name in (_SOURCES, *_READ_BY_IT)):
        if start.is_file():
            found.append(start)
        for folder, inner, names in os.walk(start):
            inner[:] = [name for name in inner if name not in _MADE and not name.startswith(".")]
            found += [Path(folder, name) for name in names if name == ".npmrc" or not name.startswith(".")]
    yield from sorted(found)
