"""Checkpoints: their form, whose they are, and that none is ever signed that takes back an earlier one."""

import os
import stat
import threading
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import InvalidInputError
from catalog.log import checkpoint as checkpoints
from catalog.log import note
from catalog.log.checkpoint import Checkpoint, SignedCheckpoint, checkpoint_of
from catalog.log.checkpoint_key import PRIVATE, PUBLIC, checkpoint_signer, verifier_key, witness_key
from catalog.log.checkpoint_log import FILE, CheckpointLog, ForkedLogError
from catalog.log.entry import EntryType, Submission
from catalog.log.merkle import EMPTY_ROOT, Frontier, leaf_hash
from catalog.log.note import ForgedError, KeyKind, MalformedError, Note, Signer, VerifierKey
from catalog.log.reader import LogReader
from catalog.log.store import LogStore
from tests.catalog.log.test_note import ARCHE, REMORA, WITNESSED, WITNESSED_AT

ORIGIN = "lineward/test"


class Leaves:
    """A log of made-up leaves that can be cut back and rewritten."""

    def __init__(self, count: int, prefix: bytes = b"a") -> None:
        self.origin = ORIGIN
        self.leaves = [leaf_hash(prefix + b"%d" % i) for i in range(count)]

    def size(self) -> int:
        return len(self.leaves)

    def root(self, size: int | None = None) -> bytes:
        frontier = Frontier()
        frontier.extend(self.leaves[: len(self.leaves) if size is None else size])
        return frontier.root()


@pytest.fixture
def signer() -> Signer:
    return Signer(ORIGIN, Ed25519PrivateKey.generate())


# Form --------------------------------------------------------------------------------------------------------------


def test_the_example_of_the_specification_is_read() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    found = checkpoint_of(text)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.text == text
    assert checkpoint_of(text + "an extension\n") == found


@pytest.mark.parametrize("size", ["01", "-1", "+1", "1 ", "", "one", "٣", str(2**63), "9" * 30])
def test_a_size_has_one_spelling(size: str) -> None:
    with pytest.raises(MalformedError):
        checkpoint_of(f"origin\n{size}\n{b64encode(bytes(32)).decode()}\n")


@pytest.mark.parametrize("root", ["", "AAAA", b64encode(bytes(31)).decode(), b64encode(bytes(32)).decode()[:-2] + "B="])
def test_a_root_is_a_hash_in_its_one_spelling(root: str) -> None:
    with pytest.raises(MalformedError):
        checkpoint_of(f"origin\n1\n{root}\n")


@pytest.mark.parametrize("text", ["", "\n", "o\n1\n", f"\n1\n{b64encode(bytes(32)).decode()}\n"])
def test_three_lines_are_the_least(text: str) -> None:
    with pytest.raises(MalformedError):
        checkpoint_of(text)


@given(st.text(max_size=60))
def test_any_text_is_a_checkpoint_or_malformed(text: str) -> None:
    for each in (text, f"origin\n{text}\n{b64encode(bytes(32)).decode()}\n"):
        try:
            found = checkpoint_of(each)
        except MalformedError:
            continue
        assert each.startswith(found.text)


def test_a_checkpoint_of_a_public_log_opens_with_its_witness() -> None:
    found = checkpoints.opened(WITNESSED.encode(), VerifierKey.parse(ARCHE), [VerifierKey.parse(REMORA)])
    assert found.checkpoint.size == 1432088532
    assert [(each.key.name, each.time) for each in found.cosigned] == [("remora.n621.de", WITNESSED_AT)]


def test_a_witness_alone_is_not_the_log(signer: Signer) -> None:
    with pytest.raises(ForgedError, match="has not signed"):
        checkpoints.opened(WITNESSED.encode(), signer.key, [VerifierKey.parse(REMORA)])


