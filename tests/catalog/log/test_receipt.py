"""Receipts: the published form, what they prove, and that no part of one can be changed."""

import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import NotFoundError
from catalog.log import receipt
from catalog.log.checkpoint import Checkpoint
from catalog.log.checkpoint_log import CheckpointLog
from catalog.log.entry import EntryType, Submission
from catalog.log.merkle import leaf_hash, node_hash
from catalog.log.note import ForgedError, KeyKind, MalformedError, Note, Signer
from catalog.log.reader import LogReader
from catalog.log.receipt import EntryReceipt, Held
from catalog.log.receipt_issuing import issue
from catalog.log.store import LogStore

SIZE = 300
PRIVATE = Ed25519PrivateKey.from_private_bytes(sha256(b"a log's key").digest())


def body(i: int) -> bytes:
    return b'{"n": %d}' % i


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    with LogStore.open(folder) as store:
        store.append([Submission(EntryType.APPROVAL, "ann", b"%d" % i, body(i)) for i in range(SIZE)], 1)
    return folder


@pytest.fixture(scope="module")
def signer(kept: Path) -> Signer:
    with LogReader.open(kept) as log:
        return Signer(log.origin, PRIVATE)


Issued = Callable[..., EntryReceipt]


@pytest.fixture(scope="module")
def issued(kept: Path, signer: Signer) -> Issued:
    """The receipt of a position."""

    def made(seq: int, **options: bool) -> EntryReceipt:
        with LogReader.open(kept) as log:
            return issue(log, seq, CheckpointLog(log, signer, kept).current(), **options)

    return made


# Form --------------------------------------------------------------------------------------------------------------


def test_a_receipt_is_a_tlog_proof() -> None:
    h1, h2 = sha256(b"hash1").digest(), sha256(b"hash2").digest()
    made = EntryReceipt(5, (h1, h2), b"test checkpoint\n", Held(b"{}"))
    head, extra, index, *proof = made.encode().decode().split("\n")
    assert head == "c2sp.org/tlog-proof@v1"
    assert extra == "extra eyJlbnZlbG9wZSI6Int9In0="
    assert index == "index 5"
    assert proof == [b64encode(h1).decode(), b64encode(h2).decode(), "", "test checkpoint", ""]
    assert receipt.read(made.encode()) == made


def test_a_receipt_is_read_as_it_was_written(issued: Issued) -> None:
    for seq in (0, 1, 255, 256, SIZE - 1):
        for with_body in (False, True):
            made = issued(seq, body=with_body)
            assert receipt.read(made.encode()) == made


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("tlog-proof@v1", "tlog-proof@v2"),
        lambda text: text.replace("extra ", "extra  "),
        lambda text: text.replace("index 7", "index 07"),
        lambda text: text.replace("index 7", "index -7"),
        lambda text: text.replace("index 7", "index"),
        lambda text: text.replace("index 7\n", ""),
        lambda text: text.replace("index 7\n", "index 7\nAAAA\n"),
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text.partition("\n")[2],
        lambda text: "\n".join(line for line in text.split("\n") if not line.startswith("extra")),
        lambda text: text.replace("extra ", "extra e30="),
        lambda text: text.replace("extra ", "extra W10="),
        lambda text: "",
    ],
)
def test_what_is_no_receipt_is_refused(issued: Issued, damage: Callable[[str], str]) -> None:
    damaged = damage(issued(7).encode().decode())
    with pytest.raises(MalformedError):
        receipt.read(damaged.encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_a_receipt_or_malformed(data: bytes) -> None:
    for each in (data, b"c2sp.org/tlog-proof@v1\n" + data):
        with pytest.raises(MalformedError):
            receipt.read(each)


# Proof -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seq", [0, 1, 127, 255, 256, SIZE - 1])
def test_a_receipt_proves_its_entry(issued: Issued, signer: Signer, seq: int) -> None:
    found = receipt.proven(issued(seq, body=True), signer.key)
    assert (found.index, found.body) == (seq, body(seq))
    assert found.envelope["actor"] == "ann"
    assert found.signed.checkpoint.size == SIZE


def test_without_its_body_a_receipt_still_binds_it(issued: Issued, signer: Signer) -> None:
    found = receipt.proven(issued(7), signer.key)
    assert found.body is None
    assert found.binds(body(7))
    assert not found.binds(body(8))


def test_an_older_receipt_holds_when_the_log_has_grown(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([Submission(EntryType.APPROVAL, "ann", b"a", b"{}")], 1)
        with LogReader.open(tmp_path) as log:
            signer = Signer(log.origin, PRIVATE)
            early = issue(log, 0, CheckpointLog(log, signer, tmp_path).current())
            store.append([Submission(EntryType.APPROVAL, "ann", b"b", b"{}")], 2)
            late = issue(log, 0, CheckpointLog(log, signer, tmp_path).current())
    assert early.checkpoint != late.checkpoint
    for each in (early, late):
        assert receipt.proven(each, signer.key).envelope["seq"] == 0


def test_the_receipt_of_an_erased_body_proves_that_it_was_there(tmp_path: Path) -> None:
    import apsw

    from catalog.log.schema import FILE

    with LogStore.open(tmp_path) as store:
        store.append([Submission(EntryType.APPROVAL, "ann", b"a", b"{}")], 1)
    connection = apsw.Connection(str(tmp_path / FILE))
    connection.execute("DELETE FROM body")
    connection.close()
    with LogReader.open(tmp_path) as log:
        signer = Signer(log.origin, PRIVATE)
        made = issue(log, 0, CheckpointLog(log, signer, tmp_path).current(), body=True)
    assert made.held.salt is made.held.body is None
    found = receipt.proven(made, signer.key)
    assert not found.binds(b"{}")


def test_there_is_no_receipt_of_what_is_not_in_the_log(issued: Issued) -> None:
    with pytest.raises(NotFoundError, match="no entry 300"):
        issued(SIZE)


def test_another_key_proves_nothing(issued: Issued, signer: Signer) -> None:
    with pytest.raises(ForgedError):
        receipt.proven(issued(7), Signer(signer.key.name, Ed25519PrivateKey.generate()).key)


def test_a_witness_is_named_where_it_has_cosigned(issued: Issued, signer: Signer) -> None:
    witness = Signer("witness", Ed25519PrivateKey.generate(), KeyKind.COSIGNATURE)
    made = issued(7)
    text = made.checkpoint.decode().partition("\n\n")[0] + "\n"
    cosigned = replace(made, checkpoint=made.checkpoint + str(witness.sign(text, 99)).encode())
    assert receipt.proven(cosigned, signer.key).signed.cosigned == ()
    found = receipt.proven(cosigned, signer.key, [witness.key])
    assert [(each.key, each.time) for each in found.signed.cosigned] == [(witness.key, 99)]


@settings(max_examples=300)
@given(st.data())
def test_no_bit_of_a_receipt_can_change(issued: Issued, signer: Signer, data: st.DataObject) -> None:
    whole = bytearray(issued(7, body=True).encode())
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    with pytest.raises((MalformedError, ForgedError)):
        receipt.proven(receipt.read(bytes(whole)), signer.key)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda r: replace(r, index=8), "entry 8 is not in the log"),
        (lambda r: replace(r, index=2**62), "is not in the log"),
        (lambda r: replace(r, proof=r.proof[1:]), "is not in the log"),
        (lambda r: replace(r, proof=r.proof[::-1]), "is not in the log"),
        (lambda r: replace(r, proof=(*r.proof, bytes(32))), "is not in the log"),
        (lambda r: replace(r, held=replace(r.held, body=b"{}")), "the body of entry 7 is not"),
        (lambda r: replace(r, held=replace(r.held, salt=bytes(16))), "the body of entry 7 is not"),
        (lambda r: replace(r, held=replace(r.held, salt=None)), "the body of entry 7 is not"),
        (
            lambda r: replace(r, held=replace(r.held, envelope=r.held.envelope.replace(b"ann", b"bob"))),
            "is not in the log",
        ),
    ],
)
def test_changed_parts_are_told(
    issued: Issued, signer: Signer, change: Callable[[EntryReceipt], EntryReceipt], why: str
) -> None:
    with pytest.raises(ForgedError, match=why):
        receipt.proven(change(issued(7, body=True)), signer.key)


