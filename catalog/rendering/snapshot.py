"""Which log an answer was read from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The log's size when the answer was made, and the root (hex) over that many entries."""

    log_size: int
    root: str
