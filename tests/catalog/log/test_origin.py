"""A log that goes on under a new origin: everything is there, in its order, behind an entry that says why."""

import json
from pathlib import Path

import apsw
import pytest

from catalog.errors import CorruptLogError, InvalidInputError
from catalog.log import audit
from catalog.log.checkpoint_log import FILE as SIGNED
from catalog.log.checkpoint_settings import checkpoint_log
from catalog.log.entry import EntryType, Submission
from catalog.log.lock import LogLockedError
from catalog.log.origin import succeed
from catalog.log.reader import LogReader
from catalog.log.schema import FILE
from catalog.log.store import LogStore

SIZE = 600
NOW = 1_764_000_000_000_000


def submission(i: int) -> Submission:
    return Submission(EntryType.OPENLINEAGE, "ann", b"%d" % i, b'{"n": %d}' % i, event_time=i * 1000)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "old"
    with LogStore.open(folder) as store:
        for start in range(0, SIZE, 200):
            store.append([submission(i) for i in range(start, start + 200)], NOW + start)
    return folder


def moved(old: Path, new: Path) -> LogReader:
    succeed(old, new, actor="ops", reason="the disk was lost", now_us=NOW + 10**9)
    return LogReader.open(new)


def test_the_first_entry_names_the_predecessor(old: Path, tmp_path: Path) -> None:
    with LogReader.open(old) as before, moved(old, tmp_path / "new") as after:
        first = after.entry(0)
        assert (first.type, first.actor) == (EntryType.CONFIG, "ops")
        told = json.loads(first.body or b"")
        assert told["act"] == "succeed"
        assert told["reason"] == "the disk was lost"
        assert told["predecessor"] == {"origin": before.origin, "size": SIZE, "root": before.root().hex()}
        assert after.origin != before.origin


def test_what_the_predecessor_had_signed_is_told(old: Path, tmp_path: Path) -> None:
    with LogReader.open(old) as log:
        note = str(checkpoint_log(old, log, lambda _said: None).current().note)
    assert (old / SIGNED).read_text() == note
    with moved(old, tmp_path / "new") as after:
        assert json.loads(after.entry(0).body or b"")["predecessor"]["signed"] == note
        assert not (tmp_path / "new" / SIGNED).exists()
        assert checkpoint_log(tmp_path / "new", after, lambda _said: None).current().checkpoint.size == SIZE + 1


def test_every_entry_follows_one_place_on(old: Path, tmp_path: Path) -> None:
    with LogReader.open(old) as before, moved(old, tmp_path / "new") as after:
        assert audit.check(after).size == SIZE + 1
        pairs = zip(before.entries(0, SIZE), after.entries(1, SIZE), strict=True)
        for was, now in pairs:
            assert now.seq == was.seq + 1
            assert (now.recorded, now.type, now.actor, now.body) == (was.recorded, was.type, was.actor, was.body)


def test_clients_that_send_again_are_recognised(old: Path, tmp_path: Path) -> None:
    moved(old, tmp_path / "new").close()
    with LogStore.open(tmp_path / "new") as store:
        receipts = store.append([submission(7), submission(SIZE)], NOW + 2 * 10**9)
    assert [(each.seq, each.duplicate) for each in receipts] == [(8, True), (SIZE + 1, False)]


def test_what_was_erased_stays_so(old: Path, tmp_path: Path) -> None:
    connection = apsw.Connection(str(old / FILE))
    connection.execute("DELETE FROM body WHERE seq = 3")
    connection.close()
    with moved(old, tmp_path / "new") as after:
        assert audit.check(after).unexplained == (4,)


def test_an_empty_log_has_a_successor_too(tmp_path: Path) -> None:
    LogStore.open(tmp_path / "old").close()
    with moved(tmp_path / "old", tmp_path / "new") as after:
        assert after.size() == 1


def test_a_folder_in_use_is_left_alone(old: Path, tmp_path: Path) -> None:
    with LogStore.open(old), pytest.raises(LogLockedError):
        moved(old, tmp_path / "new")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "something").touch()
    with pytest.raises(InvalidInputError, match="holds something"):
        moved(old, tmp_path / "new")


def test_a_log_that_is_wrong_has_no_successor(old: Path, tmp_path: Path) -> None:
    connection = apsw.Connection(str(old / FILE))
    connection.execute("DROP TRIGGER entry_DELETE")
    connection.execute("DELETE FROM entry WHERE seq = 3")
    connection.close()
    with pytest.raises(CorruptLogError, match="entry 3"):
        moved(old, tmp_path / "new")
    assert [each.name for each in tmp_path.iterdir()] == ["old"]
