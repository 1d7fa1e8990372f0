"""The keys that sign for logs and witnesses, and those that verify them."""

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from catalog.log.note import KeyKind, Signer, VerifierKey
from catalog.private_key import kept_key, key_in, key_of, key_text, publish

PRIVATE = "checkpoint-key.pem"
PUBLIC = "checkpoint-key.vkey"
VARIABLE = "LINEWARD_CHECKPOINT_KEY"


def checkpoint_signer(
    folder: Path, origin: str, given: str | None, file: Path | None, warn: Callable[[str], None]
) -> Signer:
    """The key that signs the log's checkpoints: `given` in PEM, else in `file`, else the data folder's.

    The folder's is made on first use. `warn` hears where a new key lies, and that others can read an old one. The
    public half is kept beside the log, for `verify`. Raises InvalidInputError for what is no Ed25519 key in PEM.
    """
    if given is not None:
        private = key_of(given, VARIABLE)
    elif file is not None:
        private = key_in(file, warn)
    else:
        private = private_key(folder / PRIVATE, warn)
    signer = Signer(origin, private)
    publish(f"{signer.key}\n", folder / PUBLIC)
    return signer


def cosigner(path: Path, name: str, warn: Callable[[str], None]) -> Signer:
    """The key of a witness in this file, made on first use. Its public half lies beside it, `.vkey`."""
    signer = Signer(name, private_key(path, warn), KeyKind.COSIGNATURE)
    publish(f"{signer.key}\n", path.with_suffix(".vkey"))
    return signer


def private_key(path: Path, warn: Callable[[str], None]) -> Ed25519PrivateKey:
    """The key in a file, which is made where there is none."""
    return kept_key(path, warn, f"A key was made: {path.absolute()}. Keep it safe and back it up.")


def verifier_key(given: str) -> VerifierKey:
    """The key that a vkey says, or the file of that name holds. Raises MalformedError for neither."""
    path = Path(given)
    if "+" in given and not path.is_file():
        return VerifierKey.parse(given)
    return VerifierKey.parse(key_text(path))
