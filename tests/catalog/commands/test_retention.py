"""`lineward retention`: what is due, and asking for it."""

from pathlib import Path

from tests.catalog.commands.conftest import Lineward


def test_two_people_are_asked_for_what_is_due(lineward: Lineward, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "keep.yaml"
    path.write_text(
        "apiVersion: lineward.dev/v1\nkind: RetentionSchedule\nmetadata: {name: house}\n"
        "classes: [{id: all, keepFor: P1D, basis: house rule}]\n"
    )
    place = ("--schedule", path, "--data", folder)
    shown = lineward("retention", "show", *place)
    assert (shown.exit_code, "all: 2 due, 0 held, 0 kept" in shown.stdout) == (1, True)
    asked = lineward("retention", "propose", "--yes", *place)
    assert asked.exit_code == 0, asked.stderr
    assert "2 entries: retention class all of house: kept for P1D" in asked.stdout
    assert "all: 2 due" in lineward("retention", "show", *place).stdout, "nothing is erased by asking"
    assert lineward("retention", "show", "--data", folder).exit_code == 2
