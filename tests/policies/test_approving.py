"""Who may approve, and how many a binding asks for."""

from typing import Any

import pytest

from catalog.errors import ForbiddenError
from catalog.principal import Scope
from policies.approving import approval_params, check_approver, counts_approvals, developers_of, person_of
from policies.binding import PolicyBinding
from policies.evidence.document import Evidence
from policies.pack import PolicyPack
from tests.policies.office import ANN, PIPELINE, binding, pack

PARAMS = {"approvers": {"type": "int", "default": 2}, "approverRoles": {"type": "list<string>", "default": []}}


def counting(**more: Any) -> PolicyPack:
    return PolicyPack.model_validate(pack(**more))


def binds(**more: Any) -> PolicyBinding:
    return PolicyBinding.model_validate(binding(**more))


def evidence(**run: Any) -> Evidence:
    subject = {"id": "dv", "kind": "MODEL_VERSION", "namespace": "n", "name": "m", "developedBy": ["dan@example.org"]}
    training = {"id": "rn", "runId": "u", "job": "train"} | run
    return Evidence.model_validate({"subject": subject, "trainingRuns": [training], "lineage": {"complete": True}})


def test_a_machine_is_no_person() -> None:
    assert person_of(ANN, Scope.APPROVE) == "ann@example.org"
    with pytest.raises(ForbiddenError, match="only people may approve"):
        person_of(PIPELINE, Scope.APPROVE)


def test_developers_are_persons_and_names_that_may_be_theirs() -> None:
    told = evidence(authors=("Ann <Ann@Example.org>", "eve@example.org"), user="root")
    assert developers_of(told) == {"dan@example.org", "ann@example.org", "eve@example.org", "root"}
    assert developers_of(evidence()) == {"dan@example.org"}


def test_nobody_approves_their_own_work_or_request() -> None:
    check_approver("ann@example.org", {"eve@example.org"}, None)
    check_approver("ann@example.org", set(), "bob@example.org")
    for developers, requester in (({"ann@example.org"}, None), (set(), "ann@example.org")):
        with pytest.raises(ForbiddenError) as refused:
            check_approver("ann@example.org", developers, requester)
        assert refused.value.remedy


@pytest.mark.parametrize(
    ("params", "bound", "expected"),
    [
        (PARAMS, [{"count": 3, "roles": ["risk"]}], {"approvers": 3, "approverRoles": ["risk"]}),
        (PARAMS, [], {}),
        (
            PARAMS,
            [{"count": 3, "roles": ["risk"]}, {"count": 2, "roles": ["legal"]}],
            {"approvers": 3, "approverRoles": ["risk", "legal"]},
        ),
        ({}, [{"count": 3}], {}),
    ],
    ids=["told", "silent", "told twice", "a pack that counts none"],
)
def test_bindings_say_how_many_approve(params: Any, bound: list[Any], expected: dict[str, Any]) -> None:
    counted = counting(params=params)
    assert approval_params(counted, [binds(approvals=each) for each in bound]) == expected
    assert counts_approvals(counted) is bool(params)
