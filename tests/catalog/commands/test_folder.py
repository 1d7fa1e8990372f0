"""Commands about a data folder: rebuild, verify, doctor."""

from pathlib import Path

import apsw
import pytest

from catalog.commands.findings import Level, machine_findings, server_findings
from catalog.composition import GRAPH_FILE, open_data
from catalog.graph.digest import digest
from catalog.log.reader import LogReader
from catalog.settings import Settings
from tests.catalog.commands.conftest import OTHER, PAST, Lineward, training, write_log
from tests.catalog.commands.test_cli import two_lines


def graph_digest(folder: Path) -> str:
    with open_data(Settings(data=folder)) as data:
        data.project()
        return digest(data.store)


def tamper(file: Path, statement: str) -> None:
    connection = apsw.Connection(str(file))
    for (trigger,) in connection.execute("select name from sqlite_schema where type = 'trigger'").fetchall():
        connection.execute(f"drop trigger {trigger}")
    connection.execute(statement)
    connection.close()


# rebuild -----------------------------------------------------------------------------------------------------


def test_a_rebuilt_graph_is_the_same_graph(lineward: Lineward, folder: Path) -> None:
    before = graph_digest(folder)
    done = lineward("rebuild", "--data", folder)
    assert (done.exit_code, done.stdout) == (0, "Projected 2 entries into sqlite.\n")
    assert graph_digest(folder) == before


def test_verify_proves_that_a_rebuild_is_equal(lineward: Lineward, folder: Path) -> None:
    write_log(folder, training(OTHER, "staging", "1"), PAST)
    done = lineward("rebuild", "--verify", "--data", folder)
    assert done.exit_code == 0
    assert done.stdout == f"The graph equals a projection of all 4 entries.\ndigest {graph_digest(folder)}\n"


def test_verify_notices_a_graph_that_is_not_what_the_log_says(lineward: Lineward, folder: Path) -> None:
    graph_digest(folder)
    tamper(folder / GRAPH_FILE, "delete from body")
    done = lineward("rebuild", "--verify", "--data", folder)
    assert done.exit_code == 1
    two_lines(done.stderr)
    assert lineward("rebuild", "--data", folder).exit_code == 0
    assert lineward("rebuild", "--verify", "--data", folder).exit_code == 0


# verify ------------------------------------------------------------------------------------------------------


def test_a_log_that_agrees_with_itself_and_with_known_roots(lineward: Lineward, folder: Path) -> None:
    with LogReader.open(folder) as log:
        roots = [f"{size}:{log.root(size).hex()}" for size in (1, 2)]
    done = lineward("verify", folder, "--root", roots[0], "--root", roots[1])
    assert done.exit_code == 0
    assert f"root   {roots[1]}" in done.stdout


def test_an_altered_entry_fails_and_is_named(lineward: Lineward, folder: Path) -> None:
    tamper(next(folder.glob("log*.db")), "update entry set leaf = zeroblob(32) where seq = 1")
    done = lineward("verify", folder)
    assert done.exit_code == 1
    what, remedy = two_lines(done.stderr)
    assert what.startswith("entry 1: ")
    assert "backup" in remedy


def test_a_log_that_was_rewritten_fails_against_a_root_kept_elsewhere(lineward: Lineward, folder: Path) -> None:
    assert lineward("verify", folder, "--root", f"1:{'00' * 32}").exit_code == 1
    assert lineward("verify", folder, "--root", f"9:{'00' * 32}").exit_code == 1


@pytest.mark.parametrize("root", ["1", "x:00", "1:zz"])
def test_what_is_no_root_is_a_usage_error(lineward: Lineward, folder: Path, root: str) -> None:
    assert lineward("verify", folder, "--root", root).exit_code == 2


def test_verify_of_no_log_is_a_usage_error(lineward: Lineward, tmp_path: Path) -> None:
    assert lineward("verify", tmp_path / "nowhere").exit_code == 2


# doctor ------------------------------------------------------------------------------------------------------


def levels(stdout: str) -> dict[str, str]:
    rows = [line.split(maxsplit=1) for line in stdout.splitlines() if line.split()[0] in set(Level)]
    return {subject.split("  ")[0].strip(): level for level, subject in rows}


def test_a_healthy_folder_is_all_well(lineward: Lineward, folder: Path) -> None:
    graph_digest(folder)
    done = lineward("doctor", "--data", folder, env={"COLUMNS": "300"})
    assert done.exit_code == 0
    found = levels(done.stdout)
    assert {found[subject] for subject in ("versions", "SQLite", "log", "graph")} == {"ok"}
    assert "2 entries projected" in done.stdout


def test_a_graph_that_is_not_there_is_a_warning_and_stays_so(lineward: Lineward, folder: Path) -> None:
    done = lineward("doctor", "--data", folder, env={"COLUMNS": "300"})
    assert (done.exit_code, levels(done.stdout)["graph"]) == (0, "warn")
    assert not (folder / GRAPH_FILE).exists()


def test_a_graph_that_lags_is_a_warning(lineward: Lineward, folder: Path) -> None:
    graph_digest(folder)
    write_log(folder, training(OTHER, "staging", "1"), PAST)
    done = lineward("doctor", "--data", folder, env={"COLUMNS": "300"})
    assert (done.exit_code, levels(done.stdout)["graph"]) == (0, "warn")
    assert "2 behind" in done.stdout


def test_a_folder_that_is_not_there_is_a_warning_and_stays_so(lineward: Lineward, tmp_path: Path) -> None:
    done = lineward("doctor", "--data", tmp_path / "new", env={"COLUMNS": "300"})
    assert (done.exit_code, levels(done.stdout)["data folder"]) == (0, "warn")
    assert not (tmp_path / "new").exists()


def test_a_broken_log_fails(lineward: Lineward, folder: Path) -> None:
    next(folder.glob("log*.db")).write_bytes(b"not a database" * 500)
    done = lineward("doctor", "--data", folder, env={"COLUMNS": "300"})
    assert done.exit_code == 1
    assert levels(done.stdout)["log"] == "fail"
    two_lines(done.stderr)


def test_a_graph_of_another_log_fails(lineward: Lineward, folder: Path, tmp_path: Path) -> None:
    write_log(tmp_path / "other", training(OTHER, "b", "1"))
    graph_digest(tmp_path / "other")
    for file in (tmp_path / "other").glob(f"{GRAPH_FILE}*"):
        file.rename(folder / file.name)
    done = lineward("doctor", "--data", folder, env={"COLUMNS": "300"})
    assert (done.exit_code, levels(done.stdout)["graph"]) == (1, "fail")


def test_every_finding_that_is_not_well_says_what_to_do() -> None:
    found = [*machine_findings(), *server_findings("http://127.0.0.1:1")]
    assert [finding.level for finding in found][-1] is Level.FAIL
    for finding in found:
        assert bool(finding.remedy) == (finding.level is not Level.OK)
