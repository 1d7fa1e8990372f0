"""The manual of the evidence is the one of the models."""

from pathlib import Path

import pytest

from policies.evidence.fields import EVIDENCE, EvidenceField
from policies.evidence.manual import manual

_NOT_READ = ("schema", "facts")  # by expressions
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "evidence.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == manual(), f"write {PAGE.name} again: python -m policies.evidence.manual"


@pytest.mark.parametrize("field", EVIDENCE.values(), ids=lambda field: field.path)
def test_every_field_says_what_it_means(field: EvidenceField) -> None:
    assert field.meaning


@pytest.mark.parametrize("field", EVIDENCE.values(), ids=lambda field: field.path)
def test_every_field_has_a_sender_or_is_made_of_fields_that_have_one(field: EvidenceField) -> None:
    inner = [each for path, each in EVIDENCE.items() if path.startswith((f"{field.path}.", f"{field.path}[]."))]

    assert field.sources or inner or field.path.partition("[]")[0] in _NOT_READ
