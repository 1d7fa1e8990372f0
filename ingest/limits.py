"""How much one sender may ask of the door."""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, counts and seconds; what exceeds one is refused with an answer that names it."""

    body: int = 32 * MIB  # bytes as sent
    gunzipped: int = 64 * MIB  # bytes after decompression, and of a document in a file
    array: int = 512 * MIB  # bytes of a file that is one JSON array
    depth: int = 64  # nested objects and arrays of a document
    values: int = 5_000_000  # JSON values in a body: a few bytes of text cost a hundred of memory
    datasets: int = 100_000  # inputs of an event, and likewise outputs
    batch: int = 10_000  # events in one batch
    chunk_seconds: float = 15.0  # between two pieces of a body
    body_seconds: float = 60.0  # for a whole body
    linger_seconds: float = 2.0  # reading on after a refusal, so that the sender gets to see it
    concurrent_bodies: int = 64  # bodies being received in several pieces; small ones do not count
