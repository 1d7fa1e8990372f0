"""`lineward doctor` on folders that are each wrong in one way: it says so, says what to do, and changes nothing."""

import json
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackagePath
from pathlib import Path

import pytest

from catalog.commands import findings, folder_findings
from catalog.commands.findings import Finding, Level, machine_findings
from catalog.commands.folder_findings import folder_findings as look_at
from catalog.composition import open_data
from catalog.log.checkpoint_key import PUBLIC
from catalog.log.checkpoint_log import FILE as SIGNED
from catalog.log.checkpoint_settings import checkpoint_log
from catalog.log.entry import EntryType, Submission
from catalog.log.note import VerifierKey
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.settings import Settings
from ingest.intake import Intake
from tests.catalog.commands.conftest import OTHER, RECEIVED, TRAIN, Lineward, training, write_log

EVENT = json.dumps(training(OTHER, "registry", "2")[0]).encode()
Usage = namedtuple("Usage", "total used free")


def found(folder: Path, subject: str, **more: object) -> list[Finding]:
    """What is said of a subject, good or bad."""
    settings = Settings.model_validate({"data": folder} | more)
    return [each for each in look_at(settings) if each.subject == subject]


def one(folder: Path, subject: str, **more: object) -> Finding:
    (finding,) = found(folder, subject, **more)
    return finding


def amiss(folder: Path) -> set[str]:
    return {each.subject for each in look_at(Settings(data=folder)) if each.level is not Level.OK}


