"""The index names every fault and every test of this folder, and nothing that does not exist."""

from importlib.util import find_spec

import pytest

from tests.faults.index import HERE, ROOT, Row, docstrings, rows, table

ROWS = rows()
each_row = pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])


def test_every_fault_has_its_row() -> None:
    assert [row.id for row in ROWS] == [f"F{number}" for number in range(1, 23)]


@each_row
def test_every_test_that_a_row_names_exists(row: Row) -> None:
    assert row.tests
    for test in row.tests:
        path, _, name = test.partition("::")
        assert name in docstrings(ROOT / path), test


def test_every_test_of_this_folder_stands_for_the_faults_that_its_docstring_names() -> None:
    for path in sorted(HERE.glob("test_*.py")):
        if path.name == "test_index.py":
            continue
        for name, docstring in docstrings(path).items():
            test = f"tests/faults/{path.name}::{name}"
            told = docstring.partition(":")[0].split(", ")
            assert told == [row.id for row in ROWS if test in row.tests], test


@each_row
def test_what_is_absent_has_no_faults(row: Row) -> None:
    """Whoever adds such a door adds its faults to the index."""
    assert not row.absent or find_spec(row.absent) is None


def test_the_page_on_reliability_has_the_index() -> None:
    assert table() in (ROOT / "docs" / "reliability.md").read_text(), "run: python -m tests.faults"
