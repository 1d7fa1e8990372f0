"""The log's one writer: batches of submissions in, receipts out, durable when they are answered."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import apsw

from catalog.errors import CorruptLogError, InvalidInputError, LogClosedError, LogFullError
from catalog.log import compression
from catalog.log.duplicates import DuplicateIndex, IdemKey, IdemRow
from catalog.log.entry import (
    SALT_BYTES,
    Receipt,
    Submission,
    commitment,
    decode_envelope,
    encode_envelope,
    format_timestamp,
)
from catalog.log.lock import WriterLock
from catalog.log.merkle import Frontier, leaf_hash
from catalog.log.nodes import stored_nodes
from catalog.log.reader import LogReader
from catalog.log.schema import connect_writer, rows

LOCK_FILE = "log.lock"
CHECKPOINT_PAGES = 4_000


class LogStore:
    """The log in a data directory, open for writing. For one thread at a time; see `LogWriter`.

    A batch is one transaction: all of it is in the log, or nothing. Opening takes the writer's lock and
    raises the epoch, so that a writer whose lock was lost in some way finds out before it writes again.
    """

    def __init__(self, directory: Path, lock: WriterLock, connection: apsw.Connection) -> None:
        self._directory, self._lock, self._connection = directory, lock, connection
        self._execute, self._executemany = connection.execute, connection.executemany
        self._failure: str | None = None
        self._wal_pages = 0
        self._leaves_traces = True  # what a killed process erased may still be in the write-ahead file
        connection.set_wal_hook(self._note_wal_pages)
        self._load()
        self._leave_no_traces()

    @classmethod
    def open(cls, directory: Path) -> "LogStore":
        """Open the log in `directory`, creating both. LogLockedError while another writer has it.

        InvalidInputError for a directory that cannot be written to, UnsupportedPlatformError for an SQLite that
        loses data, WrongLogError for another kind of file, CorruptLogError when the tree's edge does not agree
        with the entries.
        """
        try:
            _make_directory(directory)
            lock = WriterLock(directory / LOCK_FILE)
        except OSError as error:
            raise InvalidInputError(
                f"{directory} cannot be written to: {error.strerror}.",
                "Name another data folder, or make this one writable.",
            ) from error
        try:
            connection = connect_writer(directory)
            try:
                return cls(directory, lock, connection)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            lock.close()
            raise

    @property
    def size(self) -> int:
        return self._frontier.size

    def root(self) -> bytes:
        """The root over all entries."""
        return self._frontier.root()

    def close(self) -> None:
        """Move everything into the database file and release the lock; closing twice is harmless."""
        self._training.wait()
        try:
            self._connection.close()
        finally:
            self._lock.close()
        self._failure = self._failure or "it was closed"

    def __enter__(self) -> "LogStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, batch: Sequence[Submission], now_us: int) -> list[Receipt]:
        """Append a batch; one receipt each, in order. The entries are on disk when this returns.

        `now_us` are microseconds since 1970; entries never carry an earlier time than their predecessors. What a
        submission erases is gone in the same transaction, and from the write-ahead file when this returns, or as soon
        as no reader needs that any more.
        LogFullError: the disk is full and nothing was written; try again later. LogClosedError: the outcome
        is unknown (or another writer took over), and this store refuses further work.
        """
        if self._failure is not None:
            raise LogClosedError(f"the log takes no more entries: {self._failure}", "restart the server")
        if not batch:
            return []
        try:
            self._checkpoint_when_due()
            receipts = self._append_in_transaction(batch, now_us)
        except apsw.FullError as error:
            self._roll_back()
            raise LogFullError("the log's disk is full", "free some space; the log goes on by itself") from error
        except BaseException as error:
            # After a failed fsync the pages may or may not be on disk; trying again would not tell.
            self._failure = self._failure or f"a write failed: {error!r}"
            self._roll_back()
            if isinstance(error, LogClosedError | CorruptLogError) or not isinstance(error, Exception):
                raise
            raise LogClosedError(f"a write to the log failed: {error}", "restart the server") from error
        if any(submission.erases for submission in batch):
            self._leaves_traces = True
        self._leave_no_traces()
        self._train_when_due()
        return receipts

    def wait_for_training(self) -> None:
        """Return when no dictionary is being trained; the next batch uses one that has become ready."""
        self._training.wait()

    def _load(self) -> None:
        connection = self._connection
        self._execute("UPDATE log SET epoch = epoch + 1")
        self.origin, secret, self.epoch = rows(connection, "SELECT origin, secret, epoch FROM log")[0]
        self._duplicates = DuplicateIndex(connection, secret)
        last = rows(connection, "SELECT seq, leaf, envelope FROM entry ORDER BY seq DESC LIMIT 1")
        self._last_recorded, size = 0, 0
        for seq, leaf, envelope in last:
            if leaf_hash(envelope) != leaf:
                raise CorruptLogError(f"entry {seq} is altered", "restore the log from a backup")
            self._last_recorded, size = decode_envelope(seq, envelope).recorded, seq + 1
        self._frontier = Frontier.load(size, stored_nodes(connection))
        dictionaries = rows(connection, "SELECT id, bytes FROM dictionary ORDER BY id DESC LIMIT 1")
        self._compressor = compression.Compressor(*dictionaries[0]) if dictionaries else compression.Compressor()
        self._training = compression.Training()
        self._train_at = compression.TRAIN_AFTER

    def _append_in_transaction(self, batch: Sequence[Submission], now_us: int) -> list[Receipt]:
        keys = self._duplicates.keys(batch)
        self._execute("BEGIN IMMEDIATE")
        self._check_epoch()
        compressor = self._adopt_dictionary()
        known = self._duplicates.find(keys)
        recorded = max(now_us, self._last_recorded)
        frontier = self._frontier.copy()
        receipts = self._insert(batch, keys, known, format_timestamp(recorded), frontier, compressor)
        self._execute("COMMIT")
        self._frontier, self._last_recorded, self._compressor = frontier, recorded, compressor
        return receipts

    def _insert(
        self,
        batch: Sequence[Submission],
        keys: Sequence[IdemKey],
        known: dict[IdemKey, Receipt],
        timestamp: bytes,
        frontier: Frontier,
        compressor: compression.Compressor,
    ) -> list[Receipt]:
        """Insert what is not `known` yet, in one pass that makes the rows of every table."""
        entries: list[tuple[int, bytes, bytes]] = []
        bodies: list[tuple[int, bytes, int, bytes]] = []
        idem: list[IdemRow] = []
        erased: list[tuple[int, int]] = []
        leaves: list[bytes] = []
        receipts: list[Receipt] = []
        compress, dictionary, seq = compressor.compress, compressor.dictionary, frontier.size
        salts = os.urandom(SALT_BYTES * len(batch))
        for i, (submission, key) in enumerate(zip(batch, keys, strict=True)):
            duplicate = known.get(key)
            if duplicate is not None:
                receipts.append(duplicate)
                continue
            salt = salts[i * SALT_BYTES : (i + 1) * SALT_BYTES]
            commit = commitment(salt, submission.body)
            envelope = encode_envelope(submission, seq, timestamp, key[1], commit)
            leaf = leaf_hash(envelope)
            leaves.append(leaf)
            entries.append((seq, leaf, envelope))
            bodies.append((seq, salt, dictionary, compress(submission.body)))
            idem.append((*key, seq))
            erased += ((each, seq) for each in submission.erases)
            receipts.append(Receipt(seq, leaf, False))
            known[key] = Receipt(seq, leaf, True)
            seq += 1
        self._executemany("INSERT INTO entry VALUES (?, ?, ?)", entries)
        self._executemany("INSERT INTO body VALUES (?, ?, ?, ?)", bodies)
        self._executemany("DELETE FROM body WHERE seq = ? AND seq < ?", erased)
        self._executemany("INSERT INTO idem VALUES (?, ?, ?)", idem)
        self._executemany("INSERT INTO node VALUES (?, ?, ?)", frontier.extend(leaves))
        return receipts

    def _check_epoch(self) -> None:
        if rows(self._connection, "SELECT epoch FROM log")[0][0] != self.epoch:
            raise LogClosedError("another writer has taken over the log", "run one server on a data directory")

    def _adopt_dictionary(self) -> compression.Compressor:
        """The compressor for this transaction; a dictionary that became ready is stored by it."""
        content = self._training.take()
        if content is None:
            return self._compressor
        if not content:
            self._train_at = 2 * self.size
            return self._compressor
        number = self._compressor.dictionary + 1
        self._execute("INSERT INTO dictionary VALUES (?, ?, ?)", (number, compression.digest(content), content))
        return compression.Compressor(number, content)

    def _train_when_due(self) -> None:
        due = self._compressor.dictionary == compression.NO_DICTIONARY and self.size >= self._train_at
        if due and not self._training.running:
            directory, count = self._directory, min(self._train_at, 4 * compression.TRAIN_AFTER)
            self._training.start(lambda: _first_bodies(directory, count))

    def _note_wal_pages(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    def _checkpoint_when_due(self) -> None:
        """Between batches rather than inside a commit, where SQLite would swallow a failure."""
        if self._wal_pages < CHECKPOINT_PAGES:
            return
        self._wal_pages = 0
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        except (apsw.BusyError, apsw.LockedError, apsw.FullError):
            return  # the log goes on in the write-ahead file

    def _leave_no_traces(self) -> None:
        """Empty the write-ahead file, which holds pages as they were before an erasure; later, where readers use it."""
        if not self._leaves_traces:
            return
        try:
            self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except (apsw.BusyError, apsw.LockedError, apsw.FullError):
            return
        self._leaves_traces = False
        self._wal_pages = 0

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
        except apsw.Error as error:
            self._failure = self._failure or f"a rollback failed: {error!r}"


def _first_bodies(directory: Path, count: int) -> Iterable[bytes]:
    with LogReader.open(directory) as reader:
        for seq in range(0, count, compression.TRAIN_ON_EVERY):
            body = reader.entry(seq).body
            if body is not None:
                yield body


def _make_directory(directory: Path) -> None:
    """Create the directory for its owner alone, itself durable."""
    if directory.is_dir():
        return
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    parent = os.open(directory.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
