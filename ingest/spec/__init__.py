"""The JSON schemas of our OpenLineage facets and of a prediction record, as they are published.

A published schema never changes: a new meaning is a new version folder. Standard library only, since
producers import this too.
"""

from functools import cache
from hashlib import sha256
from importlib.resources import files

VERSION = "1-0-0"
BASE_URL = "https://lineward.dev/spec/facets"


def schema_url(name: str) -> str:
    """The canonical address of the schema called `name`, such as `LinewardModelDatasetFacet`."""
    return f"{BASE_URL}/{VERSION}/{name}.json"


def facet_url(name: str) -> str:
    """What a facet's `_schemaURL` holds: the address with a JSON pointer to the definition (RFC 6901)."""
    return f"{schema_url(name)}#/$defs/{name}"


@cache
def versions() -> dict[str, frozenset[str]]:
    """Names of the schemas of each version: `{"1-0-0": {"LinewardModelDatasetFacet", …}}`."""
    return {
        folder.name: frozenset(
            entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json")
        )
        for folder in files(__name__).iterdir()
        if folder.is_dir() and folder.name[0].isdigit()
    }


@cache
def schema(name: str, version: str = VERSION) -> bytes | None:
    """The bytes of one schema, or None where there is none of that name and version."""
    if name not in versions().get(version, frozenset()):
        return None
    return files(__name__).joinpath(version, f"{name}.json").read_bytes()


def schema_digest(name: str, version: str = VERSION) -> str:
    """SHA-256 over the bytes of one schema, as `sha256:` and hex; KeyError where there is none."""
    body = schema(name, version)
    if body is None:
        raise KeyError(name)
    return f"sha256:{sha256(body).hexdigest()}"
