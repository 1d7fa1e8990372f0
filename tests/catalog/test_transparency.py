"""What outsiders get of a log: enough to check it, and no more than is theirs."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.testclient import TestClient

from catalog.access import Access, LogState
from catalog.act import interpret_act
from catalog.errors import LogFullError, UnauthenticatedError
from catalog.graph.memory import MemoryGraph
from catalog.identity import NodeKind, act_id
from catalog.log import checkpoint as checkpoints
from catalog.log import merkle, receipt, tiles
from catalog.log.checkpoint_log import FILE, CheckpointLog
from catalog.log.entry import Entry, EntryType, Receipt, Submission
from catalog.log.merkle import leaf_hash
from catalog.log.note import Signer
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from catalog.log.tiles import Tile, tiled_nodes, tiles_of
from catalog.log.writer import LogWriter
from catalog.principal import Principal, Scope, grants
from catalog.projector import Projector
from catalog.read_audit import ReadAudit
from catalog.transparency import Transparency, transparency_routes

SIZE = 600
PRIVATE = Ed25519PrivateKey.generate()

AUDITOR = Principal("auditor", "eve", grants([Scope.AUDIT_READ]))
ANN = Principal("ann", "ann", grants([Scope.INGEST_WRITE]))
BOB = Principal("bob", "bob", grants([Scope.INGEST_WRITE, Scope.LINEAGE_READ]))


def append(folder: Path, start: int, end: int) -> None:
    with LogStore.open(folder) as store:
        store.append([Submission(EntryType.APPROVAL, "ann", b"%d" % i, b"%d" % i) for i in range(start, end)], 1)


@pytest.fixture
def log(tmp_path: Path) -> LogReader:
    append(tmp_path, 0, SIZE)
    return LogReader.open(tmp_path)


Door = Callable[..., TestClient]


@pytest.fixture
def audit(tmp_path: Path) -> Iterator[ReadAudit]:
    with LogStore.open(tmp_path / "audit") as store, LogWriter(store) as writer:
        yield ReadAudit(writer)


@pytest.fixture
def door(log: LogReader, tmp_path: Path, audit: ReadAudit) -> Door:
    """A client of the log's routes, as somebody; nobody by default. `clock` tells seconds."""

    def opened(who: Principal | None = None, clock: Callable[[], float] = lambda: 0.0) -> TestClient:
        def principal(_headers: Mapping[str, str]) -> Principal:
            if who is None:
                raise UnauthenticatedError("Nobody we know.", "Send a key.")
            return who

        signing = CheckpointLog(log, Signer(log.origin, PRIVATE), tmp_path)
        access = Access(MemoryGraph(), lambda: LogState(log.origin, log.size(), log.root()), wait_seconds=0)
        return TestClient(
            Starlette(routes=list(transparency_routes(Transparency(log, signing, access, principal, audit, clock))))
        )

    return opened


def test_the_checkpoint_is_for_everybody(door: Door, log: LogReader) -> None:
    client = door()
    answer = client.get("/checkpoint")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    signer = Signer(log.origin, PRIVATE)
    assert client.get("/checkpoint/key").text == f"{signer.key}\n"
    found = checkpoints.opened(answer.content, signer.key).checkpoint
    assert (found.origin, found.size, found.root) == (log.origin, SIZE, log.root())


def test_a_growing_log_is_signed_once_a_second(door: Door, log: LogReader, tmp_path: Path) -> None:
    time = [100.0]
    client = door(clock=lambda: time[0])
    first = client.get("/checkpoint").text
    append(tmp_path, SIZE, SIZE + 1)
    assert client.get("/checkpoint").text == first
    time[0] += 1.0
    assert client.get("/checkpoint").text.split("\n")[1] == str(SIZE + 1)


def test_hash_tiles_are_for_everybody_and_for_ever(door: Door, log: LogReader) -> None:
    client = door()
    client.get("/checkpoint")
    for tile in tiles_of(SIZE):
        if tile.level is not tiles.ENTRIES:
            answer = client.get(f"/{tile.path}")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert len(answer.content) == 32 * tile.width
    assert merkle.root(SIZE, tiled_nodes(lambda tile: client.get(f"/{tile.path}").content, SIZE)) == log.root()


