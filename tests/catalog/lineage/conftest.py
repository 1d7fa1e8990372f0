"""The readings of `docs/reference/meaning.md` that the decided cases are put to."""

import pytest

from tests.catalog.lineage.product import product
from tests.reference.answers import Reading
from tests.reference.model import Reference

READINGS: dict[str, Reading] = {"reference": Reference, "product": product}


@pytest.fixture(params=list(READINGS))
def answers(request: pytest.FixtureRequest) -> Reading:
    """A way to have a set of records answered; the same tests hold for each."""
    return READINGS[request.param]
