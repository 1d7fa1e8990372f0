"""The secret beside the log: made once, for its owner alone, and never made again in silence."""

from pathlib import Path

import pytest

from catalog.authority.pepper import FILE, Pepper, PepperMissingError
from catalog.errors import InvalidInputError


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made = Pepper(tmp_path).secret_or_new()
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(made.decode())) == 32
    assert Pepper(tmp_path).secret_or_new() == Pepper(tmp_path).secret() == made
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_lost_file_is_told_and_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(PepperMissingError, match="missing"):
        Pepper(tmp_path).secret()
    (tmp_path / FILE).write_bytes(b"")
    with pytest.raises(PepperMissingError, match="cut short"):
        Pepper(tmp_path).secret_or_new()


def test_a_setting_needs_no_file(tmp_path: Path) -> None:
    assert Pepper(tmp_path, "x" * 32).secret_or_new() == b"x" * 32
    assert list(tmp_path.iterdir()) == []


def test_a_short_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="LINEWARD_KEY_PEPPER"):
        Pepper(tmp_path, "secret")
