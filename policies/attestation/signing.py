"""The key that signs decisions, and the keys that verify them: Ed25519, given or made on first use."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from catalog.errors import InvalidInputError, NotFoundError
from catalog.private_key import kept_key, key_in, key_of, key_text, publish

PRIVATE = "signing-key.pem"
PUBLIC = "signing-key.pub.pem"

_ASK = "Ask whoever runs the server for its public key, and give it with --key FILE or LINEWARD_VERIFY_KEY_FILE."


class KeySettings(BaseSettings):
    """Where the keys come from, of `LINEWARD_*` variables; the text goes before the file."""

    model_config = SettingsConfigDict(env_prefix="LINEWARD_", extra="ignore", frozen=True)

    signing_key: Annotated[SecretStr | None, Field(description="Private key that signs decisions, PEM text")] = None
    signing_key_file: Annotated[Path | None, Field(description="File of that key")] = None
    verify_key: Annotated[str | None, Field(description="Public key that decisions are verified with, PEM text")] = None
    verify_key_file: Annotated[Path | None, Field(description="File of that key")] = None


# Signing -----------------------------------------------------------------------------------------------------------


def signing_key(settings: KeySettings, folder: Path, warn: Callable[[str], None]) -> CryptoSigner:
    """The configured key, else the one of the data folder, which is made on first use.

    `warn` hears where a new key lies, and that others can read an old one. Raises InvalidInputError for what is no
    Ed25519 key in PEM.
    """
    if settings.signing_key is not None:
        return CryptoSigner(key_of(settings.signing_key.get_secret_value(), "LINEWARD_SIGNING_KEY"))
    if settings.signing_key_file is not None:
        return CryptoSigner(key_in(settings.signing_key_file, warn))
    path = folder / PRIVATE
    made = (
        f"A key that signs decisions was made: {path.absolute()}. Keep it safe and back it up; "
        f"hand {PUBLIC}, which lies beside it, to those who verify."
    )
    signer = CryptoSigner(kept_key(path, warn, made))
    publish(public_pem(signer.public_key), folder / PUBLIC)
    return signer


# Verifying ---------------------------------------------------------------------------------------------------------


def public_pem(key: SSlibKey) -> str:
    """The public key in PEM (SubjectPublicKeyInfo), as `openssl` and others read it."""
    raw = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.keyval["public"]))
    return raw.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_document(key: SSlibKey) -> dict[str, Any]:
    """The public key as JSON: `keyid`, `keytype`, `scheme`, `keyval`, and `pem` for other tools."""
    return {"keyid": key.keyid, **key.to_dict(), "pem": public_pem(key)}


def verifying_key(file: Path | None, settings: KeySettings, folder: Path | None) -> SSlibKey:
    """The key to trust: that of `file`, else the configured one, else the data folder's.

    Never one that a signed file brings along. Raises NotFoundError where none is known, InvalidInputError for what
    is no public Ed25519 key, in PEM or as `public_document` writes it.
    """
    if file is not None:
        return public_key(key_text(file), str(file))
    if settings.verify_key is not None:
        return public_key(settings.verify_key, "LINEWARD_VERIFY_KEY")
    if settings.verify_key_file is not None:
        return public_key(key_text(settings.verify_key_file), str(settings.verify_key_file))
    if folder is not None and (folder / PUBLIC).is_file():
        return public_key(key_text(folder / PUBLIC), str(folder / PUBLIC))
    raise NotFoundError("No key is known to verify with.", _ASK)


def public_key(text: str, source: str) -> SSlibKey:
    pem = _pem_within(text, source)
    if "PRIVATE KEY" in pem:
        raise InvalidInputError(f"{source} holds a private key.", f"Give the public one, {PUBLIC}.")
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidInputError(f"{source} holds no public key in PEM.", _ASK) from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInputError(f"{source} holds a key that is not Ed25519.", _ASK)
    return SSlibKey.from_crypto(key)


def _pem_within(text: str, source: str) -> str:
    if not text.lstrip().startswith("{"):
        return text
    try:
        return str(json.loads(text)["pem"])
    except (ValueError, KeyError) as error:
        raise InvalidInputError(f"{source} is JSON without the `pem` of a key.", _ASK) from error
