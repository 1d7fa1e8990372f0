"""Event records as they lie in `graph.db`: zstd, with dictionaries that the file trains on records of its own.

A record is mostly ids and digests that its neighbours have too: 850 bytes of msgpack become some 200, for 3 µs to write
and one to read. Each frame names its dictionary (RFC 8878, section 3.1.1.1.3). Dictionaries are trained anew as the log
grows tenfold, and never go while the file holds its tables.
"""

from collections.abc import Callable

import apsw
import zstandard

from catalog.graph import record
from catalog.graph.record import EventRecord
from catalog.remembered import Remembered

TABLE = "create table dictionary (id integer primary key, seq integer not null, content blob not null) strict;"

LEVEL = 3
SAMPLES = 3_000
DICTIONARY_BYTES = 64 * 1024
GROWTH = 10  # a log this many times as long as when the last dictionary was trained gets another

REMEMBERED = 4_000  # records, and as many that were asked for before them: 10 to 30 MB

Known = Remembered[bytes, EventRecord]

_LAST = "select seq, content from dictionary order by seq desc limit 1"
_RECORDS = "select record from event order by seq desc limit ?"


class RecordEncoder:
    """Compresses with the file's last dictionary. Belongs to the writing connection, inside its transactions."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._decode = RecordDecoder(connection)
        self.forget()

    def forget(self) -> None:
        """Another connection wrote, or a transaction failed: look at the file again."""
        self._compress: Callable[[bytes], bytes] | None = None
        self._due = 0

    def encode(self, event: EventRecord) -> bytes:
        compress = self._compress
        if compress is None:
            compress = self._compress = self._load()
        return compress(record.encode(event))

    def train(self, seq: int) -> None:
        """Add a dictionary where the log, now up to `seq`, has outgrown the last one."""
        if self._compress is None or seq < self._due:
            return
        samples = [self._decode.decompress(row[0]) for row in self._connection.execute(_RECORDS, (SAMPLES,))]
        try:
            made = zstandard.train_dictionary(DICTIONARY_BYTES, list(samples), level=LEVEL)
        except zstandard.ZstdError:  # too few records, or all alike
            self._due = GROWTH * seq
            return
        self._connection.execute(
            "insert into dictionary (id, seq, content) values (?, ?, ?)", (made.dict_id(), seq, made.as_bytes())
        )
        self._compress = self._load()

    def _load(self) -> Callable[[bytes], bytes]:
        row = self._connection.execute(_LAST).fetchone()
        self._due = GROWTH * row[0] if row else SAMPLES
        dictionary = zstandard.ZstdCompressionDict(row[1]) if row else None
        if dictionary is not None:
            dictionary.precompute_compress(level=LEVEL)
        return zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary, write_checksum=False).compress


class RecordDecoder:
    """Reads records through one connection; not for use by several threads at a time.

    `known` may be shared by all connections to a file: the same record comes again as the same object.
    """

    def __init__(self, connection: apsw.Connection, known: Known | None = None) -> None:
        self._connection = connection
        self._known = known or Remembered(REMEMBERED)
        self._by_dictionary: dict[int, Callable[[bytes], bytes]] = {}

    def decode(self, stored: bytes) -> EventRecord:
        known = self._known.find(stored)
        if known is None:
            known = record.decode(self.decompress(stored))
            self._known.keep(stored, known, 1)
        return known

    def decompress(self, stored: bytes) -> bytes:
        dictionary = zstandard.get_frame_parameters(stored).dict_id
        decompress = self._by_dictionary.get(dictionary)
        if decompress is None:
            decompress = self._by_dictionary[dictionary] = self._load(dictionary)
        return decompress(stored)

    def _load(self, dictionary: int) -> Callable[[bytes], bytes]:
        row = self._connection.execute("select content from dictionary where id = ?", (dictionary,)).fetchone()
        return zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(row[0]) if row else None).decompress
