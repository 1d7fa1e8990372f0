"""What was counted in a run of the long tier is kept, for the page on reliability."""

from collections.abc import Callable

import pytest

from tests.faults import last_run

Counted = Callable[[str, int], None]


@pytest.fixture
def counted(record_property: Callable[[str, object], None]) -> Counted:
    """Tells how many of something a test did: it then is among the figures of the run."""

    def count(what: str, number: int) -> None:
        record_property(last_run.PROPERTY, f"{number:,} {what}")

    return count


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    last_run.note(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput") and session.config.getoption("markexpr") == "long":
        last_run.write()