@pytest.fixture(autouse=True)
def _later(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the entries of the folder were taken."""
    if "ahead" not in request.fixturenames:
        monkeypatch.setattr(folder_findings, "microseconds_now", lambda: RECEIVED + 3_600_000_000)


@pytest.fixture
def projected(folder: Path) -> Path:
    with open_data(Settings(data=folder)) as opened:
        opened.project()
    return folder


@contextmanager
def written_by(folder: Path) -> Iterator[int]:
    """The log is being written by another process; its id."""
    code = (
        "import sys; from pathlib import Path; from catalog.log.store import LogStore\n"
        "with LogStore.open(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.communicate()


def test_nothing_is_amiss_with_a_folder_that_is_well(lineward: Lineward, projected: Path) -> None:
    assert amiss(projected) == set()
    done = lineward("doctor", "--data", projected)
    assert (done.exit_code, done.stderr) == (0, "")


def test_whatever_is_amiss_comes_with_a_remedy(lineward: Lineward, folder: Path) -> None:
    folder.chmod(0o755)
    told = list(look_at(Settings(data=folder)))
    assert {each.level for each in told} == {Level.OK, Level.WARN}
    assert all(bool(each.remedy) == (each.level is not Level.OK) for each in told)


def test_looking_changes_neither_keys_nor_log(folder: Path) -> None:
    names = ("log.db", "log.lock")
    before = {name: (folder / name).read_bytes() for name in names}
    list(look_at(Settings(data=folder)))
    assert {name: (folder / name).read_bytes() for name in names} == before
    assert {path.suffix for path in folder.iterdir()}.isdisjoint({".pem", ".pepper", ".vkey"})


def test_a_lost_pepper_fails(lineward: Lineward, folder: Path) -> None:
    assert lineward("keys", "create", "--bootstrap", "--owner", "ann@example.org", "--data", folder).exit_code == 0
    assert one(folder, "API keys").level is Level.OK
    pepper = (folder / "key.pepper").read_text()
    (folder / "key.pepper").unlink()
    lost = one(folder, "API keys")
    assert lost.level is Level.FAIL
    assert "LINEWARD_KEY_PEPPER" in lost.remedy
    assert one(folder, "API keys", key_pepper=pepper).level is Level.OK
    done = lineward("doctor", "--data", folder)
    assert (done.exit_code, "API keys" in done.stderr) == (1, True)


def test_a_folder_without_keys_needs_no_pepper(folder: Path) -> None:
    assert found(folder, "API keys") == []


@pytest.mark.parametrize("name", ["signing-key.pem", "checkpoint-key.pem"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n", b"\xff\xfe"], ids=repr)
def test_a_key_that_is_none_fails(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    (folder / name).chmod(0o600)
    assert one(folder, name.removesuffix("-key.pem") + " key").level is Level.FAIL


def test_a_key_that_others_may_read_is_told(folder: Path) -> None:
    (folder / "key.pepper").write_text("0" * 64)
    (folder / "key.pepper").chmod(0o644)
    assert one(folder, "key.pepper").level is Level.WARN
    (folder / "key.pepper").chmod(0o600)
    assert found(folder, "key.pepper") == []


def test_the_configured_signing_key_is_the_one_that_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEWARD_SIGNING_KEY_FILE", str(folder / "nowhere.pem"))
    missing = one(folder, "signing key")
    assert (missing.level, "nowhere.pem" in missing.fact) == (Level.FAIL, True)


def test_a_graph_that_is_behind_is_told(projected: Path) -> None:
    write_log(projected, training(OTHER, "registry", "2"))
    behind = one(projected, "graph")
    assert (behind.level, "2 behind" in behind.fact) == (Level.WARN, True)


def test_a_graph_of_another_log_fails(projected: Path, tmp_path: Path) -> None:
    write_log(tmp_path / "other", training(TRAIN, "registry", "1"))
    shutil.copyfile(projected / "graph.db", tmp_path / "other" / "graph.db")
    assert one(tmp_path / "other", "graph").level is Level.FAIL


def test_a_graph_that_is_ahead_of_a_log_that_was_put_back_fails(projected: Path, tmp_path: Path) -> None:
    shutil.copytree(projected, tmp_path / "old")
    write_log(projected, training(OTHER, "registry", "2"))
    with open_data(Settings(data=projected)) as opened:
        opened.project()
    shutil.copyfile(projected / "graph.db", tmp_path / "old" / "graph.db")
    ahead = one(tmp_path / "old", "graph")
    assert (ahead.level, "rebuild" in ahead.remedy) == (Level.FAIL, True)


@pytest.mark.parametrize("how", ["version", "rules"])
def test_a_graph_of_an_earlier_projection_is_told(projected: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    rules: dict[str, object] = {}
    if how == "version":
        monkeypatch.setattr("catalog.projector.PROJECTION", 1_000_000)
    else:
        rules = {"model_namespaces": frozenset({"registry"})}
    old = one(projected, "graph", **rules)
    assert (old.level, "projected by another version" in old.fact) == (Level.WARN, True)


def test_a_graph_that_was_never_made_is_told(folder: Path) -> None:
    assert one(folder, "graph").level is Level.WARN


@pytest.mark.parametrize(
    ("free", "level"), [(50 << 30, Level.OK), (9 << 30, Level.WARN), (10 << 20, Level.FAIL)], ids=str
)
def test_a_disk_that_fills_up_is_told_in_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 << 30, (100 << 30) - free, free))
    assert one(folder, "disk").level is level


@pytest.mark.parametrize(("ahead", "level"), [(-60, Level.OK), (60, Level.WARN), (3_600, Level.FAIL)])
def test_a_clock_that_is_behind_the_log_is_told(tmp_path: Path, ahead: int, level: Level) -> None:
    at = (time.time_ns() // 1_000) + ahead * 1_000_000
    with LogStore.open(tmp_path) as log:
        log.append([Intake().submission(EVENT, "local", "file")], at)
    clock = one(tmp_path, "clock")
    assert (clock.level, bool(clock.remedy)) == (level, level is not Level.OK)


def test_another_writer_is_named(folder: Path) -> None:
    assert "nobody" in one(folder, "writer").fact
    with written_by(folder) as pid:
        writer = one(folder, "writer")
        assert (writer.level, f"process {pid} " in writer.fact) == (Level.OK, True)


def test_a_writer_in_another_container_is_told(folder: Path) -> None:
    with written_by(folder):
        (folder / "log.lock").write_text("4194304999\n")
        hidden = one(folder, "writer")
        assert (hidden.level, "4194304999" in hidden.fact) == (Level.WARN, True)


def test_a_write_ahead_file_that_only_grows_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_findings, "LONG_WAL", 10)
    with LogStore.open(folder) as log:
        log.append([Intake().submission(EVENT, "local", "file")], 2_000_000_000_000_000)
        assert one(folder, "write-ahead file").level is Level.WARN


def test_a_folder_that_others_may_open_is_told(folder: Path) -> None:
    folder.chmod(0o750)
    assert {each.level for each in found(folder, "data folder")} == {Level.OK, Level.WARN}


def test_a_remote_file_system_fails(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = f"/dev/sda1 / ext4 rw 0 0\nserver:/export {folder.parent} nfs4 rw 0 0\n"
    read_text: Callable[..., str] = Path.read_text

    def reading(path: Path, *more: object, **named: object) -> str:
        return mounts if str(path) == "/proc/self/mounts" else read_text(path, *more, **named)

    monkeypatch.setattr(Path, "read_text", reading)
    assert one(folder, "file system").level is Level.FAIL


def test_a_log_that_is_damaged_fails(folder: Path) -> None:
    (folder / "log.db").write_bytes(b"no database at all" * 300)
    for name in ("log.db-wal", "log.db-shm"):
        (folder / name).unlink(missing_ok=True)
    assert one(folder, "log").level is Level.FAIL


def test_files_that_an_installation_lost_fail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Installed(PackagePath):
        def locate(self) -> Path:
            return tmp_path / self

    page = Installed("pages", "index.html")
    monkeypatch.setattr(findings, "files", lambda _: [page])
    told = {each.subject: each for each in machine_findings()}["installation"]
    assert (told.level, "index.html" in told.fact) == (Level.FAIL, True)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.html").touch()
    told = {each.subject: each for each in machine_findings()}["installation"]
    assert told.level is Level.OK


def test_a_server_that_does_not_answer_fails(lineward: Lineward, projected: Path) -> None:
    done = lineward("doctor", "--data", projected, "--url", "http://127.0.0.1:9")
    assert (done.exit_code, "server" in done.stderr) == (1, True)


def test_a_log_that_continues_its_checkpoint_is_named_with_its_key(folder: Path) -> None:
    with LogReader.open(folder) as log:
        key = sign(folder, log)
    finding = one(folder, "checkpoints")
    assert finding.level is Level.OK
    assert str(key) in finding.fact


def test_a_log_behind_its_checkpoint_is_found(folder: Path, tmp_path: Path) -> None:
    early = tmp_path / "early"
    shutil.copytree(folder, early)
    with LogStore.open(folder) as store:
        store.append([Submission(EntryType.CONFIG, "ann", b"1", b"{}")], RECEIVED)
    with LogReader.open(folder) as log:
        sign(folder, log)
    for name in (SIGNED, PUBLIC):
        shutil.copy(folder / name, early / name)
    before = {path: path.read_bytes() for path in early.iterdir() if path.suffix != ".lock"}
    finding = one(early, "checkpoints")
    assert (finding.level, "does not continue" in finding.fact) == (Level.FAIL, True)
    assert "new-origin" in finding.remedy
    assert {path: path.read_bytes() for path in before} == before


def sign(folder: Path, log: LogReader) -> VerifierKey:
    signing = checkpoint_log(folder, log, lambda _told: None)
    signing.current()
    return signing.key
