"""`lineward verify`: whatever is changed in a log, an export or a receipt is found, named, and told by exit code."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.commands.finding import Finding, Outcome
from catalog.commands.verified import Given, findings
from catalog.composition import GRAPH_FILE, open_data
from catalog.errors import LinewardError
from catalog.log.checkpoint_key import PRIVATE, PUBLIC, checkpoint_signer, verifier_key
from catalog.log.checkpoint_log import FILE as SIGNED
from catalog.log.checkpoint_log import CheckpointLog
from catalog.log.entry import EntryType, Submission, decode_envelope
from catalog.log.export import write_export
from catalog.log.merkle import leaf_hash
from catalog.log.note import KeyKind, Signer
from catalog.log.reader import LogReader
from catalog.log.schema import FILE
from catalog.log.store import LogStore
from catalog.settings import Settings
from policies.acts import canonical
from tests.catalog.commands.conftest import RECEIVED, Lineward
from tests.policies.attestation.judged import OWNED, decided

SIZE = 300


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 300 entries that was signed at 120 and at 300, its export, and what an outsider kept."""
    root = tmp_path_factory.mktemp("kept")
    data, outside = root / "data", root / "outside"
    outside.mkdir()
    with LogStore.open(data) as store:
        for start, end in ((0, 120), (120, SIZE)):
            batch = [
                Submission(EntryType.OPENLINEAGE, "ann", b"%d" % i, b'{"n": %d}' % i, event_time=1000 * i)
                for i in range(start, end)
            ]
            store.append(batch, RECEIVED + start)
            with LogReader.open(data) as log:
                signing = CheckpointLog(log, checkpoint_signer(data, log.origin, None, None, lambda _said: None), data)
                signed = signing.current()
                shutil.copy(data / SIGNED, outside / f"{end}.checkpoint")
    with LogReader.open(data) as log:
        write_export(log, signed, root / "export")
    return root


