"""`lineward witness` watching a server's log through the same doors as anybody."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.testclient import TestClient

from catalog.access import Access, LogState
from catalog.commands import remote
from catalog.commands.witness_door import witness_app
from catalog.graph.memory import MemoryGraph
from catalog.log import checkpoint as checkpoints
from catalog.log.checkpoint_key import verifier_key
from catalog.log.checkpoint_log import FILE as SIGNED
from catalog.log.checkpoint_settings import checkpoint_log
from catalog.log.cosigning import Witness, addition
from catalog.log.entry import EntryType, Receipt, Submission
from catalog.log.merkle import leaf_hash
from catalog.log.note import KeyKind, Signer, VerifierKey
from catalog.log.reader import LogReader
from catalog.log.schema import FILE
from catalog.log.store import LogStore
from catalog.log.writer import LogWriter
from catalog.principal import LOCAL
from catalog.read_audit import ReadAudit
from catalog.transparency import Transparency, transparency_routes
from tests.catalog.commands.conftest import RECEIVED, Lineward


def append(data: Path, start: int, end: int) -> None:
    with LogStore.open(data) as store:
        batch = [Submission(EntryType.OPENLINEAGE, "ann", b"%d" % i, b"{}") for i in range(start, end)]
        store.append(batch, RECEIVED)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    append(tmp_path / "data", 0, 300)
    return tmp_path / "data"


class Unread:
    """A log of reads that notes none: checkpoints and hashes are for everybody."""

    def append(self, batch: Sequence[Submission], now_us: int) -> list[Receipt]:
        raise AssertionError("nothing here is noted")


class Served:
    """The log of a folder as a server shows it, opened anew for each command."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._reads = LogWriter(Unread())
        with LogReader.open(data) as log:
            self.key = checkpoint_log(data, log, lambda _said: None).key

    def client(self, _url: str) -> TestClient:
        log = LogReader.open(self._data)
        signing = checkpoint_log(self._data, log, lambda _said: None)
        access = Access(MemoryGraph(), lambda: LogState(log.origin, log.size(), log.root()))
        parts = Transparency(log, signing, access, lambda _headers: LOCAL, ReadAudit(self._reads))
        return TestClient(Starlette(routes=list(transparency_routes(parts))))


