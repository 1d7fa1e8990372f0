"""What `lineward verify` finds out: one finding a check, in the order in which each rests on those before it."""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.commands.finding import Finding, Outcome
from catalog.commands.verified_acts import projection, replayed
from catalog.errors import InvalidInputError
from catalog.log import audit, receipt
from catalog.log import checkpoint as checkpoints
from catalog.log.audit import Audited, AuditError, AuditReport
from catalog.log.checkpoint import SignedCheckpoint
from catalog.log.checkpoint_key import PUBLIC, verifier_key
from catalog.log.checkpoint_log import FILE as SIGNED
from catalog.log.export import ExportFolder, MissingPartError, is_export
from catalog.log.note import ForgedError, VerifierKey
from catalog.log.receipt import Proven
from catalog.log.schema import FILE as DATABASE

_ASK = "Ask whoever runs the log for its key (`GET /checkpoint/key`), by another way than the file came, and give --key"


@dataclass(frozen=True, slots=True)
class Given:
    """What the holder knows from elsewhere, and trusts. `roots` are by size."""

    key: VerifierKey | None = None
    checkpoints: tuple[Path, ...] = ()
    witnesses: tuple[VerifierKey, ...] = ()
    roots: Mapping[int, bytes] = field(default_factory=dict)
    document: Path | None = None
    replay: bool = True


def findings(path: Path, given: Given) -> Iterator[Finding]:
    """By what lies at the path. Raises InvalidInputError for what is none of the three, and for malformed files."""
    if (path / DATABASE).is_file():
        yield from _data_folder(path, given)
    elif is_export(path):
        yield from _export(path, given)
    elif path.is_file():
        yield from _receipt(_read(path), given)
    else:
        raise InvalidInputError(
            f"{path} is no data folder, export or receipt.", "Name a folder with a log, or a .tlog-proof file."
        )


# A log -------------------------------------------------------------------------------------------------------------


def _data_folder(path: Path, given: Given) -> Iterator[Finding]:
    from catalog.log.reader import LogReader

    database = _database(path)
    yield database
    if database.outcome is not Outcome.OK:
        return
    with LogReader.open(path) as log:
        yield Finding(Outcome.OK, "origin", log.origin)
        own = path / PUBLIC
        key = given.key or (verifier_key(str(own)) if own.is_file() else None)
        last = path / SIGNED
        held = [_read(last)] if last.is_file() else []
        sound = yield from _log(log, log.origin, key, held, given)
        if sound:
            yield from replayed(log) if given.replay else [Finding(Outcome.ABSENT, "replay", "left out")]
            yield projection(path, log)


def _database(folder: Path) -> Finding:
    """Whether the file is a sound database, so that what it holds can be looked at."""
    import apsw

    from catalog.log.schema import connect_reader, rows

    try:
        connection = connect_reader(folder)
        try:
            found = rows(connection, "PRAGMA integrity_check(1)")[0][0]
        finally:
            connection.close()
    except (apsw.Error, UnicodeDecodeError) as error:
        found = str(error)
    if found != "ok":
        return Finding(Outcome.FAILED, "database", f"the file {DATABASE} is damaged: {found}")
    return Finding(Outcome.OK, "database", "it is sound")


def _export(path: Path, given: Given) -> Iterator[Finding]:
    folder = ExportFolder(path)
    yield Finding(Outcome.OK, "origin", folder.origin)
    yield from _log(folder, folder.origin, given.key, [folder.note], given, bodies=folder.has_bodies)
    yield Finding(Outcome.ABSENT, "projection", "an export has no graph")


def _log(
    log: Audited[Any], origin: str, key: VerifierKey | None, held: list[bytes], given: Given, *, bodies: bool = True
) -> Generator[Finding, None, bool]:
    """The checks that data folders and exports share; its value is whether the log is sound."""
    try:
        signed = _signed(origin, key, [*held, *_kept(given.checkpoints)], given)
        yield from _noted(signed, key, bool(held or given.checkpoints), given)
        roots = _roots(signed, given.roots)
    except ForgedError as error:
        yield Finding(Outcome.FAILED, "note", error.message)
        return False
    try:
        report = audit.check(log, roots)
    except AuditError as error:
        yield Finding(Outcome.FAILED, error.check, error.message)
        return False
    except MissingPartError as error:
        yield Finding(Outcome.INCOMPLETE, "order", error.message, error.remedy)
        return False
    yield from _agreement(report, len(roots))
    yield _erasures(report, bodies)
    return True


def _signed(origin: str, key: VerifierKey | None, notes: Iterable[bytes], given: Given) -> list[SignedCheckpoint]:
    """The checkpoints in these notes; none where there is no key to believe them with."""
    if key is None:
        return []
    if key.name != origin:
        raise ForgedError(f"the key is that of {key.name}, and this is the log {origin}")
    return [checkpoints.opened(each, key, given.witnesses) for each in notes]


def _noted(signed: list[SignedCheckpoint], key: VerifierKey | None, held: bool, given: Given) -> Iterator[Finding]:
    if key is None and held:
        yield Finding(Outcome.INCOMPLETE, "note", "no key is known to check the signature with", _ASK)
    elif not signed:
        yield Finding(Outcome.ABSENT, "note", "nothing was signed yet")
    else:
        whose = " (its own key; --key says whom you trust)" if given.key is None else ""
        yield Finding(Outcome.OK, "note", f"{len(signed)} signed by {key}{whose}")
    for witness in given.witnesses:
        yield _witnessed(witness, signed)