def test_a_key_speaks_for_its_own_log_only(signer: Signer) -> None:
    text = Checkpoint("lineward/other", 1, bytes(32)).text
    with pytest.raises(ForgedError, match="lineward/other, not of lineward/test"):
        checkpoints.opened(str(Note(text, (signer.sign(text),))).encode(), signer.key)


# Signing -----------------------------------------------------------------------------------------------------------


def test_each_checkpoint_is_on_disk_before_it_is_shown(tmp_path: Path, signer: Signer) -> None:
    log = Leaves(3)
    signing = CheckpointLog(log, signer, tmp_path)
    assert signing.last() is None
    shown = signing.current()
    assert shown.checkpoint == Checkpoint(ORIGIN, 3, log.root())
    assert (tmp_path / FILE).read_text() == str(shown.note)
    assert CheckpointLog(log, signer, tmp_path).last() == shown


def test_a_checkpoint_that_cannot_be_kept_is_not_shown(
    tmp_path: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Leaves(3)
    signing = CheckpointLog(log, signer, tmp_path)
    first = signing.current()
    log.leaves += Leaves(2, b"more").leaves

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        signing.current()
    assert signing.last() == first
    assert sorted(each.name for each in tmp_path.iterdir()) == [FILE, f"{FILE}.lock"]


def test_an_empty_log_is_signed_as_such(tmp_path: Path, signer: Signer) -> None:
    assert CheckpointLog(Leaves(0), signer, tmp_path).current().checkpoint.root == EMPTY_ROOT


def test_an_unchanged_log_is_not_signed_again(tmp_path: Path, signer: Signer) -> None:
    signing = CheckpointLog(Leaves(3), signer, tmp_path)
    first = signing.current()
    written = (tmp_path / FILE).stat().st_mtime_ns
    assert signing.current() == first
    assert (tmp_path / FILE).stat().st_mtime_ns == written


def test_what_covers_enough_needs_no_new_signature(tmp_path: Path, signer: Signer) -> None:
    log = Leaves(3)
    signing = CheckpointLog(log, signer, tmp_path)
    first = signing.current()
    log.leaves += Leaves(2, b"more").leaves
    assert signing.current(3) == first
    assert signing.current(4).checkpoint.size == 5
    with pytest.raises(InvalidInputError, match="holds 5 entries, not 6"):
        signing.current(6)


@pytest.mark.parametrize("least", [None, 1, 3, 6])
def test_a_shorter_log_is_never_signed(tmp_path: Path, signer: Signer, least: int | None) -> None:
    CheckpointLog(Leaves(6), signer, tmp_path).current()
    restored = CheckpointLog(Leaves(5), signer, tmp_path)
    with pytest.raises(ForkedLogError, match="holds 5 entries, and 6 were signed"):
        restored.current(least)
    with pytest.raises(ForkedLogError):
        restored.check()


@pytest.mark.parametrize("size", [6, 9])
@pytest.mark.parametrize("least", [None, 2])
def test_another_root_at_a_signed_size_is_never_signed(
    tmp_path: Path, signer: Signer, size: int, least: int | None
) -> None:
    CheckpointLog(Leaves(6), signer, tmp_path).current()
    rewritten = Leaves(size)
    rewritten.leaves[4] = leaf_hash(b"something else")
    with pytest.raises(ForkedLogError, match="the first 6 entries are not those that were signed"):
        CheckpointLog(rewritten, signer, tmp_path).current(least)
    assert CheckpointLog(Leaves(6), signer, tmp_path).current().checkpoint.size == 6


def test_somebody_elses_checkpoint_is_not_continued(tmp_path: Path, signer: Signer) -> None:
    CheckpointLog(Leaves(6), Signer(ORIGIN, Ed25519PrivateKey.generate()), tmp_path).current()
    with pytest.raises(ForgedError):
        CheckpointLog(Leaves(7), signer, tmp_path).current()


def test_a_key_of_another_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="not the origin"):
        CheckpointLog(Leaves(1), Signer("lineward/other", Ed25519PrivateKey.generate()), tmp_path)


