"""The binding that comes with the program, on the pack that it names."""

from pathlib import Path

from policies.binding import PolicyBinding
from policies.enforcing import parse_settings, settings_of, strictest
from policies.judge import shipped
from policies.loading import load
from policies.verdict import Enforcement
from tests.policies.office import NOON, Office

STARTER = Path(__file__).parents[2] / "policies" / "bindings" / "starter.yaml"


def starter() -> PolicyBinding:
    (document,) = load(STARTER).documents
    assert isinstance(document, PolicyBinding)
    return document


def test_it_blocks_on_four_controls_and_advises_on_the_rest() -> None:
    pack = shipped("base-ml-governance")
    assert pack is not None
    settings = parse_settings(settings_of([starter()]))
    blocking = {
        control.id for control in pack.controls if strictest(settings, pack, control, {}, NOON)[0] is Enforcement.BLOCK
    }
    assert blocking == {"B-01", "B-03", "B-06", "B-12"}


def test_it_comes_into_force_with_its_pack() -> None:
    pack = shipped("base-ml-governance")
    assert pack is not None
    office = Office()
    office.enact(pack.normalised(), starter().normalised())
