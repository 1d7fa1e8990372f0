"""A server that cannot be started says so in two lines, and does no harm."""

import json
import socket
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.server_process import PATIENCE, ServerProcess, lineward, serving
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


def test_with_a_key_everybody_else_is_let_in_who_has_one(tmp_path: Path) -> None:
    data = tmp_path / "data"
    key = lineward("keys", "create", "--bootstrap", "--owner", "ann@example.org", "--data", data).stdout.strip()
    with serving(data, "--host", "0.0.0.0") as server:
        keys = f"{server.url}/api/v1/keys"
        assert httpx.get(keys, timeout=PATIENCE).status_code == 401
        assert httpx.get(keys, headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE).status_code == 200
        assert server.get("/livez").status_code == 200


def test_keys_without_their_pepper_start_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    lineward("keys", "create", "--bootstrap", "--owner", "ann@example.org", "--data", data)
    (data / "key.pepper").unlink()
    refused = lineward("serve", "--data", data, "--port", "0")
    assert refused.returncode != 0
    assert "key.pepper is missing" in refused.stderr
    assert not (data / "key.pepper").exists()


def test_a_rule_of_trust_that_binds_too_little_starts_nothing(tmp_path: Path) -> None:
    rule = {
        "issuer": "https://gitlab.example",
        "kind": "gitlab",
        "audience": "x",
        "jwks": "x",
        "scopes": ["ingest:write"],
    }
    refused = lineward("serve", "--data", tmp_path / "data", issuers=json.dumps([rule]))
    assert refused.returncode == 2
    assert "namespace_id and project_id" in two_lines(refused.stderr)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        refused = lineward("serve", "--data", tmp_path / "data", "--port", port)
    assert refused.returncode == 2
    assert port in two_lines(refused.stderr)
