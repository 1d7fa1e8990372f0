"""Acts are found among any number of events, in a log with the index of them and in one from before it."""

from pathlib import Path

import apsw
import pytest

from catalog.log.entry import EntryType, Submission
from catalog.log.reader import LogReader
from catalog.log.schema import FILE
from catalog.log.store import LogStore

KINDS = [EntryType.OPENLINEAGE, EntryType.KEY, EntryType.OPENLINEAGE, EntryType.POLICY, EntryType.DECISION]
DECEIT = '","type":"key","x":"'  # an actor that would like to look like an act, or like no event


def written(folder: Path, rounds: int = 3) -> None:
    with LogStore.open(folder) as log:
        for number in range(rounds):
            bodies = [b'{"n":%d,"kind":"%b"}' % (number, kind.encode()) for kind in KINDS]
            actors = [DECEIT, '"type":"openlineage"', "x", "y", "z"]
            log.append(
                [Submission(k, a, b + a.encode(), b) for k, a, b in zip(KINDS, actors, bodies, strict=True)], number
            )


def without_index(folder: Path) -> None:
    connection = apsw.Connection(str(folder / FILE))
    connection.execute("DROP INDEX act")
    connection.close()


@pytest.fixture(params=["new", "old"])
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    written(tmp_path)
    if request.param == "old":
        without_index(tmp_path)
    return tmp_path


def test_only_entries_of_the_types_are_found_in_order(folder: Path) -> None:
    with LogReader.open(folder) as log:
        found = log.acts((EntryType.KEY, EntryType.POLICY), 0, 100)
        assert [(entry.seq, entry.type) for entry in found] == [
            (seq, kind) for seq, kind in enumerate(3 * KINDS) if kind in (EntryType.KEY, EntryType.POLICY)
        ]
        assert [entry.body for entry in found] == [log.entry(entry.seq).body for entry in found]


def test_a_page_begins_where_it_is_told_and_ends_in_time(folder: Path) -> None:
    with LogReader.open(folder) as log:
        assert [entry.seq for entry in log.acts((EntryType.KEY,), 2, 1)] == [6]
        assert [entry.seq for entry in log.acts((EntryType.KEY,), 2, 9)] == [6, 11]
        assert log.acts((EntryType.KEY,), 12, 9) == []


def test_an_old_log_gets_the_index_when_it_is_next_written(tmp_path: Path) -> None:
    written(tmp_path)
    without_index(tmp_path)
    written(tmp_path, 0)
    connection = apsw.Connection(str(tmp_path / FILE), flags=apsw.SQLITE_OPEN_READONLY)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'act'").fetchall() == [(1,)]
    connection.close()
