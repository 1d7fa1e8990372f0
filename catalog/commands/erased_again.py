"""What a restored log has to lose again: a backup from before an erasure holds what was erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from catalog.erasure import redaction
from catalog.erasure.described import described_erasure
from catalog.erasure.redaction import EntryRef, Erase, ErasedEntry, Keep
from catalog.erasure.register import ErasureRegister
from catalog.erasure.skeleton import skeleton_of
from catalog.errors import InvalidInputError, NotFoundError
from catalog.log.entry import Entry, decode_envelope
from catalog.log.merkle import leaf_hash
from catalog.log.reader import LogReader
from catalog.log.writer import microseconds_now
from catalog.principal import Principal

if TYPE_CHECKING:
    from catalog.erasure.touching import Touching

_PAGE = 500
_RESTORE = Principal("restore", None, ())


@dataclass(frozen=True, slots=True)
class KnownErasure:
    """An erasure that is done: its proposal, and the commitments of the bodies that went."""

    node: str
    proposal: str
    reason: str
    basis: str
    keep: Keep
    commits: frozenset[str]


def known_erasures(path: Path) -> list[KnownErasure]:
    """Out of the JSON that `lineward redact list` prints, or the log of a data folder.

    NotFoundError where there is nothing, InvalidInputError for what is neither.
    """
    if path.is_dir():
        with LogReader.open(path) as log:
            register = ErasureRegister.of(log)
        listed: Sequence[Any] = [described_erasure(each, register) for each in register.proposals]
    else:
        listed = _listed(path)
    try:
        return [_known(each) for each in listed if each["state"] == "ERASED" and each["entries"]]
    except (KeyError, TypeError) as error:
        raise _no_list(path, f"{error} is missing or wrong") from error


def _listed(path: Path) -> Sequence[Any]:
    try:
        found = orjson.loads(path.read_bytes())["erasures"]
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no {path}", "Name the file, or the old data folder.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _no_list(path, str(error)) from error
    if not isinstance(found, list):
        raise _no_list(path, "erasures is no list")
    return found


def _known(said: Mapping[str, Any]) -> KnownErasure:
    keep: Keep = "structure" if said["keep"] == "STRUCTURE" else "nothing"
    commits = frozenset(each["commit"] for each in said["entries"])
    return KnownErasure(said["id"], said["proposal"], said["reason"], said["basis"], keep, commits)


def erased_again(folder: Path, known: Sequence[KnownErasure]) -> list[int]:
    """Erase in the log of a folder what these erasures name and it still holds; the positions.

    Entries are told by their commitments. Each erasure is a new entry, by `restore`, that answers the old proposal.
    """
    from catalog.commands.options import settings
    from catalog.composition import create_log, touching

    if not known:
        return []
    gone: list[int] = []
    with create_log(folder) as store, LogReader.open(folder) as log:
        touched = touching(settings(data=folder))
        for erasure in known:
            found = [_erased(entry, erasure.keep, touched) for entry in _held(log, erasure.commits)]
            if found:
                gone += (each.seq for each in found)
                store.append([redaction.submission(_told(erasure, found))], microseconds_now())
    return gone


def _held(log: LogReader, commits: frozenset[str]) -> list[Entry]:
    found: list[Entry] = []
    start = 0
    while page := log.entries(start, _PAGE):
        found += (
            entry
            for entry in page
            if entry.body is not None and decode_envelope(entry.seq, entry.envelope).body.commit in commits
        )
        start = page[-1].seq + 1
    return found


def _erased(entry: Entry, keep: Keep, touched: "Touching") -> ErasedEntry:
    return ErasedEntry(
        seq=entry.seq,
        commit=decode_envelope(entry.seq, entry.envelope).body.commit,
        leaf=leaf_hash(entry.envelope).hex(),
        keeps=skeleton_of(entry) if keep == "structure" else None,
        touches=touched(entry, keep).nodes,
    )


def _told(erasure: KnownErasure, erased: Sequence[ErasedEntry]) -> Erase:
    return redaction.make(
        Erase,
        _RESTORE,
        microseconds_now(),
        refers_to=erasure.node,
        proposal=erasure.proposal,
        reason=erasure.reason,
        basis=erasure.basis,
        entries=tuple(EntryRef(seq=each.seq, commit=each.commit) for each in erased),
        keep=erasure.keep,
        erased=tuple(erased),
    )


def _no_list(path: Path, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"{path} lists no erasures: {why}", "Name what `lineward redact list --json` printed, or a data folder."
    )