def test_a_receipt_of_one_entry_does_not_serve_another(issued: Issued, signer: Signer) -> None:
    seven, eight = issued(7), issued(8)
    for mixed in (replace(seven, held=eight.held), replace(seven, proof=eight.proof), replace(seven, index=8)):
        with pytest.raises(ForgedError):
            receipt.proven(mixed, signer.key)


def test_an_inner_node_is_no_entry(signer: Signer) -> None:
    """Leaves and nodes are hashed apart, so that the hashes of two entries cannot be shown as one entry."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    text = Checkpoint(signer.key.name, 2, node_hash(left, right)).text
    note = str(Note(text, (signer.sign(text),))).encode()
    forged = EntryReceipt(0, (), note, Held(b"\x01"))
    with pytest.raises(ForgedError):
        receipt.proven(forged, signer.key)


def test_an_entry_that_names_another_position_is_refused(signer: Signer) -> None:
    envelope = b'{"v":1,"seq":5,"ts":"","type":"","actor":"","body":{"commit":""}}'
    text = Checkpoint(signer.key.name, 1, leaf_hash(envelope)).text
    note = str(Note(text, (signer.sign(text),))).encode()
    with pytest.raises(ForgedError, match="the entry at 0 says that it is entry 5"):
        receipt.proven(EntryReceipt(0, (), note, Held(envelope)), signer.key)


@pytest.mark.parametrize("envelope", [b"[]", b"1", b'{"v":1}', b"{", b'{"v":2,"seq":0}', b"[" * 100_000])
def test_an_entry_of_something_else_is_malformed(signer: Signer, envelope: bytes) -> None:
    text = Checkpoint(signer.key.name, 1, leaf_hash(envelope)).text
    note = str(Note(text, (signer.sign(text),))).encode()
    with pytest.raises(MalformedError):
        receipt.proven(EntryReceipt(0, (), note, Held(envelope)), signer.key)


def test_checking_a_receipt_or_an_export_needs_nothing_of_the_server() -> None:
    heavy = ("apsw", "starlette", "pydantic", "strawberry", "httpx", "neo4j", "orjson", "uvicorn", "structlog")
    code = (
        "import json, sys, catalog.log.receipt, catalog.log.export, catalog.log.audit\n"
        f"print([name for name in {heavy!r} if name in sys.modules])\n"
        "print(json.dumps(sorted(name for name in sys.modules if name.startswith('catalog'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded, own = done.stdout.splitlines()
    assert loaded == "[]"
    assert {each for each in json.loads(own) if not each.startswith("catalog.log")} == {"catalog", "catalog.errors"}
