"""Whose `file` is meant: rules that tell apart the shared local namespaces of different senders."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

PRINCIPAL = "{principal}"


@dataclass(frozen=True, slots=True)
class NamespaceRules:
    """(glob over principals, namespace, replacement); the first that fits counts.

    `{principal}` in a replacement stands for the sender's name, so that one rule serves all of them. A rule whose
    replacement is the namespace itself says that its senders mean the same place.
    """

    rules: tuple[tuple[str, str, str], ...] = ()

    def place(self, principal: str, namespace: str) -> str | None:
        """The namespace that this sender means by one that it wrote; None where no rule says."""
        for glob, written, replacement in self.rules:
            if written == namespace and fnmatchcase(principal, glob):
                return replacement.replace(PRINCIPAL, principal)
        return None
