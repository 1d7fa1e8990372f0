"""What a verdict lacks: the missing fields that some control reads which does not pass."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from policies.evidence.gaps import FieldGap, gaps_of
from policies.verdict import Verdict

SETTLED = (Verdict.PASS, Verdict.NOT_APPLICABLE)


class ReadingControl(Protocol):
    """What is asked of a verdict, wherever it was computed."""

    @property
    def control(self) -> str: ...

    @property
    def underlying(self) -> Verdict: ...

    @property
    def fields(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Needed:
    """A gap, and the controls that do not pass and read the field."""

    gap: FieldGap
    controls: tuple[str, ...]


def needed(
    document: Mapping[str, Any], controls: Iterable[ReadingControl], paths: Iterable[str] | None = None
) -> list[Needed]:
    """By path and item. `paths` asks for the gaps among these fields instead, whoever reads them."""
    readers: dict[str, list[str]] = {}
    for control in controls:
        if control.underlying not in SETTLED:
            for field in control.fields:
                readers.setdefault(field, []).append(control.control)
    found = gaps_of(document, readers if paths is None else paths)
    return [Needed(gap, tuple(dict.fromkeys(readers.get(gap.path, ())))) for gap in found]
