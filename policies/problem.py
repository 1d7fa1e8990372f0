"""What is wrong with a document, and where."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.errors import InvalidInputError

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct. `path` leads to it through keys and indexes.

    `within` is line and column (from 1) inside the text at that path, for a mistake in an expression.
    `key` says that the key is to blame, not its value. A `warning` does not make the document unusable.
    """

    path: Path
    what: str
    fix: str
    within: tuple[int, int] | None = None
    key: bool = False
    warning: bool = False

    @property
    def pointer(self) -> str:
        """RFC 6901."""
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.path)


@dataclass(frozen=True, slots=True)
class Located:
    """A problem at its place in a file; line and column count from 1."""

    file: str
    line: int
    column: int
    what: str
    fix: str
    warning: bool = False

    def __str__(self) -> str:
        kind = "warning: " if self.warning else ""
        return f"{self.file}:{self.line}:{self.column}: {kind}{self.what}. {self.fix}"


class MalformedError(InvalidInputError):
    """A file that is no policy document: every problem of it at once."""

    code = "MALFORMED"

    def __init__(self, problems: Sequence[Located]) -> None:
        self.problems = tuple(problems)
        first, more = self.problems[0], len(self.problems) - 1
        super().__init__(
            f"{first.file}:{first.line}:{first.column}: {first.what}{f' (and {more} more)' if more else ''}", first.fix
        )
