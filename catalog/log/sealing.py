"""Files that only the holder of a key can read: AES-256-GCM in chunks (NIST SP 800-38D), each bound to its place.

A file is 16 bytes of salt and then chunks of 1 MiB, each with its tag. The key of a file is derived from the backup's
key, the salt and the file's name (HKDF-SHA256, RFC 5869); a chunk's nonce is its number and whether it is the last, so
that chunks cannot be swapped, repeated or cut off. Destroying the key destroys every file that was sealed with it.
"""

import os
import secrets
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from catalog.errors import CorruptLogError, InvalidInputError

KEY_BYTES = 32
_SALT_BYTES = 16
_TAG_BYTES = 16
_CHUNK = 1 << 20


def key_in(path: Path) -> bytes:
    """The key in a file. InvalidInputError for what is none."""
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"{path} holds no key of backups", "Name the file that `lineward backup --key` made."
        ) from error
    if len(key) != KEY_BYTES:
        raise InvalidInputError(f"the key in {path} has {len(key)} bytes, not {KEY_BYTES}", "Name another file.")
    return key


def key_in_or_new(path: Path) -> bytes:
    """The same; a file that is not there is made, for its owner alone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return key_in(path)
    except OSError as error:
        raise InvalidInputError(f"no key can be made in {path}: {error.strerror}", "Name another file.") from error
    key = secrets.token_bytes(KEY_BYTES)
    with os.fdopen(descriptor, "w") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key


def fingerprint(key: bytes) -> str:
    """What tells a key without telling what it is: SHA-256, hex."""
    return sha256(b"lineward/backup-key/1" + key).hexdigest()


def seal(source: Path, target: Path, key: bytes) -> None:
    """Write `target` as what only the key opens again. The name of `source` is bound to it."""
    salt = secrets.token_bytes(_SALT_BYTES)
    cipher = _cipher(key, salt, source.name)
    with source.open("rb") as plain, target.open("wb") as sealed:
        sealed.write(salt)
        for number, last, chunk in _chunks(plain, _CHUNK):
            sealed.write(cipher.encrypt(_nonce(number, last), chunk, None))


def unseal(source: Path, target: Path, key: bytes) -> None:
    """The reverse. CorruptLogError for another key, and for a file that was changed."""
    with source.open("rb") as sealed, target.open("wb") as plain:
        cipher = _cipher(key, sealed.read(_SALT_BYTES), source.name)
        for number, last, chunk in _chunks(sealed, _CHUNK + _TAG_BYTES):
            try:
                plain.write(cipher.decrypt(_nonce(number, last), chunk, None))
            except InvalidTag as error:
                raise CorruptLogError(
                    f"{source.name} does not open with this key, or was changed", "Name the key of this backup."
                ) from error


def _cipher(key: bytes, salt: bytes, name: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, f"lineward/backup/1 {name}".encode()).derive(key))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _chunks(file: BinaryIO, size: int) -> Iterator[tuple[int, bool, bytes]]:
    """Number, whether it is the last, and content of each chunk; an empty file has one."""
    number, chunk = 0, file.read(size)
    while True:
        following = file.read(size) if len(chunk) == size else b""
        yield number, not following, chunk
        if not following:
            return
        number, chunk = number + 1, following