def test_several_who_sign_at_once_never_go_back(tmp_path: Path, signer: Signer) -> None:
    log, failures = Leaves(1), []

    def sign() -> None:
        try:
            signing = CheckpointLog(log, signer, tmp_path)
            sizes = [signing.current().checkpoint.size for _ in range(10)]
            assert sizes == sorted(sizes)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=sign) for _ in range(4)]
    for thread in threads:
        thread.start()
    for i in range(40):
        log.leaves.append(leaf_hash(b"%d" % i))
    for thread in threads:
        thread.join()
    assert not failures
    assert CheckpointLog(log, signer, tmp_path).current().checkpoint.size == 41


def test_a_real_log_is_signed_under_its_origin(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        store.append([Submission(EntryType.OPENLINEAGE, "ann", b"%d" % i, b"{}") for i in range(300)], 1)
        root = store.root()
    with LogReader.open(tmp_path) as reader:
        signer = checkpoint_signer(tmp_path, reader.origin, None, None, lambda _warning: None)
        assert CheckpointLog(reader, signer, tmp_path).current().checkpoint == Checkpoint(reader.origin, 300, root)


# Further keys ------------------------------------------------------------------------------------------------------


def names(signed: SignedCheckpoint) -> list[bytes]:
    return [each.key_id for each in signed.note.signatures]


def test_a_second_kind_of_key_signs_too(tmp_path: Path, signer: Signer) -> None:
    lattice = Signer(ORIGIN, MLDSA44PrivateKey.generate())
    signed = CheckpointLog(Leaves(3), signer, tmp_path, further=[lattice], now=lambda: 7.9).current()
    for key in (signer.key, lattice.key):
        assert checkpoints.opened(str(signed.note).encode(), key).checkpoint.size == 3
    assert note.opened(signed.note, [lattice.key])[0].time == 7
    assert signed.cosigned == ()


def test_a_key_that_is_added_signs_what_was_signed_last(tmp_path: Path, signer: Signer) -> None:
    after = Signer(ORIGIN, Ed25519PrivateKey.generate())
    CheckpointLog(Leaves(3), signer, tmp_path).current()
    signed = CheckpointLog(Leaves(3), signer, tmp_path, further=[after]).current()
    assert names(signed) == [signer.key.id, after.key.id]


def test_a_log_changes_its_key_without_a_gap(tmp_path: Path, signer: Signer) -> None:
    after = Signer(ORIGIN, Ed25519PrivateKey.generate())
    CheckpointLog(Leaves(3), signer, tmp_path).current()
    with pytest.raises(ForgedError):  # at once is too fast: nobody has said that the new key is this log's
        CheckpointLog(Leaves(4), after, tmp_path).current()
    CheckpointLog(Leaves(4), signer, tmp_path, further=[after]).current()
    both = CheckpointLog(Leaves(5), after, tmp_path, further=[signer]).current()
    assert names(both) == [after.key.id, signer.key.id]
    alone = CheckpointLog(Leaves(6), after, tmp_path).current()
    assert names(alone) == [after.key.id]
    with pytest.raises(ForkedLogError):
        CheckpointLog(Leaves(5), after, tmp_path).current()


# Cosignatures ------------------------------------------------------------------------------------------------------


@pytest.fixture
def witnesses() -> list[Signer]:
    return [Signer(name, Ed25519PrivateKey.generate(), KeyKind.COSIGNATURE) for name in ("w1", "w2", "stranger")]


def cosigned(signed: SignedCheckpoint, *witnesses: Signer) -> bytes:
    lines = [str(each.sign(signed.note.text, 7)) for each in witnesses]
    return (str(signed.note) + "".join(lines)).encode()


def test_cosignatures_of_known_witnesses_are_kept_together(
    tmp_path: Path, signer: Signer, witnesses: list[Signer]
) -> None:
    log = Leaves(3)
    first, second, stranger = witnesses
    signing = CheckpointLog(log, signer, tmp_path, [first.key, second.key])
    early = signing.current()
    assert signing.cosigned() is None
    signing.add_cosignatures(cosigned(early, first, stranger))
    signing.add_cosignatures(cosigned(early, second))
    signing.add_cosignatures(cosigned(early, second))
    held = signing.cosigned()
    assert held is not None
    assert [each.key for each in held.cosigned] == [first.key, second.key]
    assert len(held.note.signatures) == 3
    log.leaves += Leaves(2, b"more").leaves
    assert signing.covering(3) == held
    late = signing.covering(4)
    assert (late.checkpoint.size, late.cosigned) == (5, ())
    signing.add_cosignatures(cosigned(late, first))
    signing.add_cosignatures(cosigned(early, second))
    assert signing.covering(1).checkpoint.size == 5
    assert CheckpointLog(log, signer, tmp_path).cosigned() is None


def test_a_cosignature_by_nobody_known_or_of_nothing_signed_is_refused(
    tmp_path: Path, signer: Signer, witnesses: list[Signer]
) -> None:
    signing = CheckpointLog(Leaves(3), signer, tmp_path, [witnesses[0].key])
    signed = signing.current()
    with pytest.raises(ForgedError, match="no witness whom this log knows"):
        signing.add_cosignatures(cosigned(signed, witnesses[2]))
    forged = cosigned(signed, witnesses[0]).replace(b"\n3\n", b"\n4\n")
    with pytest.raises(ForgedError):
        signing.add_cosignatures(forged)
    (tmp_path / "other").mkdir()
    other = CheckpointLog(Leaves(5, b"other"), signer, tmp_path / "other").current()
    with pytest.raises(ForkedLogError):
        signing.add_cosignatures(cosigned(other, witnesses[0]))
    assert signing.cosigned() is None


def test_a_receipts_checkpoint_is_compared_with_the_log(
    tmp_path: Path, signer: Signer, witnesses: list[Signer]
) -> None:
    signing = CheckpointLog(Leaves(3), signer, tmp_path, [witnesses[0].key])
    signing.add_cosignatures(cosigned(signing.current(), witnesses[0]))
    with pytest.raises(ForkedLogError):
        CheckpointLog(Leaves(2), signer, tmp_path, [witnesses[0].key]).covering(1)


# Keys --------------------------------------------------------------------------------------------------------------


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    told: list[str] = []
    first = checkpoint_signer(tmp_path, ORIGIN, None, None, told.append)
    assert checkpoint_signer(tmp_path, ORIGIN, None, None, told.append).key == first.key
    assert len(told) == 1
    assert str(tmp_path / PRIVATE) in told[0]
    assert stat.S_IMODE((tmp_path / PRIVATE).stat().st_mode) == 0o600
    assert verifier_key(str(tmp_path / PUBLIC)) == first.key == verifier_key(str(first.key))


def test_a_key_that_is_given_goes_before_the_folders(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.pem"
    witness_key(elsewhere, lambda _warning: None)
    by_file = checkpoint_signer(tmp_path, ORIGIN, None, elsewhere, lambda _warning: None)
    by_text = checkpoint_signer(tmp_path, ORIGIN, elsewhere.read_text(), None, lambda _warning: None)
    assert by_file.key == by_text.key
    assert not (tmp_path / PRIVATE).exists()


def test_a_key_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    told: list[str] = []
    witness_key(tmp_path / "key.pem", told.append)
    (tmp_path / "key.pem").chmod(0o644)
    witness_key(tmp_path / "key.pem", told.append)
    assert "chmod 600" in told[1]


@pytest.mark.parametrize("pem", ["", "nothing", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_key_is_said_so(tmp_path: Path, pem: str) -> None:
    with pytest.raises(InvalidInputError, match="holds no private key"):
        checkpoint_signer(tmp_path, ORIGIN, pem, None, lambda _warning: None)
