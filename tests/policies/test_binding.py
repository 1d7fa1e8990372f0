"""Bindings: what they may say, and what several of them amount to."""

from datetime import date
from typing import Any

import pytest

from catalog.errors import ConflictError, InvalidInputError
from policies.binding import PolicyBinding, WaiverDocument
from policies.enforcing import params_of, settings_of
from policies.evaluation import evaluate_pack
from policies.loading import load_text, parse_document
from policies.timeline import start_of
from policies.verdict import Enforcement
from tests.policies.packs import control, evidence, pack_of

DAY = start_of(date(2026, 11, 24))


def binding(name: str = "b", **parts: Any) -> PolicyBinding:
    made = parse_document(
        {
            "apiVersion": "lineward.dev/v1",
            "kind": "PolicyBinding",
            "metadata": {"name": name},
            "environments": ["production"],
            "packs": [{"name": "house"}],
        }
        | parts
    )
    assert isinstance(made, PolicyBinding)
    return made


def enforced(*bindings: PolicyBinding, at: int = DAY, **control_parts: Any) -> tuple[Enforcement, str]:
    (result,) = evaluate_pack(
        pack_of(control(**control_parts)), evidence(), evaluated_at=at, enforcement=settings_of(bindings)
    )
    return result.enforcement, result.note


def test_a_binding_out_of_yaml() -> None:
    text = """\
apiVersion: lineward.dev/v1
kind: PolicyBinding
metadata: {name: retail}
environments: [production, no]
match: {namespaces: ["credit*"]}
packs: [{name: house, version: 1.0.0}]
params: {house: {countries: [NO, SE], days: 7, word: yes, flag: true}}
enforcement: {"*": warn, house/C-1: block}
approvals: {count: 3, roles: [risk]}
adviseUntil: 2027-01-01
maxLagSeconds: 30
"""
    (made,) = load_text(text.encode(), "b.yaml").documents
    assert isinstance(made, PolicyBinding)
    assert made.environments == ("production", "no")
    assert made.settings("house") == {"countries": ("NO", "SE"), "days": 7, "word": "yes", "flag": True}
    assert made.advise_until == date(2027, 1, 1)
    assert parse_document(made.normalised()).digest == made.digest


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({"environments": []}, "environments is empty"),
        ({"packs": [{"name": "house", "digest": "sha256:00"}]}, "sha256:00 does not fit here"),
        ({"enforcement": {"C-1": "blok"}}, "blok is none of"),
        ({"approvals": {"count": 0}}, "count: "),
        ({"enviroments": ["x"]}, "there is no key enviroments here"),
        ({"adviseUntil": "soon"}, "adviseUntil: this is no day"),
    ],
)
def test_what_is_wrong_with_a_binding_is_told(parts: dict[str, Any], what: str) -> None:
    with pytest.raises(InvalidInputError, match=what):
        binding(**parts)


def test_the_nearer_word_counts() -> None:
    assert enforced() == (Enforcement.BLOCK, "")
    assert enforced(binding(enforcement={"*": "warn"}))[0] is Enforcement.WARN
    assert enforced(binding(enforcement={"*": "warn", "C-1": "advise"}))[0] is Enforcement.ADVISE
    named = {"*": "warn", "C-1": "advise", "house/C-1": "block", "other/C-1": "warn"}
    assert enforced(binding(enforcement=named))[0] is Enforcement.BLOCK
    assert enforced(binding(), enforcement="warn")[0] is Enforcement.WARN


def test_a_new_binding_advises_first() -> None:
    new = binding(adviseUntil="2026-11-25", enforcement={"C-1": "block"})
    assert enforced(new) == (Enforcement.ADVISE, "It only advises: the binding only advises until 2026-11-25.")
    assert enforced(new, at=start_of(date(2026, 11, 25)))[0] is Enforcement.BLOCK


def test_a_name_binds_before_the_law_does() -> None:
    later: dict[str, Any] = {"effective": {"from": "2027-01-01"}}
    assert enforced(binding(enforcement={"*": "block"}), **later)[0] is Enforcement.ADVISE
    assert enforced(binding(enforcement={"C-1": "block"}), **later)[0] is Enforcement.BLOCK


def test_the_strictest_of_several_bindings_holds() -> None:
    warns, advises = binding("w", enforcement={"*": "warn"}), binding("a", adviseUntil="2030-01-01")
    assert enforced(warns, advises)[0] is Enforcement.WARN
    assert enforced(advises, warns) == enforced(warns, advises)
    assert enforced(advises, warns, binding("b"))[0] is Enforcement.BLOCK


def test_bindings_must_agree_on_params() -> None:
    one, other = binding("one", params={"house": {"days": 7}}), binding("other", params={"house": {"days": 9}})
    assert params_of("house", [one, one]) == {"days": 7}
    assert params_of("else", [one, other]) == {}
    with pytest.raises(ConflictError, match="set the param days of house to 7 and to 9"):
        params_of("house", [one, other])


def test_a_waiver_as_a_file() -> None:
    text = """\
apiVersion: lineward.dev/v1
kind: Waiver
metadata: {name: WVR-1}
target: {namespace: models, model: risk, version: 2}
pack: house
control: C-1
reason: the vendor is late
compensatingControl: manual review
severity: high
expiresAt: 2027-01-31
"""
    (made,) = load_text(text.encode(), "w.yaml").documents
    assert isinstance(made, WaiverDocument)
    assert made.target.version == "2"
    assert made.expires_at == "2027-01-31T00:00:00.000000Z"
