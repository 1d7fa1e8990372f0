"""Two sizes of one test: a quick one inside `make test`, a long one for `make test-faults`."""

from typing import Any

import pytest


def tiers(name: str, quick: Any, long: Any) -> pytest.MarkDecorator:
    """Runs with `quick`, and in the long tier with `long`."""
    return pytest.mark.parametrize(
        name, [pytest.param(quick, id="quick"), pytest.param(long, id="long", marks=pytest.mark.long)]
    )
