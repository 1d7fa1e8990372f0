"""Sealed files: only their key opens them, whole and under their name."""

import stat
from pathlib import Path

import pytest

from catalog.errors import CorruptLogError, InvalidInputError
from catalog.log import sealing

KEY, OTHER = bytes(32), bytes(31) + b"\x01"
MIB = 1 << 20


def sealed(folder: Path, content: bytes) -> Path:
    source, target = folder / "log.db", folder / "sealed" / "log.db"
    target.parent.mkdir(exist_ok=True)
    source.write_bytes(content)
    sealing.seal(source, target, KEY)
    return target


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB])
def test_a_file_comes_back_as_it_was(tmp_path: Path, size: int) -> None:
    content = bytes(number % 251 for number in range(1009)) * (size // 1009 + 1)
    target = sealed(tmp_path, content[:size])
    assert size < 64 or content[:64] not in target.read_bytes()
    sealing.unseal(target, tmp_path / "opened", KEY)
    assert (tmp_path / "opened").read_bytes() == content[:size]


def test_equal_files_look_different(tmp_path: Path) -> None:
    first = sealed(tmp_path, b"the same").read_bytes()
    assert sealed(tmp_path, b"the same").read_bytes() != first


def refuses(target: Path, key: bytes = KEY) -> None:
    with pytest.raises(CorruptLogError):
        sealing.unseal(target, target.parent / "opened", key)


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    refuses(sealed(tmp_path, b"words"), OTHER)


def test_what_was_changed_cut_or_renamed_does_not_open(tmp_path: Path) -> None:
    target = sealed(tmp_path, b"a" * MIB + b"b" * MIB + b"c")
    whole, chunk = target.read_bytes(), MIB + 16
    first, second = whole[16 : 16 + chunk], whole[16 + chunk : 16 + 2 * chunk]
    for altered in (
        whole[:40] + bytes([whole[40] ^ 1]) + whole[41:],
        whole[: 16 + chunk],
        whole[: 16 + 2 * chunk],
        whole[:-1],
        whole[:16] + second + first + whole[16 + 2 * chunk :],
        whole + b"x",
        whole[:16],
        b"",
    ):
        target.write_bytes(altered)
        refuses(target)
    target.write_bytes(whole)
    refuses(target.rename(target.parent / "signing-key.pem"))


def test_a_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    made = sealing.key_in_or_new(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert sealing.key_in_or_new(tmp_path / "key") == sealing.key_in(tmp_path / "key") == made
    assert made.hex() not in sealing.fingerprint(made)


@pytest.mark.parametrize("content", ["", "xyz", "00" * 31])
def test_what_is_no_key(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    with pytest.raises(InvalidInputError):
        sealing.key_in_or_new(tmp_path / "key")
    with pytest.raises(InvalidInputError):
        sealing.key_in(tmp_path / "missing")