def test_partial_tiles_of_smaller_checkpoints_go_on_being_served(door: Door, log: LogReader) -> None:
    client = door()
    client.get("/checkpoint")
    for size in (1, 255, 300, 511):
        fetched = tiled_nodes(lambda tile: client.get(f"/{tile.path}").content, size)
        assert merkle.root(size, fetched) == log.root(size)


@pytest.mark.parametrize(
    "path",
    ["tile/0/003", "tile/0/002.p/89", "tile/1/000", "tile/1/001.p/1", "tile/0/2", "tile/0/000.p/256", "tile/64/000",
     "tile/x/000", "tile/", "tile/0/x000/001", "tile/0/%2e%2e/000"],
)  # fmt: skip
def test_there_is_no_other_tile(door: Door, path: str) -> None:
    client = door(AUDITOR)
    client.get("/checkpoint")
    assert client.get(f"/{path}").status_code == 404


def test_nothing_is_served_that_was_not_signed(door: Door, log: LogReader, tmp_path: Path) -> None:
    client = door()
    assert client.get("/tile/0/000").status_code == 404
    client.get("/checkpoint")
    append(tmp_path, SIZE, SIZE + 200)
    assert client.get("/tile/0/002").status_code == 404
    assert client.get("/tile/0/002.p/88").status_code == 200


