"""An erasure at a real server: asked for by one person, done by another, gone, and nothing passes because of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from catalog.log.reader import LogReader
from tests.catalog.commands.company import FIRST, hire, id_in, new_key
from tests.catalog.commands.conftest import OTHER, TRAIN, training, write_log
from tests.end_to_end.server_process import eventually, lineward, serving
from tests.end_to_end.test_release import Staff, run, succeeds

SECRET = f"Q{token_hex(12)}"


@pytest.fixture(scope="module")
def staff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staff]:
    folder = tmp_path_factory.mktemp("erasure")
    data = folder / "data"
    events = training(TRAIN, "registry", "1") + training(OTHER, "registry", "2")
    said = {"_producer": "urn:test", "_schemaURL": "urn:test", "description": f"with the rows of {SECRET}"}
    events[0]["inputs"][0]["facets"]["documentation"] = said
    events[0]["run"]["facets"] = {"lineward_note": said}
    write_log(data, events)
    first = succeeds("", *FIRST, "--data", data).strip()
    with serving(data) as server:
        server.await_projection()
        place = ("--url", server.url)

        def by(key: str, *command: str) -> str:
            return succeeds(key, *command, *place)

        keys = hire(by, first)
        for name in ("eve", "fay"):
            keys[name] = by(keys["ann"], *new_key(name, "redact", "lineage:read", "policy:read")).strip()
            by(keys["ben"], "keys", "confirm", keys[name].split("_")[1])
        yield Staff(run, place, keys, folder, server)


def holding(folder: Path, wanted: list[bytes]) -> list[str]:
    """The files that hold any of these."""
    files = [(each, each.read_bytes()) for each in sorted(folder.rglob("*")) if each.is_file()]
    return [each.name for each, content in files if any(one in content for one in wanted)]


def stored(data: Path, seq: int) -> list[bytes]:
    with LogReader.open(data) as log:
        row = log.stored(seq, 1)[0]
    return [part for part in (row.salt, row.compressed) if part]


def state_of(staff: Staff) -> int:
    return staff.asks().returncode


def test_two_people_erase_and_nothing_passes_because_of_it(staff: Staff) -> None:
    staff.enact_ours()
    staff.name_owner()
    staff.approve("carl", "dora")
    assert state_of(staff) == 0

    found = json.loads(staff.does("eve", "redact", "find", SECRET.lower(), "--json"))
    assert [(each["seq"], each["stays"]) for each in found][:1] == [(0, None)]
    seqs = [str(each["seq"]) for each in found]
    wanted = [SECRET.encode(), *(part for seq in seqs for part in stored(staff.server.data, int(seq)))]
    assert "graph.db" in str(holding(staff.server.data, wanted))

    asked = ("redact", "propose", *seqs, "--reason", "the subject asked", "--basis", "GDPR Art. 17(1)(b)")
    assert staff.run("carl", *asked).exit_code == 3
    proposal = id_in(staff.does("eve", *asked))
    alone = staff.run("eve", "redact", "confirm", proposal)
    assert alone.exit_code == 3
    assert "proposed this" in alone.stderr
    told = staff.does("fay", "redact", "confirm", proposal)
    assert "gone" in told
    again = staff.run("fay", "redact", "confirm", proposal)
    assert "already" in again.stderr

    eventually(lambda: not holding(staff.server.data, wanted), "folder without the words")
    assert json.loads(staff.does("eve", "redact", "find", SECRET, "--json")) == []
    assert state_of(staff) != 0
    said = staff.asks("--json", staff.folder / "gate.json")
    assert "erased" in said.stdout.lower(), said.stdout


def test_lineage_can_still_be_walked_and_says_what_it_lost(staff: Staff) -> None:
    walked = lineward("lineage", "risk@1", "--format", "json", url=staff.server.url, api_key=staff.keys["pipe"])
    graph: dict[str, Any] = json.loads(walked.stdout)
    assert "train.csv" in walked.stdout
    assert "ERASED" in {gap["kind"] for gap in graph["gaps"]}


def test_the_log_verifies_with_what_it_lost(staff: Staff) -> None:
    checked = lineward("verify", str(staff.server.data))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "erased by entries that say so" in checked.stdout