@pytest.fixture
def served(data: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    made = Served(data)
    monkeypatch.setattr(remote, "client_of", made.client)
    return made


def watch(lineward: Lineward, served: Served, state: Path) -> "tuple[int, str, str]":
    done = lineward("witness", "--url", "http://test", "--log", served.key, "--state", state)
    return done.exit_code, done.stdout, done.stderr


def test_a_log_that_grows_is_cosigned_each_time(lineward: Lineward, served: Served, data: Path, tmp_path: Path) -> None:
    state = tmp_path / "witness"
    for start, end in ((300, 301), (301, 301), (301, 900)):
        append(data, start, end)
        code, said, told = watch(lineward, served, state)
        assert code == 0, told
        witness = verifier_key(str(state / "witness-key.vkey"))
        found = checkpoints.opened(said.encode(), served.key, [witness])
        assert found.checkpoint.size == end
        assert [each.key for each in found.cosigned] == [witness]
        assert str(witness) in told


def test_what_the_witness_keeps_is_what_verify_takes(
    lineward: Lineward, served: Served, data: Path, tmp_path: Path
) -> None:
    _, said, _ = watch(lineward, served, tmp_path / "witness")
    (tmp_path / "cosigned").write_text(said)
    witness = tmp_path / "witness" / "witness-key.vkey"
    done = lineward("verify", data, "--checkpoint", tmp_path / "cosigned", "--witness", witness)
    assert done.exit_code == 0, done.stderr
    assert "saw 300 entries" in done.stdout


def test_a_log_that_knows_its_witness_shows_what_it_saw(
    lineward: Lineward, served: Served, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, file = tmp_path / "witness", tmp_path / "r.tlog-proof"
    _, _, told = watch(lineward, served, state)
    assert "does not show this cosignature: no witness whom this log knows" in told
    witness = verifier_key(str(state / "witness-key.vkey"))
    monkeypatch.setenv("LINEWARD_WITNESSES", f'["{witness}"]')
    _, said, told = watch(lineward, served, state)
    assert "does not show" not in told
    assert served.client("").get("/checkpoint").text == said
    append(data, 300, 310)
    assert served.client("").get("/checkpoint").text.split("\n")[1] == "310"
    for seq, code in ((299, 0), (305, 1)):  # the later one has been seen by nobody yet
        assert lineward("receipt", seq, "--data", data, "-o", file).exit_code == 0
        assert lineward("verify", file, "--key", served.key).exit_code == 0
        assert lineward("verify", file, "--key", served.key, "--witness", witness).exit_code == code


def tamper(data: Path, *statements: str) -> None:
    """As the operator, who holds the key and forgets what was signed."""
    connection = apsw.Connection(str(data / FILE))
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')
    for statement in statements:
        connection.execute(statement)
    connection.close()
    (data / SIGNED).unlink()


def test_a_rollback_is_refused_named_and_kept(lineward: Lineward, served: Served, data: Path, tmp_path: Path) -> None:
    state = tmp_path / "witness"
    watch(lineward, served, state)
    tamper(data, *(f"DELETE FROM {table} WHERE seq >= 290" for table in ("entry", "body", "idem")))
    code, said, told = watch(lineward, served, state)
    assert (code, said) == (1, "")
    assert "shows 290 entries, and had 300: it was rolled back" in told
    (kept,) = state.glob("refused-*.checkpoint")
    assert checkpoints.opened(kept.read_bytes(), served.key).checkpoint.size == 290


@pytest.mark.parametrize("grown", [0, 1, 400])
def test_a_fork_is_refused_named_and_kept(
    lineward: Lineward, served: Served, data: Path, tmp_path: Path, grown: int
) -> None:
    state = tmp_path / "witness"
    watch(lineward, served, state)
    with LogReader.open(data) as log:
        (entry,) = log.stored(280, 1)
    forged = entry.envelope.replace(b"ann", b"bob")
    tamper(data, f"UPDATE entry SET envelope = x'{forged.hex()}', leaf = x'{leaf_hash(forged).hex()}' WHERE seq = 280")
    append(data, 300, 300 + grown)
    code, _, told = watch(lineward, served, state)
    assert code == 1
    assert "it is a fork" in told
    assert len(list(state.glob("refused-*.checkpoint"))) == 1
    # The two checkpoints together convince anybody who holds the log's key.
    done = lineward("verify", data, "--checkpoint", state, "--key", served.key)
    assert done.exit_code == 1


def test_a_witness_keeps_its_name(lineward: Lineward, served: Served, tmp_path: Path) -> None:
    state = tmp_path / "witness"
    common = ("witness", "--url", "http://test", "--log", served.key, "--state", state)
    assert "witness w.example+" in lineward(*common, "--name", "w.example").stderr
    assert "witness w.example+" in lineward(*common).stderr
    assert (state / "witness-key.pem").stat().st_mode & 0o077 == 0


def test_a_server_that_does_not_answer_is_told_apart_from_a_fork(lineward: Lineward, tmp_path: Path) -> None:
    key = Signer("lineward/x", Ed25519PrivateKey.generate()).key
    done = lineward("witness", "--url", "http://127.0.0.1:9", "--log", key, "--state", tmp_path / "w")
    assert done.exit_code == 3


def test_a_witness_without_a_log_is_a_usage_error(lineward: Lineward, tmp_path: Path) -> None:
    key = Signer("lineward/x", Ed25519PrivateKey.generate()).key
    assert lineward("witness", "--log", key, "--state", tmp_path / "w").exit_code == 2
    assert lineward("witness", "--url", "http://test", "--log", "nothing", "--state", tmp_path / "w").exit_code == 2


# The door of the specification -------------------------------------------------------------------------------------


@pytest.fixture
def door(served: Served, tmp_path: Path) -> Iterator[tuple[TestClient, VerifierKey]]:
    signer = Signer("witness.example/w1", Ed25519PrivateKey.generate(), KeyKind.COSIGNATURE)
    (tmp_path / "state").mkdir()
    with TestClient(witness_app(Witness(tmp_path / "state", signer, [served.key]))) as client:
        yield client, signer.key


def test_a_witness_answers_as_the_specification_has_it(
    served: Served, data: Path, door: tuple[TestClient, VerifierKey]
) -> None:
    client, witness = door
    first = served.client("").get("/checkpoint").content
    append(data, 300, 302)
    second = served.client("").get("/checkpoint").content
    with LogReader.open(data) as log:
        proof = log.consistency(300, 302)

    def add(old: int, hashes: list[bytes], data: bytes) -> "tuple[int, str]":
        answer = client.post("/add-checkpoint", content=addition(old, hashes, data))
        return answer.status_code, answer.text

    code, line = add(0, [], first)
    assert code == 200
    assert checkpoints.opened(first + line.encode(), served.key, [witness]).cosigned
    assert add(0, [], second) == (409, "300\n")
    assert add(300, [], second)[0] == 422
    assert add(300, proof, second.replace(b"\n302\n", b"\n303\n"))[0] == 403
    assert add(303, proof, second)[0] == 400
    assert add(300, proof, second)[0] == 200
    other = first.replace(served.key.name.encode(), b"lineward/other")
    assert add(0, [], other)[0] == 404
    assert client.post("/add-checkpoint", content=b"nothing").status_code == 400
    assert client.post("/add-checkpoint", content=bytes(1_000_000)).status_code == 400
