"""A rule of trust that could be taken over is refused when it is written, not when it is abused."""

from typing import Any

import pytest
from pydantic import ValidationError

from catalog.authority.issuers import Issuer
from catalog.settings import Settings
from tests.catalog.authority.issuing import rule

GITHUB = {"issuer": "https://token.actions.githubusercontent.com", "kind": "github"}
GITLAB = {"issuer": "https://gitlab.example", "kind": "gitlab"}
IDS = {"repository_id": "7", "repository_owner_id": "6"}
PROJECT = {"project_id": "7", "namespace_id": "6"}


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (GITHUB | {"rules": {"repository": "octo/risk", "ref": "refs/heads/main"}}, "repository_id and"),
        (GITHUB | {"rules": {"repository_id": "7", "ref": "refs/heads/main"}}, "repository_owner_id"),
        (GITHUB | {"rules": {"repository_owner_id": "6", "ref": "refs/heads/main"}}, "repository_id"),
        (GITHUB | {"rules": IDS}, "workflow"),
        (GITHUB | {"rules": IDS | {"actor": "ann"}}, "workflow"),
        (GITHUB | {"kind": "oidc"}, "github"),
        ({"issuer": "https://gitlab.com"}, "gitlab"),
        (GITLAB | {"rules": {"project_path": "octo/risk", "environment": "production"}}, "project_id"),
        (GITLAB | {"rules": PROJECT | {"ref": "main"}}, "ref with ref_type"),
        (GITHUB | {"rules": IDS | {"environment": "p"}, "scopes": ["approve"]}, "for people"),
        (GITHUB | {"rules": IDS | {"environment": "p"}, "scopes": ["admin"]}, "for people"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"algorithms": ["HS256"]}, "algorithms"),
        ({"algorithms": ["RS256", "HS512"]}, "algorithms"),
        ({"algorithms": []}, "algorithms"),
        ({"audience": ""}, "audience"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"jwks": "http://issuer.example/jwks"}, "plain http"),
        ({"rule": {}}, "rule"),
        ({"rules": {"sub": None}}, "rules"),
    ],
)
def test_a_rule_that_binds_too_little_is_refused(told: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        rule(**told)


@pytest.mark.parametrize(
    "told",
    [
        GITHUB | {"rules": IDS | {"ref": "refs/heads/main"}},
        GITHUB | {"rules": IDS | {"job_workflow_ref": "octo/ci/.github/workflows/release.yml@refs/tags/v1"}},
        GITLAB | {"rules": PROJECT | {"ref": "main", "ref_type": "branch", "ref_protected": "true"}},
        GITLAB | {"rules": PROJECT | {"environment": "production"}},
        {"jwks": "/etc/lineward/jwks.json"},
        {"jwks": "http://127.0.0.1:9000/jwks"},
    ],
)
def test_a_rule_that_binds_enough_is_taken(told: dict[str, Any]) -> None:
    assert rule(**told).issuer


def test_rules_come_from_the_environment_and_survive_the_way_to_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    written = rule(**GITHUB, rules=IDS | {"environment": ["production", "staging"]}).model_dump_json()
    monkeypatch.setenv("LINEWARD_ISSUERS", f"[{written}]")
    (found,) = Settings().issuers
    assert Issuer.model_validate_json(written) == found
    assert found.fits(IDS | {"environment": "staging"})
    assert Settings.model_validate(Settings().model_dump(mode="json")).issuers == (found,)


@pytest.mark.parametrize("scope", ["admin", "approve", "waive", "attest", "policy:write", "redact"])
def test_nobody_in_particular_does_nothing_in_particular(monkeypatch: pytest.MonkeyPatch, scope: str) -> None:
    monkeypatch.setenv("LINEWARD_ANONYMOUS_SCOPES", f'["lineage:read", "{scope}"]')
    with pytest.raises(ValidationError, match=f"{scope} is never given"):
        Settings()
