"""Labels of datasets and their columns, from the standard `tags` facet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.evidence.draft import Assurance, Voice

_HELD = frozenset({"true", "1", "yes", ""})
_DENIED = frozenset({"false", "0", "no"})
_WITHOUT_PREFIX = frozenset({"pii", "phi"})


@dataclass(frozen=True, slots=True)
class Labels:
    """What a dataset is labelled with, and each of its labelled columns by path."""

    own: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]


def labels_in(told: tuple[Mapping[str, Any], Voice] | None) -> Labels:
    """The labels of a `tags` facet (TagsDatasetFacet 1-0-0); none of one that does not count."""
    if told is None or told[1].assurance is Assurance.SELF_DECLARED:
        return Labels((), {})
    own: set[str] = set()
    columns: dict[str, set[str]] = {}
    tags = told[0].get("tags")
    for tag in tags if isinstance(tags, list) else ():
        label = _label(tag)
        if label is None:
            continue
        if isinstance(tag.get("field"), str) and tag["field"]:
            columns.setdefault(tag["field"], set()).add(label)
        else:
            own.add(label)
    return Labels(tuple(sorted(own)), {path: tuple(sorted(found)) for path, found in sorted(columns.items())})


def is_sensitive(label: str) -> bool:
    """Whether a column with this label is followed to the model: `protected:sex`, `pii`."""
    return ":" in label or label in _WITHOUT_PREFIX


def _label(tag: Any) -> str | None:
    """`key` where the value says no more than yes, else `key:value`; None where it says no."""
    if not isinstance(tag, Mapping) or not isinstance(tag.get("key"), str) or not tag["key"]:
        return None
    key, value = tag["key"], tag.get("value")
    word = str(value).casefold() if isinstance(value, str | bool) else ""
    if word in _DENIED:
        return None
    return key if word in _HELD or ":" in key else f"{key}:{value}"
