"""Compression of bodies: zstd with dictionaries that the log trains on its own first bodies.

A dictionary is part of the truth: losing it loses every body that names it, and what is in it can never be
erased. So bodies are masked before training, down to the words of published schemas.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import sha256

import orjson
import zstandard

from catalog.errors import CorruptLogError
from catalog.log.vocabulary import is_structural_key, is_structural_value

NO_DICTIONARY = 0
TRAIN_AFTER = 2_000
TRAIN_ON_EVERY = 4  # as good a dictionary as from all of them, in a quarter of the time
LEVEL = 3
DICTIONARY_BYTES = 64 * 1024
MAX_SAMPLE_BYTES = 16 * 1024
MAX_TRAINED_BODY = 256 * 1024

# A JSON string with what follows it (a colon makes it a key), or a number.
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:)?|-?\d[\d.eE+-]*', re.DOTALL)


class Compressor:
    """Compresses bodies with one dictionary, digested once. Not for use by two threads at a time."""

    __slots__ = ("compress", "dictionary")

    def __init__(self, dictionary: int = NO_DICTIONARY, content: bytes = b"") -> None:
        self.dictionary = dictionary
        data = None
        if content:
            data = zstandard.ZstdCompressionDict(content)
            data.precompute_compress(level=LEVEL)
        zstd = zstandard.ZstdCompressor(level=LEVEL, dict_data=data, write_checksum=False, write_dict_id=False)
        self.compress: Callable[[bytes], bytes] = zstd.compress


class Decompressors:
    """Decompresses bodies by the dictionary that each names. Not for use by two threads at a time."""

    def __init__(self, load: Callable[[int], bytes]) -> None:
        """`load` answers a dictionary's content by its id, or raises CorruptLogError."""
        self._load = load
        self._by_dictionary: dict[int, zstandard.ZstdDecompressor] = {}

    def decompress(self, dictionary: int, compressed: bytes, length: int) -> bytes:
        """The body of `length` bytes; CorruptLogError if it is none (the claimed size is checked first)."""
        try:
            if zstandard.frame_content_size(compressed) != length:
                raise CorruptLogError(f"a body does not have its {length} bytes", "restore the log from a backup")
            return self._decompressor(dictionary).decompress(compressed)
        except zstandard.ZstdError as error:
            raise CorruptLogError(f"a body does not decompress: {error}", "restore the log from a backup") from error

    def _decompressor(self, dictionary: int) -> zstandard.ZstdDecompressor:
        known = self._by_dictionary.get(dictionary)
        if known is None:
            content = None if dictionary == NO_DICTIONARY else self._load(dictionary)
            data = zstandard.ZstdCompressionDict(content) if content else None
            known = self._by_dictionary[dictionary] = zstandard.ZstdDecompressor(dict_data=data)
        return known


class Training:
    """Trains a dictionary beside the writer, in a thread that hands over the result.

    `start` and `take` belong to the writer's thread. Training that fails, for want of material, gives b"".
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._result: bytes | None = None

    @property
    def running(self) -> bool:
        return self._thread is not None

    def start(self, bodies: Callable[[], Iterable[bytes]]) -> None:
        self._thread = threading.Thread(target=self._run, args=(bodies,), name="dictionary-training", daemon=True)
        self._thread.start()

    def take(self) -> bytes | None:
        """The result, once; None while there is none."""
        result = self._result
        if result is not None:
            self._thread = self._result = None
        return result

    def wait(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _run(self, bodies: Callable[[], Iterable[bytes]]) -> None:
        try:
            self._result = train(_paced(bodies()))
        except Exception:  # whatever went wrong, the log works without a dictionary
            self._result = b""


def _paced(bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Hand over the interpreter between bodies, so that the writer beside keeps its pace."""
    for body in bodies:
        yield body
        time.sleep(0.0005)


def train(bodies: Iterable[bytes]) -> bytes:
    """A dictionary for bodies like these, without their values; b"" if they are too few or too much alike."""
    masked = (mask(body)[:MAX_SAMPLE_BYTES] for body in bodies if len(body) <= MAX_TRAINED_BODY)
    samples: list[bytes | bytearray | memoryview] = [sample for sample in masked if sample]
    size = min(DICTIONARY_BYTES, sum(map(len, samples)) // 8)
    try:
        return zstandard.train_dictionary(size, samples, level=LEVEL).as_bytes()
    except (zstandard.ZstdError, ValueError):
        return b""


def mask(body: bytes) -> bytes:
    """The JSON text with every string that is no word of a published schema emptied, and every number 0.

    Spacing stays, since it is what the dictionary has to match. b"" for bytes that are no JSON.
    """
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return b""
    return _TOKEN.sub(_mask_token, body.decode()).encode()


def _mask_token(match: re.Match[str]) -> str:
    text, colon = match.groups()
    if text is None:
        return "0"
    if colon is not None:
        return f'"{text}"{colon}' if is_structural_key(text) else f'""{colon}'
    return f'"{text}"' if _is_structural_value(text) else '""'


_is_structural_value = lru_cache(maxsize=8192)(is_structural_value)


def digest(content: bytes) -> bytes:
    """What a dictionary's row says of its content."""
    return sha256(content).digest()
