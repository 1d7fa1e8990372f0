"""The keys that sign for logs and witnesses, and those that verify them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from catalog.log.note import KeyKind, Signer, VerifierKey
from catalog.private_key import LogKey, kept_key, kept_mldsa44_key, key_in, key_of, key_text, log_key_in, publish

PRIVATE = "checkpoint-key.pem"
PUBLIC = "checkpoint-key.vkey"
MLDSA44 = "checkpoint-key.mldsa44.pem"
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
        private = kept_key(folder / PRIVATE, warn, _made(folder / PRIVATE))
    signer = Signer(origin, private)
    publish(f"{signer.key}\n", folder / PUBLIC)
    return signer


def further_signers(
    folder: Path, origin: str, files: Iterable[Path], warn: Callable[[str], None], *, mldsa44: bool
) -> list[Signer]:
    """Keys that sign each checkpoint too: those of `files`, and on request an ML-DSA-44 key of the data folder."""
    private = [log_key_in(file, warn) for file in files]
    if mldsa44:
        path = folder / MLDSA44
        private.append(kept_mldsa44_key(path, warn, _made(path)))
    return [Signer(origin, each) for each in private]


def cosigner(path: Path, name: str, warn: Callable[[str], None], *, mldsa44: bool = False) -> Signer:
    """The key of a witness in this file, made on first use. Its public half lies beside it, `.vkey`."""
    signer = Signer(name, witness_key(path, warn, mldsa44=mldsa44), KeyKind.COSIGNATURE)
    publish(f"{signer.key}\n", path.with_suffix(".vkey"))
    return signer


def witness_key(path: Path, warn: Callable[[str], None], *, mldsa44: bool = False) -> LogKey:
    """The key in a file, which is made where there is none: Ed25519, or ML-DSA-44."""
    if mldsa44:
        return kept_mldsa44_key(path, warn, _made(path))
    if not path.exists():
        kept_key(path, warn, _made(path))
    return log_key_in(path, warn)


def verifier_key(given: str) -> VerifierKey:
    """The key that a vkey says, or the file of that name holds. Raises MalformedError for neither."""
    path = Path(given)
    if "+" in given and not path.is_file():
        return VerifierKey.parse(given)
    return VerifierKey.parse(key_text(path))


def _made(path: Path) -> str:
    return f"A key was made: {path.absolute()}. Keep it safe and back it up."
