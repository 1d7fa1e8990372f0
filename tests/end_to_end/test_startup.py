"""A server that cannot be started says so in two lines, and does no harm."""

import socket
from pathlib import Path

import pytest

from tests.end_to_end.server_process import ServerProcess, lineward
from tests.end_to_end.story import event


def two_lines(stderr: str) -> str:
    """The first, which is what happened; the second is what to do."""
    what, remedy = stderr.splitlines()
    assert remedy
    return what


def test_a_folder_has_one_server(shared_server: ServerProcess) -> None:
    second = lineward("serve", "--data", shared_server.data, "--port", "0")
    assert second.returncode == 3
    assert str(shared_server.pid) in two_lines(second.stderr)
    shared_server.record(event(301, "undisturbed", "09:00:00", "START"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_without_credentials_nobody_else_is_let_in(tmp_path: Path, host: str) -> None:
    refused = lineward("serve", "--data", tmp_path / "data", "--port", "0", "--host", host)
    assert refused.returncode == 2
    assert host in two_lines(refused.stderr)
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        refused = lineward("serve", "--data", tmp_path / "data", "--port", port)
    assert refused.returncode == 2
    assert port in two_lines(refused.stderr)