def _witnessed(witness: VerifierKey, signed: list[SignedCheckpoint]) -> Finding:
    seen = [(each.checkpoint.size, mark.time or 0) for each in signed for mark in each.cosigned if mark.key == witness]
    if not seen:
        return Finding(Outcome.FAILED, "witness", f"{witness.name} has cosigned none of these checkpoints")
    size, at = max(seen)
    return Finding(Outcome.OK, "witness", f"{witness.name} saw {size} entries at {_moment(at)}")


def _roots(signed: list[SignedCheckpoint], given: Mapping[int, bytes]) -> dict[int, bytes]:
    """By size. ForgedError where two of one size differ: then one of them was signed for another log."""
    roots: dict[int, bytes] = {}
    for size, root in [*((each.checkpoint.size, each.checkpoint.root) for each in signed), *given.items()]:
        if roots.setdefault(size, root) != root:
            raise ForgedError(
                f"two different roots of {size} entries, {roots[size].hex()} and {root.hex()}: the log was forked"
            )
    return roots


def _agreement(report: AuditReport, roots: int) -> Iterator[Finding]:
    yield Finding(Outcome.OK, "root", f"{report.size}:{report.root.hex()}")
    if roots:
        yield Finding(Outcome.OK, "consistency", f"{roots} checkpoints and roots lie on this log")
    else:
        yield Finding(Outcome.ABSENT, "consistency", "no root was kept elsewhere to compare with")
    yield Finding(Outcome.OK, "order", f"{report.size} entries without a gap, each later than the one before")
    yield Finding(Outcome.OK, "tree", "every stored hash is that of its entries")


def _erasures(report: AuditReport, bodies: bool) -> Finding:
    if report.unexplained and not bodies:
        return Finding(Outcome.INCOMPLETE, "bodies", "they are not in this export", "Export with bodies")
    if report.unexplained:
        first, more = report.unexplained[0], len(report.unexplained) - 1
        others = f", and those of {more} others" if more else ""
        said = f"entry {first}: its body is gone{others}, and no redaction says so"
        return Finding(Outcome.FAILED, "bodies", said)
    erased = f", {report.erased} erased by entries that say so" if report.erased else ""
    return Finding(Outcome.OK, "bodies", f"each is what its entry commits to{erased}")


# A receipt ---------------------------------------------------------------------------------------------------------


def _receipt(data: bytes, given: Given) -> Iterator[Finding]:
    if not receipt.is_receipt(data):
        raise InvalidInputError(
            "This file is no receipt.", "A decision is checked by `lineward decision verify`; a receipt is .tlog-proof"
        )
    held = receipt.read(data)
    if given.key is None:
        yield Finding(Outcome.INCOMPLETE, "note", "no key is known to check the signature with", _ASK)
        return
    try:
        proven = receipt.proven(held, given.key, given.witnesses)
        kept = _signed(given.key.name, given.key, _kept(given.checkpoints), given)
        _roots([proven.signed, *kept], given.roots)
    except ForgedError as error:
        yield Finding(Outcome.FAILED, "receipt", error.message)
        return
    yield Finding(Outcome.OK, "origin", proven.signed.checkpoint.origin)
    yield from _noted([proven.signed], given.key, True, given)
    yield Finding(Outcome.OK, "root", str(proven.signed.checkpoint))
    told = "{type} by {actor}, recorded at {ts}".format_map(proven.envelope)
    yield Finding(Outcome.OK, "inclusion", f"entry {proven.index} under this root: {told}")
    yield from _bound(proven, given.document)


def _bound(proven: Proven, document: Path | None) -> Iterator[Finding]:
    if proven.body is not None:
        yield Finding(Outcome.OK, "bodies", f"{len(proven.body)} bytes, which the entry commits to")
    if document is None:
        return
    if proven.salt is None:
        yield Finding(Outcome.INCOMPLETE, "document", "the receipt holds no salt: the body was erased when it was made")
        return
    holds = any(map(proven.binds, _bodies_of(_read(document))))
    if holds:
        yield Finding(Outcome.OK, "document", f"{document} is the body of this entry")
    else:
        yield Finding(Outcome.FAILED, "document", f"{document} is not the body of entry {proven.index}")


def _bodies_of(data: bytes) -> Iterator[bytes]:
    """What a file may be the body of: its bytes, and of a decision's bundle the decision, as it was logged."""
    import rfc8785

    yield data
    try:
        told = json.loads(data)
        decision = told.get("decision") if isinstance(told, Mapping) else None
        yield from [] if decision is None else [rfc8785.dumps(decision)]
    except (ValueError, RecursionError, rfc8785.CanonicalizationError):
        return


# Files -------------------------------------------------------------------------------------------------------------


def _kept(paths: Iterable[Path]) -> list[bytes]:
    """The checkpoints in files, and in the files `*.checkpoint` of folders."""
    return [_read(each) for path in paths for each in ([path] if not path.is_dir() else _within(path))]


def _within(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.checkpoint"))
    if not found:
        raise InvalidInputError(f"{folder} holds no checkpoint.", "Name a file, or a folder of files *.checkpoint.")
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error


def _moment(seconds: int) -> str:
    from catalog.log.entry import format_timestamp

    return format_timestamp(seconds * 1_000_000).decode()