@pytest.fixture
def copy(kept: Path, tmp_path: Path) -> Path:
    """All of it, to spoil."""
    shutil.copytree(kept, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def database(copy: Path) -> Iterator[apsw.Connection]:
    """The log's file in the hands of somebody who removes the triggers first."""
    connection = unlocked(copy / "data")
    yield connection
    connection.close()


def unlocked(data: Path) -> apsw.Connection:
    connection = apsw.Connection(str(data / FILE))
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')
    return connection


def spoiled(path: Path) -> list[Finding]:
    return [each for each in findings(path, Given(replay=False)) if each.outcome is Outcome.FAILED]


def rewritten(database: apsw.Connection, seq: int, old: bytes, new: bytes) -> None:
    """Change an envelope and its leaf hash with it."""
    found: Any = database.execute("SELECT envelope FROM entry WHERE seq = ?", (seq,)).fetchall()[0][0]
    changed = found.replace(old, new)
    assert changed != found
    database.execute("UPDATE entry SET envelope = ?, leaf = ? WHERE seq = ?", (changed, leaf_hash(changed), seq))


# A data folder -----------------------------------------------------------------------------------------------------


def test_an_honest_log_passes_every_check(lineward: Lineward, kept: Path) -> None:
    done = lineward("verify", kept / "data", "--checkpoint", kept / "outside", env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.stderr
    told = [line.split()[:2] for line in done.stdout.splitlines()]
    assert told[:9] == [
        ["ok", "database"], ["ok", "origin"], ["ok", "note"], ["ok", "root"], ["ok", "consistency"], ["ok", "order"],
        ["ok", "tree"], ["ok", "bodies"], ["absent", "replay"],
    ]  # fmt: skip
    assert "Nothing was changed." in done.stdout
    assert f"root   {SIZE}:" in done.stdout


DAMAGE = [
    ("UPDATE entry SET envelope = zeroblob(100) WHERE seq = 7", "entry 7"),
    ("UPDATE entry SET leaf = zeroblob(32) WHERE seq = 8", "entry 8"),
    ("DELETE FROM entry WHERE seq = 9", "entry 9"),
    ("DELETE FROM entry WHERE seq < 120", "entry 0"),
    ("DELETE FROM body WHERE seq IN (10, 11)", "entry 10"),
    ("UPDATE body SET salt = zeroblob(16) WHERE seq = 12", "entry 12"),
    (
        "UPDATE body SET salt = o.salt, compressed = o.compressed FROM body o WHERE o.seq = 14 AND body.seq = 13",
        "entry 13",
    ),
    ("UPDATE node SET hash = zeroblob(32)", "entry 255"),
    ("DELETE FROM node", "entry 255"),
    ("UPDATE idem SET digest = zeroblob(16) WHERE seq = 15", "the log"),
    ("UPDATE idem SET seq = 17 - seq WHERE seq IN (8, 9)", "the log"),
    ("DELETE FROM idem WHERE seq = 16", "the log"),
    ("UPDATE log SET origin = 'lineward/other'", "the key is that of"),
    ("UPDATE entry SET seq = -1 WHERE seq = 5; UPDATE entry SET seq = 5 WHERE seq = 6;"
     "UPDATE entry SET seq = 6 WHERE seq = -1", "entry 5"),
]  # fmt: skip


@pytest.mark.parametrize(("damage", "place"), DAMAGE)
def test_damage_is_found_and_named(
    lineward: Lineward, copy: Path, database: apsw.Connection, damage: str, place: str
) -> None:
    database.execute(damage)
    done = lineward("verify", copy / "data")
    assert done.exit_code == 1
    assert done.stderr.startswith(place)


def cut(database: apsw.Connection, size: int) -> None:
    for table in ("entry", "body", "idem"):
        database.execute(f"DELETE FROM {table} WHERE seq >= {size}")
    database.execute(f"DELETE FROM node WHERE (idx + 1) << level > {size}")


@pytest.mark.parametrize("size", [0, 1, 120, 256, SIZE - 1])
def test_a_log_cut_back_is_found_by_what_it_signed(
    lineward: Lineward, copy: Path, database: apsw.Connection, size: int
) -> None:
    cut(database, size)
    done = lineward("verify", copy / "data")
    assert done.exit_code == 1
    assert f"entry {size}: missing" in done.stderr


def test_an_old_backup_is_found_by_a_checkpoint_kept_outside(
    lineward: Lineward, copy: Path, database: apsw.Connection
) -> None:
    """Log and memory of what was signed are both as they once were: nothing inside tells."""
    cut(database, 120)
    shutil.copy(copy / "outside" / "120.checkpoint", copy / "data" / SIGNED)
    assert lineward("verify", copy / "data").exit_code == 0
    done = lineward("verify", copy / "data", "--checkpoint", copy / "outside" / "300.checkpoint")
    assert done.exit_code == 1
    assert done.stderr.startswith("entry 120: missing, and what followed: the log has 120 entries, and once had 300")


def test_a_consistent_rewrite_is_found_by_what_was_signed(
    lineward: Lineward, copy: Path, database: apsw.Connection
) -> None:
    """Beyond the last stored node nothing else inside the log contradicts the new leaf."""
    rewritten(database, 290, b'"actor":"ann"', b'"actor":"bob"')
    done = lineward("verify", copy / "data")
    assert done.exit_code == 1
    assert "the root of size 300" in done.stderr


def test_a_rewrite_by_the_holder_of_the_key_is_found_by_a_checkpoint_kept_outside(
    lineward: Lineward, copy: Path, database: apsw.Connection
) -> None:
    rewritten(database, 290, b'"actor":"ann"', b'"actor":"bob"')
    (copy / "data" / SIGNED).unlink()
    with LogReader.open(copy / "data") as log:
        signer = checkpoint_signer(copy / "data", log.origin, None, None, lambda _said: None)
        CheckpointLog(log, signer, copy / "data").current()
    assert lineward("verify", copy / "data").exit_code == 0
    done = lineward("verify", copy / "data", "--checkpoint", copy / "outside")
    assert done.exit_code == 1
    assert "two different roots of 300 entries" in done.stderr
    assert "forked" in done.stderr


TABLES = {
    "entry": ("leaf", "envelope"),
    "body": ("salt", "compressed"),
    "node": ("hash",),
    "idem": ("digest",),
}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_bit_of_a_stored_row_can_change(kept: Path, tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    folder = copied(kept, tmp_path_factory.mktemp("flip"))
    table = data.draw(st.sampled_from(sorted(TABLES)))
    column = data.draw(st.sampled_from(TABLES[table]))
    connection = unlocked(folder)
    key = {"node": "idx"}.get(table, "seq")
    row = data.draw(st.integers(0, 0 if table == "node" else SIZE - 1))
    held: Any = connection.execute(f"SELECT {column} FROM {table} WHERE {key} = ?", (row,)).fetchall()[0][0]
    flipped = bytearray(held)
    bit = data.draw(st.integers(0, len(flipped) * 8 - 1))
    flipped[bit // 8] ^= 1 << bit % 8
    before = bodies(folder, row) if table == "body" else None
    connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (bytes(flipped), row))
    connection.close()
    found = spoiled(folder)
    # The compressor leaves a bit of its header without meaning: the body that comes out is the one that was logged.
    assert found or (column == "compressed" and bodies(folder, row) == before)
    if found and table in ("entry", "body"):
        assert found[0].message.startswith(f"entry {row}: ")


SWAPS = {
    "whole entries": ("entry", ("leaf", "envelope")),
    "envelopes": ("entry", ("envelope",)),
    "hashes": ("entry", ("leaf",)),
    "bodies": ("body", ("salt", "compressed")),
    "salts": ("body", ("salt",)),
    "positions in the index": ("idem", ("digest",)),
}


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_no_two_rows_can_be_swapped(kept: Path, tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    folder = copied(kept, tmp_path_factory.mktemp("swap"))
    table, columns = SWAPS[data.draw(st.sampled_from(sorted(SWAPS)))]
    first, second = data.draw(st.lists(st.integers(0, SIZE - 1), min_size=2, max_size=2, unique=True))
    connection = unlocked(folder)
    query = f"SELECT {', '.join(columns)} FROM {table} WHERE seq = ?"
    rows = [connection.execute(query, (seq,)).fetchall()[0] for seq in (second, first)]
    for seq, row in zip((first, second), rows, strict=True):
        changes = ", ".join(f"{column} = ?" for column in columns)
        connection.execute(f"UPDATE {table} SET {changes} WHERE seq = ?", (*row, seq))
    connection.close()
    found = spoiled(folder)
    assert found
    if table != "idem":
        assert found[0].message.startswith(f"entry {min(first, second)}: ")


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_no_row_can_be_dropped(kept: Path, tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    folder = copied(kept, tmp_path_factory.mktemp("drop"))
    table = data.draw(st.sampled_from(["entry", "body", "idem"]))
    start = data.draw(st.integers(0, SIZE - 1))
    end = data.draw(st.integers(start, SIZE - 1))
    connection = unlocked(folder)
    connection.execute(f"DELETE FROM {table} WHERE seq BETWEEN {start} AND {end}")
    connection.close()
    found = spoiled(folder)
    assert found
    if table == "body" or (table == "entry" and end < SIZE - 1):
        assert found[0].message.startswith(f"entry {start}: ")


@settings(max_examples=20, deadline=None)
@given(size=st.integers(0, SIZE - 1))
def test_the_log_can_be_cut_back_nowhere(kept: Path, tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    folder = copied(kept, tmp_path_factory.mktemp("cut"))
    connection = unlocked(folder)
    cut(connection, size)
    connection.close()
    assert [each.message for each in spoiled(folder)] == [
        f"entry {size}: missing, and what followed: the log has {size} entries, and once had {SIZE}"
    ]


def copied(kept: Path, folder: Path) -> Path:
    for name in (FILE, SIGNED, PUBLIC):
        shutil.copy(kept / "data" / name, folder / name)
    return folder


def bodies(folder: Path, seq: int) -> bytes | None:
    with LogReader.open(folder) as log:
        return log.entry(seq).body


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_bit_of_the_file_can_change_an_answer(
    kept: Path, tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    """A bit of the file itself: it is found, or every entry still reads as it did."""
    folder = copied(kept, tmp_path_factory.mktemp("file"))
    whole = bytearray((folder / FILE).read_bytes())
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    (folder / FILE).write_bytes(whole)
    try:
        if spoiled(folder):
            return
    except LinewardError:
        return
    with LogReader.open(folder) as log, LogReader.open(kept / "data") as honest:
        assert log.entries(0, SIZE) == honest.entries(0, SIZE)


def test_a_file_that_is_no_database_any_more_is_named(lineward: Lineward, copy: Path) -> None:
    file = copy / "data" / FILE
    file.write_bytes(file.read_bytes()[:5000] + bytes(60_000))
    done = lineward("verify", copy / "data")
    assert done.exit_code == 1
    assert FILE in done.stderr


# Erasures ----------------------------------------------------------------------------------------------------------


def erased(data: Path, redaction: Callable[[str], dict[str, Any]]) -> None:
    """A log whose first body is gone, and a second entry that says so as `redaction` writes it of the commitment."""
    with LogStore.open(data) as store:
        store.append([Submission(EntryType.OPENLINEAGE, "ann", b"a", b"{}")], RECEIVED)
        with LogReader.open(data) as log:
            commit = decode_envelope(0, log.entry(0).envelope).body.commit
        body = json.dumps(redaction(commit)).encode()
        store.append([Submission(EntryType.REDACTION, "ann", b"b", body)], RECEIVED)
    connection = apsw.Connection(str(data / FILE))
    connection.execute("DELETE FROM body WHERE seq = 0")
    connection.close()


def test_an_erasure_that_an_entry_records_is_no_tampering(lineward: Lineward, tmp_path: Path) -> None:
    erased(tmp_path, lambda commit: {"erased": [{"seq": 0, "commit": commit}]})
    done = lineward("verify", tmp_path)
    assert done.exit_code == 0, done.stderr
    assert "1 erased by entries that say so" in done.stdout


@pytest.mark.parametrize(
    "said", [{}, {"erased": 1}, {"erased": []}, {"erased": [{"seq": 0}]}, {"erased": [{"commit": "x"}]}]
)
def test_a_redaction_explains_only_what_it_names(lineward: Lineward, tmp_path: Path, said: dict[str, Any]) -> None:
    erased(tmp_path, lambda _commit: said)
    assert lineward("verify", tmp_path).exit_code == 1


# Keys and witnesses ------------------------------------------------------------------------------------------------


def test_a_key_of_somebody_else_is_a_failure(lineward: Lineward, kept: Path) -> None:
    with LogReader.open(kept / "data") as log:
        stranger = Signer(log.origin, Ed25519PrivateKey.generate()).key
    done = lineward("verify", kept / "data", "--key", stranger)
    assert done.exit_code == 1
    assert "none of the keys that are trusted" in done.stderr


@pytest.mark.parametrize(
    "key", ["nothing", "a+b+c", "lineward/x+00000000+AYj544rRJxraf27ZylKNn81nWg0qdEaMwF+mVeBA4Ghh"]
)
def test_what_is_no_key_is_malformed(lineward: Lineward, kept: Path, key: str) -> None:
    assert lineward("verify", kept / "data", "--key", key).exit_code == 2


def test_a_witness_who_is_asked_for_must_have_cosigned(lineward: Lineward, copy: Path) -> None:
    witness = Signer("witness", Ed25519PrivateKey.generate(), KeyKind.COSIGNATURE)
    file = copy / "outside" / "300.checkpoint"
    asked = ("verify", copy / "data", "--checkpoint", file, "--witness", witness.key)
    done = lineward(*asked)
    assert done.exit_code == 1
    assert "has cosigned none" in done.stderr
    text = file.read_text()
    file.write_text(text + str(witness.sign(text.partition("\n\n")[0] + "\n", 1_764_000_000)))
    done = lineward(*asked)
    assert done.exit_code == 0, done.stderr
    assert "witness saw 300 entries at 2025-11-24T16:00:00" in done.stdout


def test_a_checkpoint_that_is_none_is_malformed(lineward: Lineward, copy: Path) -> None:
    (copy / "outside" / "120.checkpoint").write_text("nothing\n")
    assert lineward("verify", copy / "data", "--checkpoint", copy / "outside").exit_code == 2


# Decisions and graph -----------------------------------------------------------------------------------------------


def write_decision(data: Path, change: Callable[[dict[str, Any]], object] = lambda _document: None) -> None:
    document = json.loads(json.dumps(dict(decided(OWNED).document)))
    change(document)
    body = canonical(document)
    with LogStore.open(data) as store:
        store.append([Submission(EntryType.DECISION, "ann", body, body)], RECEIVED)


def test_decisions_are_evaluated_again(lineward: Lineward, tmp_path: Path) -> None:
    write_decision(tmp_path / "data")
    done = lineward("verify", tmp_path / "data")
    assert done.exit_code == 0, done.stderr
    assert "1 decisions come out as they were recorded" in done.stdout


def test_a_decision_that_comes_out_otherwise_is_named(lineward: Lineward, tmp_path: Path) -> None:
    write_decision(tmp_path / "data", lambda document: document.update(verdict="fail", state="DENY"))
    done = lineward("verify", tmp_path / "data")
    assert done.exit_code == 1
    assert done.stderr.startswith("entry 0: the decision dc_")
    assert lineward("verify", tmp_path / "data", "--no-replay").exit_code == 0


def test_the_graph_is_compared_with_a_projection_of_the_same_entries(lineward: Lineward, folder: Path) -> None:
    with open_data(Settings(data=folder)) as data:
        data.project()
    done = lineward("verify", folder)
    assert done.exit_code == 0
    assert "2 entries give" in done.stdout
    connection = apsw.Connection(str(folder / GRAPH_FILE))
    connection.execute("DELETE FROM body")
    connection.close()
    done = lineward("verify", folder)
    assert done.exit_code == 1
    assert "the graph is not what the first 2 entries say" in done.stderr


# An export ---------------------------------------------------------------------------------------------------------


def test_an_export_is_checked_with_the_logs_key_alone(lineward: Lineward, kept: Path, tmp_path: Path) -> None:
    key = kept / "data" / PUBLIC
    done = lineward("verify", kept / "export", "--key", key, "--checkpoint", kept / "outside")
    assert done.exit_code == 0, done.stderr
    assert lineward("verify", kept / "export").exit_code == 3


def test_lineward_export_makes_one(lineward: Lineward, copy: Path) -> None:
    key = copy / "data" / PUBLIC
    assert lineward("export", copy / "new", "--data", copy / "data").exit_code == 0
    assert lineward("verify", copy / "new", "--key", key).exit_code == 0
    assert lineward("export", copy / "new", "--data", copy / "data").exit_code == 2
    assert lineward("export", copy / "proofs", "--no-bodies", "--data", copy / "data").exit_code == 0
    done = lineward("verify", copy / "proofs", "--key", key)
    assert done.exit_code == 3
    assert "not in this export" in done.stderr


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/001.p/44", "bodies/001"])
def test_a_part_that_is_missing_makes_it_incomplete(lineward: Lineward, copy: Path, path: str) -> None:
    (copy / "export" / path).unlink()
    done = lineward("verify", copy / "export", "--key", copy / "data" / PUBLIC)
    assert done.exit_code == 3
    assert path in done.stderr


def test_an_older_export_is_found_by_a_checkpoint_kept_outside(lineward: Lineward, copy: Path) -> None:
    shutil.copy(copy / "outside" / "120.checkpoint", copy / "export" / SIGNED)
    done = lineward(
        "verify", copy / "export", "--key", copy / "data" / PUBLIC, "--checkpoint", copy / "outside" / "300.checkpoint"
    )
    assert done.exit_code in (1, 3)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_bit_of_an_export_can_change(kept: Path, tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    folder = tmp_path_factory.mktemp("flip") / "export"
    shutil.copytree(kept / "export", folder)
    file = data.draw(st.sampled_from(sorted(each for each in folder.rglob("*") if each.is_file())))
    whole = bytearray(file.read_bytes())
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    file.write_bytes(whole)
    key = verifier_key(str(kept / "data" / PUBLIC))
    try:
        found = list(findings(folder, Given(key=key)))
    except LinewardError:
        return
    assert any(each.outcome in (Outcome.FAILED, Outcome.INCOMPLETE) for each in found) or "bodies" in file.parts


# A receipt ---------------------------------------------------------------------------------------------------------


def test_a_receipt_is_checked_with_the_logs_key_alone(lineward: Lineward, kept: Path, tmp_path: Path) -> None:
    file, key = tmp_path / "r.tlog-proof", kept / "data" / PUBLIC
    assert lineward("receipt", "7", "--data", kept / "data", "-o", file).exit_code == 0
    done = lineward("verify", file, "--key", key)
    assert done.exit_code == 0, done.stderr
    assert "entry 7 under this root: openlineage by ann, recorded at" in done.stdout
    assert lineward("verify", file, "--key", key, "--checkpoint", kept / "outside").exit_code == 0
    assert lineward("verify", file).exit_code == 3
    assert lineward("verify", file, env={"LINEWARD_LOG_KEY": key.read_text().strip()}).exit_code == 0
    assert lineward("receipt", "7", "--data", kept / "data").stdout == file.read_text()


def test_a_receipt_that_was_changed_fails(lineward: Lineward, kept: Path, tmp_path: Path) -> None:
    file = tmp_path / "r.tlog-proof"
    lineward("receipt", "7", "--data", kept / "data", "-o", file)
    file.write_text(file.read_text().replace("index 7", "index 8"))
    done = lineward("verify", file, "--key", kept / "data" / PUBLIC)
    assert done.exit_code == 1
    assert "entry 8 is not in the log" in done.stderr
    file.write_text("nothing")
    assert lineward("verify", file, "--key", kept / "data" / PUBLIC).exit_code == 2


def test_a_receipt_is_held_against_the_document_that_it_is_of(lineward: Lineward, kept: Path, tmp_path: Path) -> None:
    file, key = tmp_path / "r.tlog-proof", kept / "data" / PUBLIC
    lineward("receipt", "7", "--body", "--data", kept / "data", "-o", file)
    (tmp_path / "7.json").write_text('{"n": 7}')
    (tmp_path / "8.json").write_text('{"n": 8}')
    assert lineward("verify", file, "--key", key, "--document", tmp_path / "7.json").exit_code == 0
    done = lineward("verify", file, "--key", key, "--document", tmp_path / "8.json")
    assert done.exit_code == 1
    assert "is not the body of entry 7" in done.stderr


def test_a_receipt_of_a_decision_goes_with_its_bundle(lineward: Lineward, tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "r.tlog-proof"
    write_decision(data)
    decision = decided(OWNED)
    done = lineward("receipt", "--decision", decision.id, "--data", data, "-o", file)
    assert done.exit_code == 0, done.stderr
    shown = lineward("decision", "show", decision.id, "--format", "json", "--data", data)
    (tmp_path / "gate.json").write_text(shown.stdout)
    asked = ("verify", file, "--key", data / PUBLIC, "--document", tmp_path / "gate.json")
    assert lineward(*asked).exit_code == 0
    (tmp_path / "gate.json").write_text(shown.stdout.replace('"ALLOW"', '"DENY"'))
    assert lineward(*asked).exit_code == 1


@pytest.mark.parametrize(
    "arguments", [(), ("7", "--decision", "dc_x"), ("999",), ("--decision", "dc_x"), ("--act", "ap_x")]
)
def test_a_receipt_of_nothing_is_a_usage_error(lineward: Lineward, folder: Path, arguments: tuple[str, ...]) -> None:
    assert lineward("receipt", *arguments, "--data", folder).exit_code == 2


def test_another_key_may_be_given(lineward: Lineward, copy: Path, tmp_path: Path) -> None:
    """With a key from elsewhere the log does not continue what its own key signed, and says so."""
    shutil.move(copy / "data" / PRIVATE, tmp_path / "old.pem")
    done = lineward("receipt", "7", "--data", copy / "data")
    assert done.exit_code == 1
    done = lineward(
        "receipt", "7", "--data", copy / "data", env={"LINEWARD_CHECKPOINT_KEY_FILE": str(tmp_path / "old.pem")}
    )
    assert done.exit_code == 0
