"""Signing checkpoints of a log: each continues the last, and is on disk before anybody sees it."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from catalog.errors import CorruptLogError, InvalidInputError
from catalog.log import checkpoint as checkpoints
from catalog.log.checkpoint import Checkpoint, SignedCheckpoint
from catalog.log.checkpoint_file import CheckpointFile
from catalog.log.note import ForgedError, Note, Signer, VerifierKey

FILE = "checkpoint"
COSIGNED = "checkpoint.cosigned"


class Rooted(Protocol):
    """What is signed: see `LogReader`."""

    origin: str

    def size(self) -> int: ...

    def root(self, size: int | None = None) -> bytes: ...


class ForkedLogError(CorruptLogError):
    """The log does not continue what its own key has signed: it was cut back, restored or rewritten."""

    code = "FORKED_LOG"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}; nothing is signed any more",
            "bring back the newest copy of the log, or let it go on under a new origin with `lineward new-origin`",
        )


class CheckpointLog:
    """The checkpoints of one log. For any number of threads and processes.

    What was signed last is read again each time, from the file, so that a log and its memory of what it signed part
    only together: then nobody but the keeper of another copy can tell.
    """

    def __init__(
        self,
        log: Rooted,
        signer: Signer,
        folder: Path,
        witnesses: Iterable[VerifierKey] = (),
        further: Iterable[Signer] = (),
        now: Callable[[], float] = time.time,
    ) -> None:
        """`further` keys sign too: one of another kind, the next, or the last. `now` gives seconds since 1970."""
        if signer.key.name != log.origin:
            raise InvalidInputError(f"{signer.key.name} is not the origin of this log", f"it is {log.origin}")
        self._log = log
        self._signers = (signer, *further)
        self._now = now
        self._witnesses = tuple(witnesses)
        self._file = CheckpointFile(folder / FILE)
        self._cosigned = CheckpointFile(folder / COSIGNED)
        self.key = signer.key
        self.keys = tuple(each.key for each in self._signers)

    def last(self) -> SignedCheckpoint | None:
        """What was signed last; None where nothing was. ForgedError where the file holds another's checkpoint."""
        data = self._file.read()
        return None if data is None else checkpoints.opened(data, self.key)

    def current(self, least: int | None = None) -> SignedCheckpoint:
        """The checkpoint of all that the log holds, signed now where it has grown.

        With `least` the last one does where it covers so many entries. Raises ForkedLogError where the log is shorter
        than what was signed, or has another root there; InvalidInputError where it has not `least` entries.
        """
        last = self.last()
        if last is not None and least is not None and last.checkpoint.size >= least:
            self._check(last.checkpoint)
            return last
        with self._file.exclusive():
            last = self.last()
            if last is not None:
                self._check(last.checkpoint)
            size = self._log.size()
            if least is not None and size < least:
                raise InvalidInputError(f"the log holds {size} entries, not {least}", "ask within the log")
            if last is not None and last.checkpoint.size == size and self._signed_by_all(last.note):
                return last
            return self._signed(Checkpoint(self._log.origin, size, self._log.root(size)))

    def signed_at(self) -> int | None:
        """When something was signed last, µs since 1970; None where nothing was."""
        return self._file.written_at()

    def cosigned(self) -> SignedCheckpoint | None:
        """The newest that a witness has cosigned whom this log knows; None where there is none."""
        data = self._cosigned.read()
        held = None if data is None else checkpoints.opened(data, self.key, self._witnesses)
        return held if held is not None and held.cosigned else None

    def covering(self, least: int) -> SignedCheckpoint:
        """A checkpoint over at least so many entries: a cosigned one where there is one. Raises what `current` does."""
        held = self.cosigned()
        if held is None or held.checkpoint.size < least:
            return self.current(least)
        self._check(held.checkpoint)
        return held

    def add_cosignatures(self, data: bytes) -> None:
        """Keep what witnesses add to a checkpoint of this log; nothing happens where a newer one is cosigned.

        Raises MalformedError for what is no checkpoint, ForgedError for one that this log has not signed or that no
        witness whom it knows has cosigned.
        """
        new = checkpoints.opened(data, self.key, self._witnesses)
        if not new.cosigned:
            raise ForgedError("no witness whom this log knows has cosigned this checkpoint")
        with self._cosigned.exclusive():
            self._check(new.checkpoint)
            held = self.cosigned()
            if held is None or held.checkpoint.size <= new.checkpoint.size:
                self._cosigned.replace(str(self._merged(held, new)).encode())

    def _merged(self, held: SignedCheckpoint | None, new: SignedCheckpoint) -> Note:
        """The checkpoint with the signatures of its log and of witnesses that it knows, each once, the newest."""
        known = {(key.name, key.id) for key in (*self.keys, *self._witnesses)}
        before = held.note.signatures if held is not None and held.checkpoint == new.checkpoint else ()
        signatures = {(each.name, each.key_id): each for each in (*before, *new.note.signatures)}
        return Note(new.note.text, tuple(each for key, each in signatures.items() if key in known))

    def check(self) -> None:
        """ForkedLogError where the log does not continue what was signed last."""
        last = self.last()
        if last is not None:
            self._check(last.checkpoint)

    def _check(self, last: Checkpoint) -> None:
        size = self._log.size()
        if size < last.size:
            raise ForkedLogError(f"the log holds {size} entries, and {last.size} were signed")
        if self._log.root(last.size) != last.root:
            raise ForkedLogError(f"the first {last.size} entries are not those that were signed")

    def _signed_by_all(self, note: Note) -> bool:
        """False after a key was added: then what was signed last is signed again."""
        signed = {(each.name, each.key_id) for each in note.signatures}
        return all((key.name, key.id) in signed for key in self.keys)

    def _signed(self, checkpoint: Checkpoint) -> SignedCheckpoint:
        now = int(self._now())
        signatures = [each.sign(checkpoint.text, now if each.key.kind.is_timed else None) for each in self._signers]
        signed = Note(checkpoint.text, tuple(signatures))
        self._file.replace(str(signed).encode())
        return SignedCheckpoint(checkpoint, signed)
