"""The secret without which the digests of API keys are of no use: a copy of the log alone lets nobody test guesses."""

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from catalog.errors import InvalidInputError, LinewardError

FILE = "key.pepper"
_SHORTEST = 32  # characters


class PepperMissingError(LinewardError):
    """There are keys, and the secret that they were made with is not there."""

    code = "PEPPER_MISSING"


class Pepper:
    """From the setting where it is given, else from a file in the data folder, made with the first key."""

    def __init__(self, folder: Path, given: str | None = None) -> None:
        if given is not None and len(given) < _SHORTEST:
            raise InvalidInputError(
                f"LINEWARD_KEY_PEPPER has {len(given)} characters.", f"Use at least {_SHORTEST} random ones."
            )
        self._path = folder / FILE
        self._given = given
        self._read: bytes | None = None

    def secret(self) -> bytes:
        """Raises PepperMissingError where no key can have been made yet, or the file was lost."""
        if self._given is not None:
            return self._given.encode()
        if self._read is None:
            self._read = self._from_file()
        return self._read

    def secret_or_new(self) -> bytes:
        """The same; a new file, readable by its owner alone, where there is none."""
        if self._given is None:
            with suppress(FileExistsError):
                _create(self._path)
        return self.secret()

    def _from_file(self) -> bytes:
        try:
            found = self._path.read_bytes().strip()
        except FileNotFoundError as error:
            raise PepperMissingError(
                f"{self._path} is missing: without it no API key can be checked.",
                "Restore it from a backup, or set LINEWARD_KEY_PEPPER to what it held.",
            ) from error
        if len(found) < _SHORTEST:
            raise PepperMissingError(f"{self._path} is cut short.", "Restore it from a backup.")
        return found


def _create(path: Path) -> None:
    """Whole and on disk, or not there: a key that was shown must work after a crash."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, token_hex(32).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
