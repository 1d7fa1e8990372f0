"""Keys and tokens against a server as a user runs it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from typer.testing import CliRunner, Result

from catalog.cli import app
from catalog.log.entry import EntryType
from catalog.log.reader import LogReader
from tests.catalog.authority.issuing import claims, rsa, rule, signed
from tests.end_to_end.server_process import PATIENCE, ServerProcess, lineward, serving

RUN = "0195d0e2-7a3c-7000-8000-0000000000{:02}"


def event(namespace: str, number: int = 0) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-03-01T12:00:00Z",
        "run": {"runId": RUN.format(number)},
        "job": {"namespace": namespace, "name": "job"},
    }


def post(server: ServerProcess, namespace: str, key: str | None, number: int = 0) -> httpx.Response:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return server.post(event(namespace, number), **headers)


def api(server: ServerProcess, method: str, path: str, key: str | None, document: Any = None) -> httpx.Response:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    return httpx.request(method, f"{server.url}/api/v1{path}", json=document, headers=headers, timeout=PATIENCE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


@pytest.fixture(scope="module")
def admin(place: Path) -> str:
    """The key of a first start."""
    made = lineward("keys", "create", "--bootstrap", "--owner", "ann@example.org", "--data", place / "data")
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture(scope="module")
def server(place: Path, admin: str) -> Iterator[ServerProcess]:
    """For everybody who can reach this machine, with a key and an issuer."""
    keys = place / "jwks.json"
    keys.write_text(json.dumps({"keys": [rsa("k1").as_dict(private=False)]}))
    trust = rule(jwks=str(keys), scopes=["ingest:write"], namespaces=["ci"])
    issuers = json.dumps([trust.model_dump(mode="json")])
    with serving(place / "data", "--host", "0.0.0.0", issuers=issuers) as server:
        yield server


@pytest.fixture(scope="module")
def second_admin(server: ServerProcess, admin: str) -> str:
    made = keys(server, admin, "create", "--owner", "bob@example.org", "--scope", "admin")
    return str(made["secret"])


def keys(server: ServerProcess, key: str, *arguments: str) -> Any:
    """A command about keys, run with a key; what it printed as JSON."""
    done = command(key, *arguments, "--json", "--url", server.url)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def command(key: str, *arguments: str | Path) -> Result:
    """In this process, which takes no second to start."""
    return CliRunner().invoke(app, ["keys", *map(str, arguments)], env={"LINEWARD_API_KEY": key})


def test_nobody_is_let_in_without_a_key(server: ServerProcess) -> None:
    for refused in (post(server, "team-a", None), post(server, "team-a", "lw_0_0"), api(server, "GET", "/keys", None)):
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == 'Bearer realm="lineward"'


def test_a_key_writes_where_it_may_until_it_is_revoked(server: ServerProcess, admin: str, place: Path) -> None:
    options = ["--owner", "bob@example.org", "--scope", "ingest:write", "--namespace", "team-*", "--expires", "90d"]
    made = keys(server, admin, "create", *options)
    key, secret = made["key"], made["secret"]
    assert (key["state"], key["namespaces"], key["createdBy"].startswith("key:")) == ("ACTIVE", ["team-*"], True)

    taken = post(server, "team-a", secret, 1)
    assert taken.status_code == 201
    refused = post(server, "other", secret, 1)
    assert refused.status_code == 403
    assert "ingest:write in the namespace other" in refused.json()["error"]["message"]
    assert post(server, "team-a", admin, 1).status_code == 403  # admin does not imply anything else

    with LogReader.open(place / "data") as log:
        assert log.entry(taken.json()["seq"]).actor == f"key:{key['id']}"
        assert all(secret.encode() not in (entry.body or b"") for entry in log.entries(0, 1000))

    assert keys(server, admin, "revoke", key["id"], "--reason", "left")["state"] == "REVOKED"
    assert post(server, "team-a", secret, 2).status_code == 401


def test_a_key_to_approve_for_somebody_else_takes_two_administrators(
    server: ServerProcess, admin: str, second_admin: str
) -> None:
    made = keys(server, admin, "create", "--owner", "carol@example.org", "--scope", "approve")
    key, secret = made["key"]["id"], made["secret"]
    assert made["key"]["state"] == "PENDING"

    waiting = api(server, "GET", "/keys", secret)
    assert waiting.status_code == 401
    assert "second administrator" in waiting.json()["error"]["message"]
    alone = api(server, "POST", f"/keys/{key}/confirm", admin, {})
    assert (alone.status_code, alone.json()["error"]["code"]) == (403, "FORBIDDEN")

    assert keys(server, second_admin, "confirm", key)["state"] == "ACTIVE"
    known = api(server, "GET", "/keys", secret)
    assert known.status_code == 403  # somebody now, and no administrator
    assert "may not admin" in known.json()["error"]["message"]
    assert api(server, "POST", f"/keys/{key}/confirm", second_admin, {}).status_code == 409


def test_a_token_of_a_trusted_issuer_writes_where_its_rule_says(server: ServerProcess) -> None:
    token = signed(claims(iat=1_700_000_000, exp=4_000_000_000))
    assert post(server, "ci", token, 3).status_code == 201
    assert post(server, "team-a", token, 3).status_code == 403
    forged = signed(claims(exp=4_000_000_000, sub="u-2"), key=rsa("other"), kid="k1")
    assert post(server, "ci", forged, 3).status_code == 401
    stale = signed(claims(iat=1_600_000_000, exp=1_600_000_300))
    assert "expired" in post(server, "ci", stale, 3).json()["error"]["message"]


def test_two_administrators_identify_people(server: ServerProcess, admin: str, second_admin: str, place: Path) -> None:
    asked = ["identify", "email:Ann@Home.example", "ann@example.org", "--url", server.url]
    assert command(admin, *asked).stdout.strip().endswith("once another administrator says so too")
    assert command(second_admin, *asked).stdout.strip() == "email:ann@home.example is ann@example.org"
    with LogReader.open(place / "data") as log:
        last = orjson.loads(log.acts((EntryType.POLICY,), 0, 1000)[-1].body or b"")
    assert (last["act"], last["alias"], last["person"]) == ("identify", "email:ann@home.example", "ann@example.org")
    assert last["by"]["person"] == "bob@example.org"
    server.await_projection()


@pytest.mark.parametrize(
    ("document", "content_type", "status"),
    [
        (b'{"owner": "a@b.c"}', "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"owner": "a@b.c", "scopes": ["admin"]}', "text/plain", 415),
        (b'{"owner": "' + b"a" * 70_000 + b'@b.c", "scopes": ["admin"]}', "application/json", 413),
    ],
)
def test_a_request_that_is_none_is_refused(
    server: ServerProcess, admin: str, document: bytes, content_type: str, status: int
) -> None:
    headers = {"authorization": f"Bearer {admin}", "content-type": content_type}
    answer = httpx.post(f"{server.url}/api/v1/keys", content=document, headers=headers, timeout=PATIENCE)
    assert answer.status_code == status
    assert answer.json()["error"]["remedy"]


def test_a_new_key_is_kept_by_no_cache(server: ServerProcess, admin: str) -> None:
    wanted = {"owner": "ann@example.org", "scopes": ["lineage:read"]}
    answer = api(server, "POST", "/keys", admin, wanted)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")


def test_a_folder_that_a_server_holds_is_told(server: ServerProcess, admin: str) -> None:
    taken = command(admin, "create", "--owner", "a@b.c", "--scope", "admin", "--data", server.data)
    assert taken.exit_code == 3
    assert "--url" in taken.stderr
    assert command(admin, "list", "--data", server.data).exit_code == 0


def test_an_open_server_says_so_and_closes_with_its_first_key(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        (log,) = tmp_path.glob("*.log")
        assert '"access.open"' in log.read_text()
        assert post(server, "team-a", None, 4).status_code == 201
        made = api(server, "POST", "/keys", None, {"owner": "ann@example.org", "scopes": ["admin"]})
        assert made.status_code == 201
        assert post(server, "team-a", None, 5).status_code == 401
        assert api(server, "GET", "/keys", made.json()["secret"]).status_code == 200