def test_entries_are_for_auditors(door: Door) -> None:
    client = door(AUDITOR)
    client.get("/checkpoint")
    answer = client.get("/tile/entries/002.p/88")
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"].startswith("private")
    plain = client.get("/tile/entries/002.p/88", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content
    leaves = tiles.hashes_of(Tile(0, 2, 88), client.get("/tile/0/002.p/88").content)
    assert [leaf_hash(each) for each in tiles.unbundled(answer.content)] == leaves
    assert door(BOB).get("/tile/entries/000").status_code == 403
    refused = door().get("/tile/entries/000")
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert "www-authenticate" in refused.headers


@pytest.mark.parametrize("who", [ANN, AUDITOR])
def test_a_receipt_is_for_its_sender_and_for_auditors(door: Door, log: LogReader, who: Principal) -> None:
    answer = door(who).get("/api/v1/receipts/7")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="7.tlog-proof"'
    assert answer.headers["cache-control"] == "no-store"
    found = receipt.proven(receipt.read(answer.content), Signer(log.origin, PRIVATE).key)
    assert (found.index, found.body) == (7, None)
    assert found.binds(b"7")
    held = door(who).get("/api/v1/receipts/7?body=true").content
    assert receipt.proven(receipt.read(held), Signer(log.origin, PRIVATE).key).body == b"7"


def reads(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Who read, and what is noted of it, less what differs each time."""
    with LogReader.open(folder / "audit") as log:
        return [(entry.actor, told(entry)) for entry in log.entries(0, 100)]


def told(entry: Entry) -> dict[str, Any]:
    assert entry.type is EntryType.ACCESS
    return {key: each for key, each in json.loads(entry.body or b"").items() if key not in ("v", "id", "at", "by")}


def test_what_auditors_read_is_noted_before_they_have_it(door: Door, tmp_path: Path) -> None:
    client = door(AUDITOR)
    client.get("/checkpoint")
    client.get("/tile/0/000")
    client.get("/tile/entries/000")
    client.get("/api/v1/receipts/7?body=true")
    door(ANN).get("/api/v1/receipts/7")  # her own
    door(BOB).get("/tile/entries/000")  # refused
    assert reads(tmp_path) == [
        ("auditor", {"door": "tile", "tile": "tile/entries/000"}),
        ("auditor", {"door": "receipt", "entry": 7, "body": True}),
    ]


def test_what_cannot_be_noted_is_not_read(log: LogReader, tmp_path: Path) -> None:
    class Full:
        def append(self, batch: Sequence[Submission], now_us: int) -> list[Receipt]:
            raise LogFullError("the log's disk is full")

    signing = CheckpointLog(log, Signer(log.origin, PRIVATE), tmp_path)
    access = Access(MemoryGraph(), lambda: LogState(log.origin, log.size(), log.root()), wait_seconds=0)
    with LogWriter(Full()) as writer:
        parts = Transparency(log, signing, access, lambda _headers: AUDITOR, ReadAudit(writer))
        client = TestClient(Starlette(routes=list(transparency_routes(parts))))
        client.get("/checkpoint")
        for path in ("/tile/entries/000", "/api/v1/receipts/7"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAUDITED_READ")
        assert client.get("/tile/0/000").status_code == 200


def test_a_receipt_of_the_newest_entry_is_signed_at_once(door: Door, log: LogReader, tmp_path: Path) -> None:
    client = door(ANN)
    client.get("/checkpoint")
    append(tmp_path, SIZE, SIZE + 1)
    found = receipt.read(client.get(f"/api/v1/receipts/{SIZE}").content)
    assert receipt.proven(found, Signer(log.origin, PRIVATE).key).index == SIZE


@pytest.mark.parametrize(
    ("who", "named", "status"),
    [(None, "7", 401), (BOB, "7", 403), (ANN, "600", 404), (ANN, "9" * 18, 404), (ANN, "9" * 4000, 404),
     (ANN, "ap_x", 503)],
)  # fmt: skip
def test_other_receipts_are_refused(door: Door, who: Principal | None, named: str, status: int) -> None:
    assert door(who).get(f"/api/v1/receipts/{named}").status_code == status


def test_a_receipt_of_an_act_is_had_by_its_id(tmp_path: Path, audit: ReadAudit) -> None:
    said = {"act": "approve", "id": "9b1e6d3c-5b0e-4c5e-9a57-0d8a6c1f2e3d", "at": "2026-03-01T09:00:00Z"}
    with LogStore.open(tmp_path) as written:
        body = json.dumps(said).encode()
        written.append([Submission(EntryType.APPROVAL, "ann", body, body)], 1)
    with LogReader.open(tmp_path) as log:
        signing = CheckpointLog(log, Signer(log.origin, PRIVATE), tmp_path)
        graph = MemoryGraph()
        Projector(graph, log.origin, interpret_act).project(log.entries(0, 10))
        access = Access(graph, lambda: LogState(log.origin, log.size(), log.root()), wait_seconds=0)
        parts = Transparency(log, signing, access, lambda _headers: ANN, audit)
        client = TestClient(Starlette(routes=list(transparency_routes(parts))))
        answer = client.get(f"/api/v1/receipts/{act_id(NodeKind.APPROVAL, said['id'])}")
        assert receipt.proven(receipt.read(answer.content), signing.key).binds(body)
        assert client.get("/api/v1/receipts/ap_x").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"nothing", 400), (bytes(100_000), 400), (None, 403)],
    ids=["", "no", "long", "own"],
)
def test_only_cosignatures_are_taken(door: Door, body: bytes | None, status: int) -> None:
    client = door()
    own = client.get("/checkpoint").content
    assert client.post("/checkpoint/cosignatures", content=own if body is None else body).status_code == status


def test_a_log_that_was_cut_back_signs_nothing(log: LogReader, tmp_path: Path, audit: ReadAudit) -> None:
    signing = CheckpointLog(log, Signer(log.origin, PRIVATE), tmp_path)
    signing.current()
    other = tmp_path / "other"
    append(other, 0, SIZE - 1)
    with LogReader.open(other) as shorter:
        shorter.origin = log.origin
        (other / FILE).write_bytes((tmp_path / FILE).read_bytes())
        cut_back = CheckpointLog(shorter, Signer(log.origin, PRIVATE), other)
        access = Access(MemoryGraph(), lambda: LogState(log.origin, 0, b""))
        parts = Transparency(shorter, cut_back, access, lambda _headers: AUDITOR, audit)
        client = TestClient(Starlette(routes=list(transparency_routes(parts))))
        for path in ("/checkpoint", "/api/v1/receipts/7"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (500, "FORKED_LOG")
