"""One check of `lineward verify`, and how it came out."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"
    INCOMPLETE = "incomplete"  # something should be there to check, and is not
    ABSENT = "absent"  # there is nothing to check, and there need not be


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` is for what is incomplete."""

    outcome: Outcome
    name: str
    message: str
    remedy: str = ""
