"""A disk without space, one that is read-only, and a folder that somebody else writes."""

import shutil
from pathlib import Path

import httpx
import pytest

from catalog.errors import InvalidInputError
from catalog.log.store import LOCK_FILE, LogStore
from tests.end_to_end.server_process import eventually, lineward
from tests.end_to_end.story import LINEAGE, MODEL, REGISTRY, event, names, story
from tests.faults.conftest import Counted
from tests.faults.small_disk import on_read_only_disk, require_mounts, serving_on_small_disk
from tests.faults.tier import tiers

QUESTION = {"namespace": REGISTRY, "model": "churn", "version": "1", "environment": "production"}


@tiers("rounds", 1, 4)
def test_a_full_disk_refuses_events_and_recovers_by_itself(tmp_path: Path, counted: Counted, rounds: int) -> None:
    """F4: 503 and unready; reads and the gate answer, never ALLOW; with space again all goes on, without a restart."""
    require_mounts(tmp_path)
    refused = 0
    with serving_on_small_disk(tmp_path, "96m") as (server, disk):
        server.record(*story())
        server.await_projection()
        for each in range(rounds):
            size = server.ready()["log"]["size"]
            disk.fill()
            waiting = [event(100 * each + number + 50, "x" * 3_000, "12:00:00", "START") for number in range(20)]
            answers = [server.post(one) for one in waiting]
            # What the write-ahead file has room for is taken; what is refused says so, and when to come back.
            assert {answer.status_code for answer in answers} <= {201, 503}
            taken = [answer.status_code for answer in answers].count(201)
            assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 503)
            refused += len(answers) - taken
            assert server.get("/readyz").status_code == 503
            assert server.get("/livez").status_code == 200
            assert names(server.ask(LINEAGE, of=MODEL)["lineage"]) >= {"churn", "raw"}
            ruled = httpx.post(f"{server.url}/api/v1/gate/decisions", json=QUESTION, timeout=60).json()
            assert (ruled["state"], ruled["allow"]) == ("INDETERMINATE", False)
            disk.leave_space()
            eventually(lambda: server.get("/readyz").status_code == 200, "ready state")
            again = server.record(*waiting)
            assert sum(answer["duplicate"] for answer in again) == taken
            assert server.await_projection() >= size + len(waiting)
        assert refused > 0
        shutil.copytree(disk.seen / "data", tmp_path / "copy")
        verified = lineward("verify", tmp_path / "copy")
        assert verified.returncode == 0, verified.stderr
        assert server.stop() == 0
    counted("times a disk was full", rounds)
    counted("events refused and taken later", refused)


def test_a_disk_that_is_read_only_is_told_in_two_lines(tmp_path: Path) -> None:
    """F5: nothing is served from a folder that cannot be written, and the message says what to do."""
    require_mounts(tmp_path)
    done = on_read_only_disk(tmp_path, "serve", "--port", "0")
    assert done.returncode == 2
    assert "cannot be written to: Read-only file system" in done.stderr
    assert "Name another data folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_in_the_place_of_the_lock_is_told(tmp_path: Path) -> None:
    """F5: as whoever may write everything, too, a lock that cannot be had opens nothing."""
    (tmp_path / LOCK_FILE).mkdir()
    with pytest.raises(InvalidInputError, match="cannot be written to"):
        LogStore.open(tmp_path)
