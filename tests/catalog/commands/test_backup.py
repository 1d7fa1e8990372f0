"""Backups: taken beside a writer, whole or not at all, and put back only where every byte is as it was."""

import json
import shutil
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import apsw
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import CorruptLogError
from catalog.log import audit
from catalog.log.backup import IncompleteBackupError, restore, take
from catalog.log.entry import EntryType, Submission
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.log.writer import LogWriter
from tests.catalog.commands.conftest import OTHER, Lineward, training, write_log
from tests.end_to_end.server_process import eventually, lineward, serving

SECRETS = ("checkpoint-key.pem", "key.pepper", "signing-key.pem")
PUBLISHED = ("checkpoint", "checkpoint-key.vkey", "signing-key.pub.pem")


def everything(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def manifest(backup: Path) -> Any:
    return json.loads((backup / "manifest.json").read_text())


def rewrite(backup: Path, **changed: Any) -> None:
    """Change the manifest, and make its digests those of the files as they are."""
    told = manifest(backup) | changed
    for file in told["files"]:
        content = (backup / file["name"]).read_bytes()
        file |= {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    (backup / "manifest.json").write_text(json.dumps(told))


@pytest.fixture
def backup(folder: Path, tmp_path: Path) -> Path:
    take(folder, tmp_path / "backup")
    return tmp_path / "backup"


# Taking ------------------------------------------------------------------------------------------------------------


def test_a_backup_names_the_size_and_root_that_the_log_has(lineward: Lineward, folder: Path, tmp_path: Path) -> None:
    done = lineward("backup", tmp_path / "backup", "--data", folder)
    assert done.exit_code == 0, done.stderr
    with LogReader.open(folder) as log:
        told = manifest(tmp_path / "backup")
        assert (told["origin"], told["size"], told["root"]) == (log.origin, 2, log.root().hex())
    assert f"root   2:{told['root']}" in done.stdout
    assert done.stderr == ""


def test_backups_taken_while_entries_arrive_hold_each_a_state_that_the_log_had(tmp_path: Path) -> None:
    data, stop = tmp_path / "data", threading.Event()
    with LogStore.open(data) as store, LogWriter(store) as writer, LogReader.open(data) as log:

        def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                body = b'{"n": %d}' % number
                writer.submit(Submission(EntryType.OPENLINEAGE, "ann", body, body)).result()

        writing = threading.Thread(target=write)
        writing.start()
        try:
            for number in range(4):
                before = log.size()
                eventually(lambda before=before: log.size() > before + 50, "more entries")  # type: ignore[misc]
                least = log.size()
                made = take(data, tmp_path / f"backup{number}")
                assert least <= made.size <= log.size()
                assert made.root == log.root(made.size).hex()
                _, report = restore(tmp_path / f"backup{number}", tmp_path / f"restored{number}")
                assert report.size == made.size
        finally:
            stop.set()
            writing.join()


def test_a_server_goes_on_while_it_is_backed_up_and_the_copy_serves(tmp_path: Path) -> None:
    stop, posted = threading.Event(), []
    with serving(tmp_path / "data") as server:

        def send() -> None:
            with httpx.Client() as client:
                for event in (event for n in range(10_000) for event in training(f"{n:08x}{OTHER[8:]}", "r", str(n))):
                    if stop.is_set():
                        return
                    posted.append(client.post(f"{server.url}/api/v1/lineage", json=event).status_code)

        sending = threading.Thread(target=send)
        sending.start()
        eventually(lambda: len(posted) > 20, "events")
        done = lineward("backup", tmp_path / "backup", data=str(tmp_path / "data"))
        acknowledged = len(posted)
        eventually(lambda: len(posted) > acknowledged, "events after the backup")
        stop.set()
        sending.join()
        assert done.returncode == 0, done.stderr
        assert set(posted) == {201}
    done = lineward("restore", tmp_path / "backup", tmp_path / "restored")
    assert done.returncode == 0, done.stderr
    with serving(tmp_path / "restored") as server:
        assert server.ready()["log"]["size"] >= manifest(tmp_path / "backup")["size"] > 20


def test_secret_keys_are_copied_only_where_that_is_asked_for(lineward: Lineward, folder: Path, tmp_path: Path) -> None:
    for name in (*SECRETS, *PUBLISHED):
        (folder / name).write_text(f"content of {name}")
    (folder / "graph.db").write_text("a projection")
    without = lineward("backup", tmp_path / "without", "--data", folder)
    assert set(everything(tmp_path / "without")) == {"log.db", "manifest.json", *PUBLISHED}
    assert "key.pepper" in without.stderr
    assert manifest(tmp_path / "without")["leftOut"] == list(SECRETS)
    with_keys = lineward("backup", tmp_path / "with", "--data", folder, "--with-keys")
    assert set(everything(tmp_path / "with")) == {"log.db", "manifest.json", *PUBLISHED, *SECRETS}
    assert with_keys.stderr == ""
    done = lineward("restore", tmp_path / "without", tmp_path / "restored")
    assert "Put them back" in done.stderr


def test_what_was_erased_is_not_in_a_later_backup(folder: Path, tmp_path: Path) -> None:
    write_log(folder, training(OTHER, "registry", "the-erased-version"))
    connection = apsw.Connection(str(folder / "log.db"))
    connection.pragma("secure_delete", True)
    ((salt,),) = connection.execute("SELECT salt FROM body WHERE seq = 3").fetchall()
    connection.execute("DELETE FROM body WHERE seq = 3")
    connection.close()
    take(folder, tmp_path / "backup")
    assert isinstance(salt, bytes)
    assert salt not in (tmp_path / "backup" / "log.db").read_bytes()
    _, report = restore(tmp_path / "backup", tmp_path / "restored")
    assert report.erased == 1


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_a_backup_never_replaces_anything(lineward: Lineward, folder: Path, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "target"
    if kind == "folder":
        target.mkdir()
        (target / "mine").write_text("precious")
    elif kind == "file":
        target.write_text("precious")
    else:
        target.symlink_to(tmp_path / "elsewhere")
    before = sorted(tmp_path.iterdir())
    assert lineward("backup", target, "--data", folder).exit_code == 2
    assert sorted(tmp_path.iterdir()) == before
    assert kind == "link" or "precious" in {path.read_text() for path in (target, target / "mine") if path.is_file()}


def test_a_folder_without_a_log_makes_no_backup(lineward: Lineward, tmp_path: Path) -> None:
    assert lineward("backup", tmp_path / "backup", "--data", tmp_path / "nowhere").exit_code == 2
    assert not (tmp_path / "backup").exists()


def test_a_backup_that_cannot_be_written_leaves_nothing(
    lineward: Lineward, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("catalog.log.backup.os.fsync", full)
    before = sorted(tmp_path.iterdir())
    done = lineward("backup", tmp_path / "backup", "--data", folder)
    assert done.exit_code == 3
    assert "No space left" in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_a_backup_is_for_its_owner_alone(backup: Path) -> None:
    assert {path.stat().st_mode & 0o077 for path in (backup, *backup.iterdir())} == {0}


# Putting back ------------------------------------------------------------------------------------------------------


def test_a_restored_folder_has_the_same_log_and_goes_on(lineward: Lineward, folder: Path, tmp_path: Path) -> None:
    lineward("backup", tmp_path / "backup", "--data", folder)
    assert lineward("restore", tmp_path / "backup", tmp_path / "restored").exit_code == 0
    with LogReader.open(folder) as old, LogReader.open(tmp_path / "restored") as new:
        assert (old.origin, old.root()) == (new.origin, new.root())
        assert old.entries(0, 10) == new.entries(0, 10)
    write_log(tmp_path / "restored", training(OTHER, "registry", "2"))
    with LogReader.open(tmp_path / "restored") as new:
        assert audit.check(new).size == 4


def test_a_root_kept_elsewhere_tells_an_old_backup(lineward: Lineward, folder: Path, tmp_path: Path) -> None:
    lineward("backup", tmp_path / "backup", "--data", folder)
    write_log(folder, training(OTHER, "registry", "2"))
    with LogReader.open(folder) as log:
        root = f"{log.size()}:{log.root().hex()}"
        earlier = f"1:{log.root(1).hex()}"
    done = lineward("restore", tmp_path / "backup", tmp_path / "restored", "--root", root)
    assert done.exit_code == 1
    assert "once had 4" in done.stderr
    assert not (tmp_path / "restored").exists()
    assert lineward("restore", tmp_path / "backup", tmp_path / "restored", "--root", earlier).exit_code == 0


@pytest.mark.parametrize("root", ["2", "2:zz", "x:" + "0" * 64, "-1:" + "0" * 64])
def test_what_is_no_root_is_refused(lineward: Lineward, backup: Path, tmp_path: Path, root: str) -> None:
    assert lineward("restore", backup, tmp_path / "restored", "--root", root).exit_code == 2


def _flip(backup: Path) -> None:
    path = backup / "log.db"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _truncate(backup: Path) -> None:
    path = backup / "log.db"
    path.write_bytes(path.read_bytes()[:-4096])


def _altered_body(backup: Path) -> None:
    """By somebody who also makes the digests right."""
    connection = apsw.Connection(str(backup / "log.db"))
    connection.execute("DROP TRIGGER body_UPDATE")
    connection.execute("UPDATE body SET compressed = (SELECT compressed FROM body WHERE seq = 1) WHERE seq = 0")
    connection.close()
    rewrite(backup)


def _shorter_log(backup: Path) -> None:
    connection = apsw.Connection(str(backup / "log.db"))
    connection.execute("DROP TRIGGER entry_DELETE; DROP TRIGGER idem_DELETE; DROP TRIGGER node_DELETE")
    for table in ("entry", "body", "idem"):
        connection.execute(f"DELETE FROM {table} WHERE seq = 1")
    connection.execute("DELETE FROM node WHERE (idx + 1) << level > 1")
    connection.close()
    rewrite(backup)


def _another_log(backup: Path) -> None:
    write_log(backup.parent / "another", training(OTHER, "registry", "1"))
    with LogStore.open(backup.parent / "another"):
        pass
    shutil.copyfile(backup.parent / "another" / "log.db", backup / "log.db")
    rewrite(backup)


@pytest.mark.parametrize("change", [_flip, _truncate, _altered_body, _shorter_log, _another_log])
def test_a_backup_that_was_changed_is_refused_with_1(
    lineward: Lineward, backup: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    change(backup)
    done = lineward("restore", backup, tmp_path / "restored")
    assert done.exit_code == 1, done.stderr
    assert not (tmp_path / "restored").exists()
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(("told", "code"), [({"root": "0" * 64}, 1), ({"size": 3}, 1), ({"origin": "x/y"}, 1)])
def test_a_manifest_that_says_something_else_is_refused(
    lineward: Lineward, backup: Path, tmp_path: Path, told: dict[str, Any], code: int
) -> None:
    rewrite(backup, **told)
    assert lineward("restore", backup, tmp_path / "restored").exit_code == code


@pytest.mark.parametrize(
    "told",
    [
        {"format": "lineward/backup/2"},
        {"root": "0" * 63},
        {"size": -1},
        {"more": 1},
        {"files": []},
        {"files": [{"name": "../log.db", "bytes": 1, "sha256": "0" * 64}]},
        {"files": [{"name": "log.db", "bytes": 1, "sha256": "0" * 64}] * 2},
    ],
    ids=str,
)
def test_what_is_no_manifest_is_refused_with_2(
    lineward: Lineward, backup: Path, tmp_path: Path, told: dict[str, Any]
) -> None:
    (backup / "manifest.json").write_text(json.dumps(manifest(backup) | told))
    assert lineward("restore", backup, tmp_path / "restored").exit_code == 2


@pytest.mark.parametrize("name", ["log.db", "manifest.json"])
def test_a_backup_with_a_file_missing_is_incomplete(
    lineward: Lineward, backup: Path, tmp_path: Path, name: str
) -> None:
    (backup / name).unlink()
    done = lineward("restore", backup, tmp_path / "restored")
    assert done.exit_code == 3
    with pytest.raises(IncompleteBackupError):
        restore(backup, tmp_path / "restored")


def test_nothing_is_restored_over_a_data_folder(lineward: Lineward, backup: Path, folder: Path) -> None:
    before = everything(folder)
    assert lineward("restore", backup, folder).exit_code == 2
    assert everything(folder) == before


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("taken")
    write_log(root / "data", training(OTHER, "registry", "1"))
    take(root / "data", root / "backup")
    return root / "backup"


@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(max_examples=40, deadline=None)
def test_any_bit_of_the_log_counts(
    taken: Path, tmp_path_factory: pytest.TempPathFactory, position: float, bit: int
) -> None:
    changed = tmp_path_factory.mktemp("changed") / "backup"
    shutil.copytree(taken, changed)
    content = bytearray((changed / "log.db").read_bytes())
    content[int(position * len(content))] ^= 1 << bit
    (changed / "log.db").write_bytes(content)
    with pytest.raises(CorruptLogError):
        restore(changed, changed.parent / "restored")
