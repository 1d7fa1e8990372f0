"""JSON pointers (RFC 6901)."""

from collections.abc import Iterable


def pointer(path: Iterable[str | int]) -> str:
    """The pointer to a path of keys and indices: `/inputs/3/name`."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
