"""Private keys in files: PEM, made on first use, for their owner alone. Ed25519; logs may have ML-DSA-44 besides."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from tempfile import mkstemp

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from catalog.errors import InvalidInputError

_MAKE = "Make one with `openssl genpkey -algorithm ed25519`."

Warn = Callable[[str], None]
LogKey = Ed25519PrivateKey | MLDSA44PrivateKey


def kept_key(path: Path, warn: Warn, made: str) -> Ed25519PrivateKey:
    """The key in a file, which is made where there is none. `warn` hears `made`, then, as for `key_in`."""
    if not path.exists() and _create(path, Ed25519PrivateKey.generate()):
        warn(made)
    return key_in(path, warn)


def kept_mldsa44_key(path: Path, warn: Warn, made: str) -> LogKey:
    """As `kept_key`, ML-DSA-44 (FIPS 204)."""
    if not path.exists() and _create(path, MLDSA44PrivateKey.generate()):
        warn(made)
    return log_key_in(path, warn)


def key_in(path: Path, warn: Warn) -> Ed25519PrivateKey:
    """The key in a file; `warn` hears that others can read it. Raises InvalidInputError for what is none."""
    return _ed25519(log_key_in(path, warn), str(path))


def log_key_in(path: Path, warn: Warn) -> LogKey:
    """As `key_in`, of either kind."""
    key = _loaded(key_text(path), str(path))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        warn(f"Others on this machine may read the key: chmod 600 {path.absolute()}")
    return key


def key_of(pem: str, source: str) -> Ed25519PrivateKey:
    """The key in a text; `source` says in errors where that came from."""
    return _ed25519(_loaded(pem, source), source)


def _loaded(pem: str, source: str) -> LogKey:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidInputError(f"{source} holds no private key in PEM without a password.", _MAKE) from error
    if not isinstance(key, LogKey):
        raise InvalidInputError(f"{source} holds a key that is not Ed25519.", _MAKE)
    return key


def _ed25519(key: LogKey, source: str) -> Ed25519PrivateKey:
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInputError(f"{source} holds a key that is not Ed25519.", _MAKE)
    return key


def key_text(path: Path) -> str:
    """The text of a file of keys, private or public."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InvalidInputError(
            f"The key {path} cannot be read: {reason}.", "Check its path and its rights."
        ) from error


def publish(text: str, path: Path) -> None:
    """The public half in a file, also of a key that was put there by hand."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def _create(path: Path, key: LogKey) -> bool:
    """A new private key in its file; False where another process was first."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    descriptor, mine = mkstemp(dir=path.parent, prefix=f"{path.name}.")  # for its owner alone
    with open(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(descriptor)
    try:
        os.link(mine, path)  # unlike a rename, never over another's key
    except FileExistsError:
        return False
    finally:
        os.unlink(mine)
    return True
