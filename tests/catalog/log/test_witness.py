"""A witness cosigns what continues, and names what does not."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from catalog.log import checkpoint as checkpoints
from catalog.log import merkle
from catalog.log.checkpoint import Checkpoint
from catalog.log.cosigning import (
    ForkError,
    OldSizeError,
    RollbackError,
    UnknownLogError,
    Witness,
    addition,
    addition_of,
)
from catalog.log.merkle import leaf_hash
from catalog.log.note import ForgedError, KeyKind, MalformedError, Note, Signer

ORIGIN = "lineward/test"
NOW = 1_764_000_000


class Log:
    """A log of made-up leaves under its own key."""

    def __init__(self, prefix: bytes = b"a") -> None:
        self.signer = Signer(ORIGIN, Ed25519PrivateKey.generate())
        self.leaves = [leaf_hash(prefix + b"%d" % i) for i in range(40)]

    def node(self, level: int, index: int) -> bytes:
        return merkle.fold(self.leaves[index << level : (index + 1) << level])

    def checkpoint(self, size: int) -> bytes:
        text = Checkpoint(ORIGIN, size, merkle.root(size, self.node)).text
        return str(Note(text, (self.signer.sign(text),))).encode()

    def proof(self, old: int, new: int) -> list[bytes]:
        return merkle.consistency_proof(old, new, self.node)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture(params=[Ed25519PrivateKey, MLDSA44PrivateKey])
def signer(request: pytest.FixtureRequest) -> Signer:
    return Signer("witness.example/w1", request.param.generate(), KeyKind.COSIGNATURE)


@pytest.fixture
def witness(tmp_path: Path, log: Log, signer: Signer) -> Witness:
    return Witness(tmp_path, signer, [log.signer.key], lambda: NOW)


def test_what_continues_is_cosigned(witness: Witness, log: Log, signer: Signer) -> None:
    for old, new in [(0, 3), (3, 3), (3, 4), (4, 40)]:
        line = witness.add(old, log.proof(old, new), log.checkpoint(new))
        cosigned = log.checkpoint(new) + str(line).encode()
        found = checkpoints.opened(cosigned, log.signer.key, [signer.key])
        assert [(each.key, each.time) for each in found.cosigned] == [(signer.key, NOW)]
        last = witness.last(ORIGIN)
        assert last is not None
        assert last.checkpoint == found.checkpoint


@given(st.lists(st.integers(1, 40), max_size=6))
def test_any_honest_growth_is_followed(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    log = Log()
    signer = Signer("w", Ed25519PrivateKey.generate(), KeyKind.COSIGNATURE)
    witness = Witness(tmp_path_factory.mktemp("state"), signer, [log.signer.key])
    for size in sorted(sizes):
        assert witness.follow(ORIGIN, log.checkpoint(size), lambda _size: log.node)


def test_what_was_cosigned_is_remembered_by_the_next_process(
    tmp_path: Path, witness: Witness, log: Log, signer: Signer
) -> None:
    witness.add(0, [], log.checkpoint(7))
    again = Witness(tmp_path, signer, [log.signer.key])
    with pytest.raises(OldSizeError) as caught:
        again.add(0, [], log.checkpoint(9))
    assert caught.value.size == 7
    assert again.add(7, log.proof(7, 9), log.checkpoint(9))


def test_a_fork_is_refused_and_named(witness: Witness, log: Log) -> None:
    witness.add(0, [], log.checkpoint(7))
    fork = Log(b"b")
    fork.signer = log.signer
    for size in (7, 8, 40):
        with pytest.raises(ForkError, match="it is a fork"):
            witness.follow(ORIGIN, fork.checkpoint(size), lambda _size: fork.node)
        with pytest.raises(ForkError):
            witness.add(7, fork.proof(7, size), fork.checkpoint(size))
    last = witness.last(ORIGIN)
    assert last is not None
    assert last.checkpoint.size == 7


def test_a_rollback_is_refused_and_named(witness: Witness, log: Log) -> None:
    witness.add(0, [], log.checkpoint(7))
    with pytest.raises(RollbackError, match="shows 6 entries, and had 7"):
        witness.follow(ORIGIN, log.checkpoint(6), lambda _size: log.node)
    with pytest.raises(MalformedError, match="backwards"):
        witness.add(7, [], log.checkpoint(6))
    with pytest.raises(OldSizeError):
        witness.add(6, [], log.checkpoint(6))


@pytest.mark.parametrize(
    "spoil",
    [lambda p: p[1:], lambda p: [*p, bytes(32)], lambda p: p[::-1], lambda p: [bytes(32), *p[1:]], lambda _p: []],
)
def test_a_proof_that_does_not_lead_there_is_refused(
    witness: Witness, log: Log, spoil: Callable[[list[bytes]], list[bytes]]
) -> None:
    witness.add(0, [], log.checkpoint(7))
    with pytest.raises(ForkError):
        witness.add(7, spoil(log.proof(7, 30)), log.checkpoint(30))


def test_a_log_that_is_not_watched_is_refused(tmp_path: Path, signer: Signer, log: Log) -> None:
    with pytest.raises(UnknownLogError):
        Witness(tmp_path, signer, []).add(0, [], log.checkpoint(7))


def test_a_checkpoint_of_another_key_is_refused(witness: Witness) -> None:
    with pytest.raises(ForgedError):
        witness.add(0, [], Log().checkpoint(7))
    assert witness.last(ORIGIN) is None


def test_nothing_is_cosigned_that_cannot_be_remembered(
    witness: Witness, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        witness.add(0, [], log.checkpoint(7))
    assert witness.last(ORIGIN) is None


def test_of_two_at_once_none_takes_the_other_back(tmp_path: Path, log: Log, signer: Signer) -> None:
    sizes: list[int] = []

    def follow(start: int) -> None:
        witness = Witness(tmp_path, signer, [log.signer.key])
        for size in range(start, 41, 2):
            try:
                witness.follow(ORIGIN, log.checkpoint(size), lambda _size: log.node)
            except RollbackError:
                continue
            last = witness.last(ORIGIN)
            assert last is not None
            sizes.append(last.checkpoint.size)

    threads = [threading.Thread(target=follow, args=(start,)) for start in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = Witness(tmp_path, signer, [log.signer.key]).last(ORIGIN)
    assert last is not None
    assert last.checkpoint.size == 40


# The request -------------------------------------------------------------------------------------------------------


def test_a_request_is_written_as_the_specification_has_it(log: Log) -> None:
    body = addition(3, [bytes(32)], b"checkpoint\n")
    assert body == b"old 3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\ncheckpoint\n"
    assert addition_of(body) == (3, [bytes(32)], b"checkpoint\n")
    assert addition_of(addition(0, [], log.checkpoint(2))) == (0, [], log.checkpoint(2))


@pytest.mark.parametrize(
    "body",
    [b"", b"old 1", b"old 01\n\nx", b"old -1\n\nx", b"old \n\nx", b"new 1\n\nx", b"old 1\nAAAA\n\nx", b"old 1\n!\n\nx",
     b"old 1\n" + b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64 + b"\nx"],
)  # fmt: skip
def test_what_is_no_request_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        addition_of(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_malformed(body: bytes) -> None:
    for each in (body, b"old 3\n" + body):
        try:
            old, proof, data = addition_of(each)
        except MalformedError:
            continue
        assert addition_of(addition(old, proof, data)) == (old, proof, data)
