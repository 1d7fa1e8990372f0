"""A decision at a terminal: the state first, each trouble under its control, and nothing that moves the cursor."""

from policies.formats.document import decision_of
from policies.formats.terminal import terminal
from policies.verdict import ItemResult, Verdict
from tests.policies.attestation.decisions import BROKEN, WAIVER, allow, body, deny, result


def test_what_stops_it_and_what_to_do_stand_together() -> None:
    lines = terminal(deny()).splitlines()
    assert lines[0] == "DENY  credit risk@2 for production"
    at = next(n for n, line in enumerate(lines) if "B-06" in line)
    assert lines[at].split()[0] == "fail"
    assert "sex reaches the model" in lines[at + 1]
    assert "missing column.labels: never classified" in lines[at + 3]
    assert "→ Remedy of B-06." in lines[at + 4]


def test_a_waiver_is_shown_with_its_end_and_its_reason() -> None:
    (line,) = [line for line in terminal(allow()).splitlines() if line.startswith("waiver")]
    assert WAIVER in line
    assert "2026-12-24" in line
    assert "on leave" in line


def test_a_control_without_items_says_what_its_note_says() -> None:
    assert BROKEN.note in terminal(decision_of(body("INDETERMINATE", BROKEN)))


def test_texts_of_others_stay_on_their_lines() -> None:
    evil = "\x1b[2Jx\ny\u202e"
    control = result("B-01", Verdict.FAIL, title=evil, items=(ItemResult(evil, "c", Verdict.FAIL, evil),))
    told = terminal(decision_of(body("DENY", control, reasons=[evil])))
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert not any(line.startswith("y") for line in told.splitlines())
