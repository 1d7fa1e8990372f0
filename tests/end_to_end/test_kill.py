"""Killed at random moments under load: what was acknowledged is there, once, and the graph follows."""

import os
import random
import signal
import time
from pathlib import Path

from tests.end_to_end.senders import Senders
from tests.end_to_end.server_process import ServerProcess, alive, eventually, lineward, serving

ROUNDS = 8
MOMENTS = (0.0, 0.3)  # seconds after the first acknowledgement


def test_a_killed_server_keeps_each_acknowledged_event_once_and_takes_its_projector_along(tmp_path: Path) -> None:
    data, senders = tmp_path / "data", Senders(6)
    for _ in range(ROUNDS):
        with serving(data) as server:
            projector = projector_of(server)
            with senders.sending(server):
                senders.await_acknowledgements(1)
                time.sleep(random.uniform(*MOMENTS))
                server.kill()
            await_end(projector)
        senders.check(data)
    verified(data)
    with serving(data) as server:
        assert server.await_projection() >= len(senders.acknowledged)
        equal_to_a_rebuild(data)


def test_a_killed_projector_is_started_again_and_goes_on_where_it_was(tmp_path: Path) -> None:
    data, senders = tmp_path / "data", Senders(4)
    with serving(data) as server:
        with senders.sending(server):
            for _ in range(2):
                eventually(lambda: server.ready()["graph"]["offset"] > 0, "projected entry")
                os.kill(projector_of(server), signal.SIGKILL)
                eventually(lambda: server.ready()["status"] == "degraded", "degraded state")
                senders.await_acknowledgements(1)
                eventually(lambda: server.ready()["status"] == "ready", "ready state")
        senders.check(data)
        assert server.await_projection() == len(senders.acknowledged)
        assert server.ready()["projector"] == {"running": True, "restarts": 2}
        equal_to_a_rebuild(data)


def test_a_server_told_to_stop_under_load_ends_well(tmp_path: Path) -> None:
    data, senders = tmp_path / "data", Senders(6)
    with serving(data) as server:
        projector = projector_of(server)
        with senders.sending(server):
            senders.await_acknowledgements(100)
            assert server.stop(signal.SIGTERM) == 0
        assert not alive(projector)
    senders.check(data)
    verified(data)


def projector_of(server: ServerProcess) -> int:
    eventually(server.projector, "projector")
    projector = server.projector()
    assert projector is not None
    return projector


def verified(data: Path) -> None:
    done = lineward("verify", data)
    assert done.returncode == 0, done.stderr


def equal_to_a_rebuild(data: Path) -> None:
    done = lineward("rebuild", "--verify", "--data", data)
    assert done.returncode == 0, done.stderr


def await_end(process: int) -> None:
    eventually(lambda: not alive(process), f"end of process {process}")
