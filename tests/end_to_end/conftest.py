"""One server for the tests that neither stop it nor count what is in its log."""

from collections.abc import Iterator

import pytest

from tests.end_to_end.server_process import ServerProcess, serving

CHUNK_SECONDS = 1.0
BODY_SECONDS = 2.0


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """With little patience for slow bodies."""
    data = tmp_path_factory.mktemp("shared") / "data"
    with serving(data, chunk_seconds=str(CHUNK_SECONDS), body_seconds=str(BODY_SECONDS)) as server:
        yield server
