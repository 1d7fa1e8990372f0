"""A witness (C2SP tlog-witness): it remembers one checkpoint a log, and cosigns only what continues it."""

import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from catalog.errors import ConflictError, NotFoundError, RetryableError
from catalog.log import checkpoint as checkpoints
from catalog.log import note
from catalog.log.checkpoint import Checkpoint, SignedCheckpoint
from catalog.log.checkpoint_file import CheckpointFile
from catalog.log.merkle import Nodes, consistency_proof, verify_consistency
from catalog.log.note import ForgedError, MalformedError, Note, Signature, Signer, VerifierKey

MOST_HASHES = 63
_ATTEMPTS = 5
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class UnknownLogError(NotFoundError):
    """A checkpoint of a log that this witness does not watch."""

    code = "UNKNOWN_LOG"


class OldSizeError(ConflictError):
    """The proof does not begin where the witness left off; `size` is where that is."""

    code = "OLD_SIZE"

    def __init__(self, size: int) -> None:
        super().__init__(f"The last checkpoint that was cosigned has {size} entries.", "Prove from there.")
        self.size = size


class WitnessBusyError(RetryableError):
    """Somebody else works on the same state."""

    code = "WITNESS_BUSY"


class RollbackError(ForgedError):
    """The log shows fewer entries than it once had."""

    code = "ROLLBACK"


class ForkError(ForgedError):
    """Two checkpoints of one log that cannot both be true: the newer does not continue the older."""

    code = "FORK"


class Witness:
    """Cosigns for the logs whose keys it was given. For any number of threads and processes on one folder.

    `folder` holds a file for each log, the last checkpoint with the cosignature; `now` gives seconds since 1970.
    """

    def __init__(
        self,
        folder: Path,
        signer: Signer,
        logs: Iterable[VerifierKey],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._signer = signer
        self._logs = {log.name: log for log in logs}
        self._now = now

    def last(self, origin: str) -> SignedCheckpoint | None:
        """What was cosigned last for a log; None where nothing was yet."""
        log, data = self._log(origin), self._file(origin).read()
        return None if data is None else checkpoints.opened(data, log, [self._signer.key])

    def add(self, old: int, proof: Sequence[bytes], data: bytes) -> Signature:
        """Cosign the checkpoint in `data`, proven to continue the last one, which has `old` entries.

        Raises UnknownLogError; ForgedError where the log has not signed it; OldSizeError where another was cosigned
        meanwhile; RollbackError and ForkError for a log that takes back what it said. Nothing is cosigned then.
        """
        note_of = note.read(data)
        claimed = checkpoints.checkpoint_of(note_of.text)
        new = checkpoints.opened(data, self._log(claimed.origin)).checkpoint
        if old > new.size:
            raise MalformedError(f"A proof from {old} to {new.size} leads backwards.", "Prove from the smaller size.")
        file = self._file(new.origin)
        with file.exclusive():
            last = self._remembered(new.origin)
            if old != last.size:
                raise OldSizeError(last.size)
            self._check(last, new, proof)
            signature = self._signer.sign(new.text, int(self._now()))
            own = tuple(each for each in note_of.signatures if each.name == new.origin)
            file.replace(str(Note(new.text, (*own, signature))).encode())
        return signature

    def follow(self, origin: str, data: bytes, nodes: Callable[[int], Nodes]) -> str:
        """Cosign a checkpoint that a log shows, with a proof made of its own tree; the checkpoint with both signatures.

        `nodes` gives the hashes of a tree of a size, which nobody has to believe. Raises what `add` does.
        """
        for _ in range(_ATTEMPTS):
            new = checkpoints.opened(data, self._log(origin)).checkpoint
            last = self._remembered(origin)
            if new.size < last.size:
                raise RollbackError(f"{origin} shows {new.size} entries, and had {last.size}: it was rolled back")
            proof = consistency_proof(last.size, new.size, nodes(new.size))
            try:
                return f"{data.decode()}{self.add(last.size, proof, data)}"
            except OldSizeError:
                continue  # another process of this witness was faster
        raise WitnessBusyError("Another process cosigns this log all the time.", "Run one witness on a folder.")

    def keep(self, data: bytes) -> Path:
        """Put a checkpoint that was refused where it stays; the file."""
        file = CheckpointFile(self._folder / f"refused-{sha256(data).hexdigest()[:16]}.checkpoint")
        file.replace(data)
        return file.path

    def _check(self, last: Checkpoint, new: Checkpoint, proof: Sequence[bytes]) -> None:
        if not verify_consistency(last.size, new.size, proof, last.root, new.root):
            raise _fork(last, new)

    def _remembered(self, origin: str) -> Checkpoint:
        last = self.last(origin)
        return Checkpoint(origin, 0, sha256(b"").digest()) if last is None else last.checkpoint

    def _log(self, origin: str) -> VerifierKey:
        if origin not in self._logs:
            raise UnknownLogError(f"This witness does not watch {origin}.", "Give it the key of that log.")
        return self._logs[origin]

    def _file(self, origin: str) -> CheckpointFile:
        return CheckpointFile(self._folder / f"{sha256(origin.encode()).hexdigest()[:16]}.checkpoint")


def _fork(last: Checkpoint, new: Checkpoint) -> ForkError:
    return ForkError(
        f"{new.origin} has signed {last} and {new}, and no proof leads from one to the other: it is a fork. "
        "Keep both checkpoints, they prove it"
    )


def addition(old: int, proof: Iterable[bytes], data: bytes) -> bytes:
    """The body of a request `add-checkpoint`."""
    lines = [f"old {old}", *(b64encode(each).decode() for each in proof)]
    return "\n".join([*lines, "", ""]).encode() + data


def addition_of(body: bytes) -> tuple[int, list[bytes], bytes]:
    """(old size, proof, checkpoint) of such a body. Raises MalformedError."""
    head, blank, data = body.partition(b"\n\n")
    lines = head.decode("ascii", errors="replace").split("\n")
    old = _OLD.fullmatch(lines[0])
    if not blank or old is None or len(lines) > 1 + MOST_HASHES:
        raise MalformedError(
            "This is no request to cosign.", "Send `old SIZE`, the proof, an empty line, the checkpoint."
        )
    return int(old[1]), [_hash(line) for line in lines[1:]], data


def _hash(line: str) -> bytes:
    try:
        value = b64decode(line, validate=True)
    except ValueError as error:
        raise _no_hash() from error
    if len(value) != 32:
        raise _no_hash()
    return value


def _no_hash() -> MalformedError:
    return MalformedError("A line of the proof is no hash.", "Send each as Base64 of 32 bytes.")
