"""Notes and cosignatures, against vectors that others publish, and against everything that is none."""

import struct
from base64 import b64encode
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from catalog.log import note
from catalog.log.note import ForgedError, KeyKind, MalformedError, Note, Signer, VerifierKey

# golang.org/x/mod/sumdb/note, note_test.go
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = "YEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_SIGNS = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_SIGNS = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)

# The checkpoint of a public log, as it was cosigned by public witnesses on 23 May 2026.
ARCHE = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
REMORA = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
WITNESSED = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
"""  # noqa: E501
WITNESSED_AT = 0x6A122120


def peter() -> Signer:
    from base64 import b64decode

    seed = b64decode("A" + PETERS_SEED)[1:]
    return Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(seed))


def signed(text: str = TEXT, *lines: str) -> bytes:
    return f"{text}\n{''.join(lines)}".encode()


def open_note(data: bytes, *keys: str) -> list[str]:
    """The names of those keys that signed."""
    return [each.key.name for each in note.opened(note.read(data), map(VerifierKey.parse, keys))]


# Keys --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "vkey", [PETER, ENOCH, ARCHE, REMORA, "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"]
)
def test_published_keys_are_read_and_written(vkey: str) -> None:
    assert str(VerifierKey.parse(vkey)) == vkey


def test_a_part_of_a_key_is_no_key() -> None:
    parts = {PETER[i:j] for i in range(len(PETER)) for j in range(i + 1, len(PETER) + 1)} - {PETER}
    for part in parts:
        with pytest.raises(MalformedError):
            VerifierKey.parse(part)


def test_no_character_of_a_key_can_change() -> None:
    for i in range(len(PETER)):
        with pytest.raises(MalformedError):
            VerifierKey.parse(PETER[:i] + chr(ord(PETER[i]) + 1) + PETER[i + 1 :])


@pytest.mark.parametrize(
    "vkey",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",  # too long, with its id
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  # unknown kind, with its id
    ],
)
def test_keys_of_other_kinds_are_refused(vkey: str) -> None:
    with pytest.raises(MalformedError):
        VerifierKey.parse(vkey)


# Notes -------------------------------------------------------------------------------------------------------------


def test_signing_gives_the_published_signature() -> None:
    signer = peter()
    assert str(signer.key) == PETER
    assert str(Note(TEXT, (signer.sign(TEXT),))).encode() == signed(TEXT, PETER_SIGNS)


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ((PETER,), ["PeterNeumann"]),
        ((ENOCH,), ["EnochRoot"]),
        ((PETER, ENOCH), ["PeterNeumann", "EnochRoot"]),
    ],
)
def test_signatures_of_trusted_keys_are_found(keys: tuple[str, ...], names: list[str]) -> None:
    assert open_note(signed(TEXT, PETER_SIGNS, ENOCH_SIGNS), *keys) == names


def test_a_note_that_no_trusted_key_signed_is_refused() -> None:
    with pytest.raises(ForgedError, match="none of the keys that are trusted"):
        open_note(signed(TEXT, PETER_SIGNS), ENOCH)


def test_one_bad_signature_of_a_trusted_key_spoils_the_note() -> None:
    bad = PETER_SIGNS.replace("ZJku", "ZJkv")
    with pytest.raises(ForgedError, match="PeterNeumann does not hold"):
        open_note(signed(TEXT, ENOCH_SIGNS, bad), PETER, ENOCH)
    assert open_note(signed(TEXT, ENOCH_SIGNS, bad), ENOCH) == ["EnochRoot"]


def test_a_key_of_the_same_name_or_id_alone_is_another_key() -> None:
    for renamed in (PETER_SIGNS.replace("PeterNeumann", "Carmen"), PETER_SIGNS.replace("x08g", "xxxx")):
        assert open_note(signed(TEXT, renamed, ENOCH_SIGNS), PETER, ENOCH) == ["EnochRoot"]


def test_a_signature_said_twice_counts_once() -> None:
    assert open_note(signed(TEXT, PETER_SIGNS, PETER_SIGNS), PETER) == ["PeterNeumann"]


def test_sixteen_signatures_are_taken() -> None:
    assert open_note(signed(TEXT, *[ENOCH_SIGNS] * 15, PETER_SIGNS), PETER) == ["PeterNeumann"]


def test_a_text_may_hold_empty_lines() -> None:
    text = "one\n\n\ntwo\n"
    line = str(peter().sign(text))
    read = note.read(signed(text, line))
    assert read.text == text
    assert note.opened(read, [VerifierKey.parse(PETER)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        TEXT.encode(),
        signed(TEXT),
        signed(TEXT, PETER_SIGNS[:-1]),
        b"\x01" + signed(TEXT, PETER_SIGNS),
        b"\xff" + signed(TEXT, PETER_SIGNS),
        signed(TEXT.replace("\n", "\r\n"), PETER_SIGNS),
        signed(TEXT, PETER_SIGNS.replace("PeterNeumann", "Bad Name")),
        signed(TEXT, PETER_SIGNS.replace("PeterNeumann", "Bad\u00a0Name")),
        signed(TEXT, PETER_SIGNS.replace("PeterNeumann", "Bad+Name")),
        signed(TEXT, PETER_SIGNS.replace("—", "-")),
        signed(TEXT, PETER_SIGNS, "Unexpected line.\n"),
        signed(TEXT, "— PeterNeumann x08g\n"),
        signed(TEXT, PETER_SIGNS.replace("=", "")),
        signed(TEXT, *[PETER_SIGNS] * 600),
    ],
    ids=repr,
)
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        note.read(data)


@given(st.integers(0, len(signed(TEXT, PETER_SIGNS)) * 8 - 1))
def test_no_bit_of_a_note_can_change(bit: int) -> None:
    data = bytearray(signed(TEXT, PETER_SIGNS))
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises((MalformedError, ForgedError)):
        open_note(bytes(data), PETER)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_note_or_malformed(data: bytes) -> None:
    try:
        read = note.read(data)
    except MalformedError:
        return
    assert str(read).encode() == data


# Cosignatures ------------------------------------------------------------------------------------------------------


def test_a_published_cosignature_holds() -> None:
    found = note.opened(note.read(WITNESSED.encode()), [VerifierKey.parse(ARCHE), VerifierKey.parse(REMORA)])
    assert [(each.key.kind, each.time) for each in found] == [
        (KeyKind.ED25519, None),
        (KeyKind.COSIGNATURE, WITNESSED_AT),
    ]


def test_a_cosignature_binds_the_text_and_the_time() -> None:
    other_size = WITNESSED.replace("1432088532", "1432088533")
    later = WITNESSED.replace("2net5wAAAABqEiEg", "2net5wAAAABqEiEh")
    for forged in (other_size, later):
        assert forged != WITNESSED
        with pytest.raises(ForgedError):
            open_note(forged.encode(), REMORA)


def test_a_plain_signature_is_no_cosignature() -> None:
    private = Ed25519PrivateKey.generate()
    plain, cosigner = Signer("w", private), Signer("w", private, KeyKind.COSIGNATURE)
    assert plain.key.id != cosigner.key.id
    forged = note.Signature("w", cosigner.key.id, bytes(8) + plain.sign(TEXT).value)
    with pytest.raises(ForgedError):
        note.opened(Note(TEXT, (forged,)), [cosigner.key])
    with pytest.raises(ForgedError):
        note.opened(Note(TEXT, (cosigner.sign(TEXT, 7),)), [plain.key])
    assert note.opened(Note(TEXT, (cosigner.sign(TEXT, 7),)), [cosigner.key])[0].time == 7


# ML-DSA-44 ---------------------------------------------------------------------------------------------------------

ROOT = bytes(range(32))
TREE_HEAD = f"example.com/log\n5\n{b64encode(ROOT).decode()}\n"


def test_an_ml_dsa_signature_is_over_the_message_of_the_specification() -> None:
    private = MLDSA44PrivateKey.generate()
    signature = Signer("w", private).sign(TREE_HEAD, 7)
    assert signature.key_id == sha256(b"w\n\x06" + private.public_key().public_bytes_raw()).digest()[:4]
    assert (signature.value[:8], len(signature.value)) == (struct.pack(">Q", 7), 8 + 2420)
    message = b"subtree/v1\n\0" + b"\x01w" + struct.pack(">Q", 7)
    message += b"\x0fexample.com/log" + struct.pack(">QQ", 0, 5) + ROOT
    private.public_key().verify(signature.value[8:], message)


def test_an_ml_dsa_signature_holds_for_what_it_binds_alone() -> None:
    private = MLDSA44PrivateKey.generate()
    signer = Signer("w", private)
    made = signer.sign(TREE_HEAD, 7)
    assert note.opened(Note(TREE_HEAD, (made,)), [signer.key])[0].time == 7
    assert note.opened(Note(TREE_HEAD + "an extension\n", (made,)), [signer.key])  # which it does not bind
    others = (TREE_HEAD.replace("\n5\n", "\n6\n"), TREE_HEAD.replace("log", "lag"), TREE_HEAD.replace("A", "B"), TEXT)
    for text in others:
        with pytest.raises(ForgedError):
            note.opened(Note(text, (made,)), [signer.key])
    later = note.Signature("w", made.key_id, struct.pack(">Q", 8) + made.value[8:])
    renamed = VerifierKey("v", KeyKind.MLDSA44, signer.key.public)
    for forged, key in ((later, signer.key), (note.Signature("v", renamed.id, made.value), renamed)):
        with pytest.raises(ForgedError):
            note.opened(Note(TREE_HEAD, (forged,)), [key])


def test_an_ml_dsa_key_signs_checkpoints_alone() -> None:
    for text in (TEXT, "o\n1\nno root\n", TREE_HEAD.replace("example", "e" * 300)):
        with pytest.raises(MalformedError):
            Signer("w", MLDSA44PrivateKey.generate()).sign(text, 7)


def test_an_ml_dsa_key_is_written_and_read() -> None:
    key = Signer("w", MLDSA44PrivateKey.generate()).key
    assert VerifierKey.parse(str(key)) == key
    with pytest.raises(MalformedError):
        VerifierKey("w", KeyKind.MLDSA44, bytes(32))
