"""What must not enter a log that nobody can change: removed from a document, with a list of where.

Names and keys are cleaned like every other text. The pointers are part of the log too, so they spell keys as cleaned.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import orjson

from ingest.document import Document
from ingest.pointer import pointer
from ingest.secret import HIDDEN, hide_secrets, may_hold_secrets

_ENVIRONMENT = "environmentVariables"

_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Redaction:
    """The bytes to keep, and JSON pointers (RFC 6901) into them to what was changed, in the order of the text."""

    body: bytes
    pointers: tuple[str, ...]


def redact(text: bytes, document: Document, allowed_environment: Collection[str]) -> Redaction:
    """Remove secrets from a document whose bytes are `text`; with none in it the bytes stay as they are.

    Of environment variables (EnvironmentVariablesRunFacet 1-0-0, and plain mappings under that key) only the values of
    `allowed_environment` stay. Redacting the result again changes nothing.
    """
    if not _may_need_redaction(document.canonical):
        return Redaction(text, ())
    cleaning = _Cleaning(frozenset(allowed_environment))
    cleaned = cleaning.value(document.value, ())
    if not cleaning.changed:
        return Redaction(text, ())
    return Redaction(orjson.dumps(cleaned), tuple(pointer(path) for path in cleaning.changed))


def _may_need_redaction(canonical: bytes) -> bool:
    return may_hold_secrets(canonical) or b'"environmentVariables"' in canonical


@dataclass(slots=True)
class _Cleaning:
    """One pass over a document, collecting the paths of what changed."""

    allowed: frozenset[str]
    changed: list[_Path] = field(default_factory=list)

    def value(self, value: Any, path: _Path) -> Any:
        if isinstance(value, str):
            return self._replace(value, hide_secrets(value), path)
        if isinstance(value, dict):
            return self._members(value, path)
        if isinstance(value, list):
            return [self.value(item, (*path, index)) for index, item in enumerate(value)]
        return value

    def _members(self, members: dict[str, Any], path: _Path) -> dict[str, Any]:
        cleaned: dict[str, Any] = {}
        for key, value in members.items():
            name = self._key(key, members, cleaned, path)
            read = self._environment if key == _ENVIRONMENT else self.value
            cleaned[name] = read(value, (*path, name))
        return cleaned

    def _key(self, key: str, members: dict[str, Any], cleaned: dict[str, Any], path: _Path) -> str:
        """The key without secrets, numbered where two become one."""
        hidden = hide_secrets(key)
        if hidden == key:
            return key
        name, number = hidden, 1
        while name in cleaned or name in members:
            number += 1
            name = f"{hidden} ({number})"
        self.changed.append((*path, name))
        return name

    def _environment(self, value: Any, path: _Path) -> Any:
        """The facet, its list of variables, or a mapping of names to values."""
        if isinstance(value, list):
            return [self._variable(item, (*path, index)) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return self._hide(value, path)
        return {
            name: self._environment(item, (*path, name))
            if name == _ENVIRONMENT
            else self._setting(name, item, (*path, name))
            for name, item in value.items()
        }

    def _variable(self, item: Any, path: _Path) -> Any:
        if not isinstance(item, dict):
            return self._hide(item, path)
        if isinstance(item.get("name"), str) and item["name"] in self.allowed:
            return self.value(item, path)
        return {
            key: self.value(part, (*path, key)) if key == "name" else self._hide(part, (*path, key))
            for key, part in item.items()
        }

    def _setting(self, name: str, value: Any, path: _Path) -> Any:
        """A member of the mapping; those that begin with an underscore are the facet's own."""
        if name.startswith("_") or name in self.allowed:
            return self.value(value, path)
        return self._hide(value, path)

    def _hide(self, value: Any, path: _Path) -> Any:
        return value if value is None else self._replace(value, HIDDEN, path)

    def _replace(self, old: Any, new: str, path: _Path) -> str:
        if new != old:
            self.changed.append(path)
        return new
