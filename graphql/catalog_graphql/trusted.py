"""Documents that are known by their SHA-256: a server may be told to run no others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from catalog.errors import InvalidInputError, NotFoundError
from catalog_graphql.limits import DocumentLimits

PREFIX = "sha256:"
_FOLDERS = (Path(__file__).with_name("operations"), Path(__file__).parents[1] / "operations")


@dataclass(frozen=True, slots=True)
class TrustedDocuments:
    """The texts of operations by the SHA-256 of their UTF-8, hex. `only` refuses all others."""

    texts: Mapping[str, str] = field(default_factory=dict)
    only: bool = False

    def __contains__(self, query: object) -> bool:
        return isinstance(query, str) and digest(query) in self.texts

    def text(self, document: object) -> str:
        """The document of this id: its SHA-256 in hex, `sha256:` before it or not. NotFoundError for others."""
        found = self.texts.get(document.removeprefix(PREFIX)) if isinstance(document, str) else None
        if found is None:
            raise NotFoundError("No document of this id is known here.", "Send the text of the operation as query.")
        return found


@dataclass(frozen=True, slots=True)
class Admission:
    """What one caller's operation has to keep to."""

    limits: DocumentLimits
    may_explore: bool = True
    trusted: TrustedDocuments = field(default_factory=TrustedDocuments)

    def knows(self, query: str | None) -> bool:
        return not self.trusted.only or query in self.trusted


def digest(query: str) -> str:
    """Half of a surrogate pair, which JSON can spell, is in no document of ours."""
    return sha256(query.encode(errors="surrogatepass")).hexdigest()


def trusted_documents(*folders: Path, texts: Iterable[str] = (), only: bool = True) -> TrustedDocuments:
    """Every `*.graphql` file of these folders, byte by byte, and these texts.

    Raises InvalidInputError for a folder that is not there, one without any operation, or a file that is no UTF-8:
    a server that refuses everything by mistake would look safe and be useless.
    """
    found = [*(text for folder in folders for text in _texts(folder)), *texts]
    return TrustedDocuments({digest(text): text for text in found}, only)


def shipped() -> tuple[Path, ...]:
    """The folder of operations that come with Lineward: beside this module where installed, above it in a checkout."""
    return tuple(folder for folder in _FOLDERS if folder.is_dir())[:1]


def _texts(folder: Path) -> list[str]:
    files = sorted(folder.glob("*.graphql")) if folder.is_dir() else []
    if not files:
        raise InvalidInputError(f"{folder} has no *.graphql files.", "Name a folder of operations, one in a file.")
    try:
        return [file.read_bytes().decode() for file in files]
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"A file in {folder} is not in UTF-8.", "Save it as UTF-8.") from error
