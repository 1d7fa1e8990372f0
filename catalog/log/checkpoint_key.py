"""The private keys of logs and witnesses: Ed25519 in PEM, given or made on first use, for their owner alone."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from tempfile import mkstemp

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from catalog.errors import InvalidInputError
from catalog.log.note import KeyKind, Signer, VerifierKey

PRIVATE = "checkpoint-key.pem"
PUBLIC = "checkpoint-key.vkey"
VARIABLE = "LINEWARD_CHECKPOINT_KEY"

_MAKE = "Make one with `openssl genpkey -algorithm ed25519`."


def checkpoint_signer(
    folder: Path, origin: str, given: str | None, file: Path | None, warn: Callable[[str], None]
) -> Signer:
    """The key that signs the log's checkpoints: `given` in PEM, else in `file`, else the data folder's.

    The folder's is made on first use. `warn` hears where a new key lies, and that others can read an old one. The
    public half is kept beside the log, for `verify`. Raises InvalidInputError for what is no Ed25519 key in PEM.
    """
    if given is not None:
        private = _private(given, VARIABLE)
    elif file is not None:
        private = _from_file(file, warn)
    else:
        private = private_key(folder / PRIVATE, warn)
    signer = Signer(origin, private)
    _publish(signer.key, folder / PUBLIC)
    return signer


def cosigner(path: Path, name: str, warn: Callable[[str], None]) -> Signer:
    """The key of a witness in this file, made on first use. Its public half lies beside it, `.vkey`."""
    signer = Signer(name, private_key(path, warn), KeyKind.COSIGNATURE)
    _publish(signer.key, path.with_suffix(".vkey"))
    return signer


def private_key(path: Path, warn: Callable[[str], None]) -> Ed25519PrivateKey:
    """The key in a file, which is made where there is none."""
    if not path.exists() and _create(path):
        warn(f"A key was made: {path.absolute()}. Keep it safe and back it up.")
    return _from_file(path, warn)


def verifier_key(given: str) -> VerifierKey:
    """The key that a vkey says, or the file of that name holds. Raises MalformedError for neither."""
    path = Path(given)
    if "+" in given and not path.is_file():
        return VerifierKey.parse(given)
    return VerifierKey.parse(_text(path))


def _from_file(path: Path, warn: Callable[[str], None]) -> Ed25519PrivateKey:
    private = _private(_text(path), str(path))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        warn(f"Others on this machine may read the key: chmod 600 {path.absolute()}")
    return private


def _private(pem: str, source: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidInputError(f"{source} holds no private key in PEM without a password.", _MAKE) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInputError(f"{source} holds a key that is not Ed25519.", _MAKE)
    return key


def _publish(key: VerifierKey, path: Path) -> None:
    """The public half, also of a key that was put there by hand."""
    line = f"{key}\n"
    if not path.exists() or path.read_text() != line:
        path.write_text(line)


def _create(path: Path) -> bool:
    """A new private key; False where another process was first."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
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


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InvalidInputError(
            f"The key {path} cannot be read: {reason}.", "Check its path and its rights."
        ) from error
