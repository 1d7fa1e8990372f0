"""Keys: given, or made on first use, never readable by others, and never a wrong one by accident."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from catalog.errors import InvalidInputError, NotFoundError
from policies.attestation.signing import (
    PRIVATE,
    PUBLIC,
    KeySettings,
    public_document,
    public_key,
    public_pem,
    signing_key,
    verifying_key,
)
from tests.policies.attestation.decisions import SIGNER, STRANGER

PEM = SIGNER.private_bytes.decode()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KeySettings.model_fields:
        monkeypatch.delenv(f"LINEWARD_{name.upper()}", raising=False)


def quiet(message: str) -> None:
    raise AssertionError(message)


def deaf(message: str) -> None:
    """Takes any warning."""


def test_a_key_is_made_once_for_its_owner_alone_and_the_warning_says_where(tmp_path: Path) -> None:
    warned: list[str] = []
    made = signing_key(KeySettings(), tmp_path, warned.append)
    assert signing_key(KeySettings(), tmp_path, quiet).public_key == made.public_key
    assert stat.S_IMODE((tmp_path / PRIVATE).stat().st_mode) == 0o600
    assert len(warned) == 1
    assert str(tmp_path / PRIVATE) in warned[0]
    assert verifying_key(None, KeySettings(), tmp_path) == made.public_key
    assert sorted(path.name for path in tmp_path.iterdir()) == [PRIVATE, PUBLIC]


def test_of_two_that_are_first_at_the_same_time_one_makes_the_key(tmp_path: Path) -> None:
    for round_ in range(5):
        folder = tmp_path / str(round_)
        folder.mkdir()
        with ThreadPoolExecutor(2) as pool:
            made = [pool.submit(signing_key, KeySettings(), folder, deaf) for _ in range(2)]
        keys = {each.result().public_key.keyid for each in made}
        assert keys == {verifying_key(None, KeySettings(), folder).keyid}


def test_a_given_key_goes_before_the_folders_and_its_text_before_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "other.pem"
    file.write_bytes(STRANGER.private_bytes)
    file.chmod(0o600)
    monkeypatch.setenv("LINEWARD_SIGNING_KEY_FILE", str(file))
    assert signing_key(KeySettings(), tmp_path, quiet).public_key == STRANGER.public_key
    monkeypatch.setenv("LINEWARD_SIGNING_KEY", PEM)
    assert signing_key(KeySettings(), tmp_path, quiet).public_key == SIGNER.public_key
    assert not (tmp_path / PRIVATE).exists()


def test_a_key_that_others_may_read_is_told(tmp_path: Path) -> None:
    (tmp_path / PRIVATE).write_text(PEM)
    (tmp_path / PRIVATE).chmod(0o644)
    warned: list[str] = []
    signing_key(KeySettings(), tmp_path, warned.append)
    assert "chmod 600" in warned[0]


def test_the_public_half_follows_a_private_one_that_was_put_there_by_hand(tmp_path: Path) -> None:
    signing_key(KeySettings(), tmp_path, deaf)
    (tmp_path / PRIVATE).write_text(PEM)
    signing_key(KeySettings(), tmp_path, quiet)
    assert verifying_key(None, KeySettings(), tmp_path) == SIGNER.public_key


def test_a_secret_does_not_show_in_the_settings() -> None:
    assert "MC4C" not in repr(KeySettings(signing_key=PEM))  # type: ignore[arg-type]


def rsa() -> tuple[str, str]:
    key = generate_private_key(65537, 2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.decode(), key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_only_ed25519_signs_and_verifies(tmp_path: Path) -> None:
    private, public = rsa()
    with pytest.raises(InvalidInputError, match="not Ed25519"):
        signing_key(KeySettings(signing_key=private), tmp_path, quiet)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="not Ed25519"):
        public_key(public, "it")


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "{", PEM.replace("M", "!")])
def test_what_is_no_key_is_an_error(text: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError):
        public_key(text, "it")
    with pytest.raises(InvalidInputError):
        signing_key(KeySettings(signing_key=text), tmp_path, quiet)  # type: ignore[arg-type]


def test_a_private_key_is_not_taken_for_a_public_one() -> None:
    with pytest.raises(InvalidInputError, match="private"):
        public_key(PEM, "it")


def test_the_public_key_reads_back_from_pem_and_from_json() -> None:
    pem, document = public_pem(SIGNER.public_key), public_document(SIGNER.public_key)
    load_pem_public_key(pem.encode())
    assert public_key(pem, "pem") == public_key(json.dumps(document), "json") == SIGNER.public_key
    assert document["keyid"] == SIGNER.public_key.keyid


def test_the_key_to_trust_is_the_given_then_the_configured_then_the_folders(tmp_path: Path) -> None:
    ours, theirs = tmp_path / PUBLIC, tmp_path / "theirs.pem"
    ours.write_text(public_pem(SIGNER.public_key))
    theirs.write_text(public_pem(STRANGER.public_key))
    assert verifying_key(None, KeySettings(), tmp_path) == SIGNER.public_key
    assert verifying_key(None, KeySettings(verify_key_file=theirs), tmp_path) == STRANGER.public_key
    assert verifying_key(ours, KeySettings(verify_key_file=theirs), None) == SIGNER.public_key
    assert (
        verifying_key(None, KeySettings(verify_key=ours.read_text(), verify_key_file=theirs), None) == SIGNER.public_key
    )


def test_without_any_key_the_error_says_whom_to_ask(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        verifying_key(None, KeySettings(), tmp_path)
    assert "--key" in caught.value.remedy
    with pytest.raises(InvalidInputError, match="cannot be read"):
        verifying_key(tmp_path / "absent", KeySettings(), None)
