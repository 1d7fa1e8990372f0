"""Which backups were made of a data folder, and so where bodies may still lie that are erased from it.

One line of JSON each in `backups.jsonl`. It knows nothing of copies that others made, of backups copied on, and of
those that were destroyed since.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import ValidationError

from catalog.errors import CorruptLogError
from catalog.log.backup import BackupMade, Manifest

FILE = "backups.jsonl"


def note(data: Path, manifest: Manifest, place: Path) -> None:
    """Add a backup that was made."""
    made = BackupMade(
        taken_at=manifest.taken_at,
        origin=manifest.origin,
        size=manifest.size,
        root=manifest.root,
        key=manifest.key,
        place=str(place.absolute()),
    )
    descriptor = os.open(data / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(made.model_dump_json(by_alias=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def backups(data: Path) -> Iterator[BackupMade]:
    """Those that were made, in their order. CorruptLogError for a line that is none."""
    try:
        lines = (data / FILE).read_text().splitlines()
    except FileNotFoundError:
        return
    for number, line in enumerate(lines, 1):
        try:
            yield BackupMade.model_validate_json(line)
        except ValidationError as error:
            raise CorruptLogError(
                f"line {number} of {data / FILE} tells of no backup", "Correct it: erasures are told where copies lie."
            ) from error


def still_holding(data: Path, entries: Sequence[int]) -> list[str]:
    """What to do about each backup in which one of these positions lies, in words."""
    return [_told(each) for each in backups(data) if each.size > min(entries, default=each.size)]


def _told(made: BackupMade) -> str:
    named = f"the backup of {made.taken_at} in {made.place} ({made.size:,} entries)"
    if made.key is None:
        return f"{named} is not encrypted: destroy it, and every copy of it"
    return f"{named}: destroy its key {made.key[:16]}…, or it and every copy of it"
