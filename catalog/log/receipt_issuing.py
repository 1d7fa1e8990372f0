"""Making receipts from a log that one holds."""

from catalog.errors import NotFoundError
from catalog.log.checkpoint import SignedCheckpoint
from catalog.log.entry import decode_envelope
from catalog.log.reader import LogReader
from catalog.log.receipt import EntryReceipt, Held


def issue(log: LogReader, seq: int, signed: SignedCheckpoint, *, body: bool = False) -> EntryReceipt:
    """The receipt of entry `seq` under a checkpoint that covers it; with `body`, its body too, unless it is erased.

    NotFoundError where the log has no such entry.
    """
    found = [each for each in log.stored(seq, 1) if each.seq == seq]
    if not found:
        raise NotFoundError(f"the log has no entry {seq}", f"positions run from 0 to {log.size() - 1}")
    stored = found[0]
    content = None
    if body and stored.salt is not None:
        content = log.decompress(stored, decode_envelope(seq, stored.envelope).body.len)
    proof = tuple(log.inclusion(seq, signed.checkpoint.size))
    return EntryReceipt(seq, proof, str(signed.note).encode(), Held(stored.envelope, stored.salt, content))
