"""Only a token that a trusted issuer signed for us, now, with a key of its own, is believed."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.authority.jwks import IssuerUnavailableError
from catalog.authority.persons import Persons
from catalog.errors import UnauthenticatedError
from catalog.principal import Scope
from tests.catalog.authority.issuing import AUDIENCE, ISSUER, NOW, Provider, claims, elliptic, rsa, rule, signed

NOBODY = Persons()


def part(document: Mapping[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()


@pytest.fixture
def provider() -> Provider:
    return Provider()


def refused(provider: Provider, token: str, why: str) -> None:
    with pytest.raises(UnauthenticatedError, match=why):
        provider.verifier().verify(token)


def test_a_genuine_token_says_who_and_what(provider: Provider) -> None:
    told = claims(email="Ann@Example.org", email_verified=True, groups=["validators", 7, "validators"])
    trust = rule(roles_claim="groups", scopes=["lineage:read", "approve"], namespaces=["team-*"])
    principal = provider.verifier(trust).verify(signed(told)).principal(NOBODY)
    assert (principal.name, principal.person) == (f"oidc:{ISSUER}#u-1", "ann@example.org")
    assert principal.roles == ("validators",)
    assert principal.may(Scope.APPROVE, "team-a")
    assert not principal.may(Scope.APPROVE, "other")
    assert not principal.may(Scope.ADMIN)


def test_other_public_key_algorithms_work_where_they_are_trusted(provider: Provider) -> None:
    provider.keys = [rsa("k1"), elliptic("e1")]
    token = signed(key=elliptic("e1"), alg="ES256")
    assert provider.verifier(rule(algorithms=["ES256"])).verify(token).claims["sub"] == "u-1"
    refused(provider, token, "not signed in a way that is trusted")


# Attacks


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "", "HS256", None, ["RS256"], 7])
def test_an_algorithm_that_is_not_the_issuers_is_refused(provider: Provider, alg: Any) -> None:
    for signature in ("AA", "x"):
        refused(provider, f"{part({'alg': alg, 'kid': 'k1'})}.{part(claims())}.{signature}", "trusted of its issuer")


def test_no_signature_at_all_is_no_token(provider: Provider) -> None:
    refused(provider, f"{part({'alg': 'none'})}.{part(claims())}.", "neither an API key nor a token")


@pytest.mark.parametrize("form", ["pem", "der"])
def test_a_public_key_is_no_secret(provider: Provider, form: str) -> None:
    public = rsa("k1").as_pem(private=False) if form == "pem" else rsa("k1").as_der(private=False)
    text = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(claims())}"
    mac = urlsafe_b64encode(hmac.digest(public, text.encode(), sha256)).rstrip(b"=").decode()
    refused(provider, f"{text}.{mac}", "trusted of its issuer")


def test_a_key_of_another_kind_is_not_used_with_the_algorithm(provider: Provider) -> None:
    provider.keys = [elliptic("k1")]
    refused(provider, signed(), "signature")


def test_a_key_inside_the_token_counts_for_nothing(provider: Provider) -> None:
    own = rsa("mine")
    for header in ({"jwk": own.as_dict(private=False)}, {"jku": "https://evil.example/jwks"}):
        refused(provider, signed(key=own, kid="k1", **header), "signature")
    assert provider.asked == 2  # once for each verifier, at the issuer's own place


def test_extensions_that_must_be_understood_are_refused(provider: Provider) -> None:
    header = {"alg": "RS256", "kid": "k1", "crit": ["x"], "x": 1}
    token = signed()
    refused(provider, ".".join([part(header), *token.split(".")[1:]]), "extensions")


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_changed_part_is_forged(provider: Provider, at: int) -> None:
    parts = signed().split(".")
    if at == 2:
        parts[2] = urlsafe_b64encode(bytes(256)).rstrip(b"=").decode()
    else:
        document = json.loads(urlsafe_b64decode(parts[at] + "=="))
        parts[at] = part(document | ({"cty": "x"} if at == 0 else {"sub": "admin"}))
    refused(provider, ".".join(parts), "signature")


@pytest.mark.parametrize(
    "audience", ["other", "", None, ["other"], [AUDIENCE, "other"], [], f"{AUDIENCE} ", AUDIENCE.upper(), 7]
)
def test_a_token_for_anybody_else_is_refused(provider: Provider, audience: Any) -> None:
    refused(provider, signed(claims(aud=audience)), "somebody else")


def test_an_audience_may_be_a_list_of_us_alone(provider: Provider) -> None:
    assert provider.verifier().verify(signed(claims(aud=[AUDIENCE])))


@pytest.mark.parametrize("issuer", ["https://issuer.example/", "https://evil.example", None, "", 7])
def test_another_issuer_is_refused(provider: Provider, issuer: Any) -> None:
    refused(provider, signed(claims(iss=issuer)), "issuer is not trusted")


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ({"exp": NOW - 31}, "expired"),
        ({"exp": None}, "expired"),
        ({"exp": "never"}, "no numbers"),
        ({"exp": True}, "no numbers"),
        ({"nbf": NOW + 31}, "not valid yet"),
        ({"iat": NOW + 31}, "not valid yet"),
        ({"iat": "x"}, "no numbers"),
    ],
)
def test_a_token_out_of_its_time_is_refused(provider: Provider, times: dict[str, Any], why: str) -> None:
    refused(provider, signed(claims(**times)), why)


@pytest.mark.parametrize("times", [{"exp": NOW - 29}, {"nbf": NOW + 29}, {"iat": NOW + 29}, {"iat": None}])
def test_clocks_may_differ_a_little(provider: Provider, times: dict[str, Any]) -> None:
    assert provider.verifier().verify(signed(claims(**times)))


@pytest.mark.parametrize("subject", [None, "", 7, "a\nb", "x" * 500])
def test_a_subject_is_a_name(provider: Provider, subject: Any) -> None:
    refused(provider, signed(claims(sub=subject)), "subject")


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: f"{urlsafe_b64encode(b).decode()}.e30.AA"))
@settings(max_examples=200)
def test_rubbish_is_refused_and_never_asks_anybody(text: str) -> None:
    provider = Provider()
    with pytest.raises(UnauthenticatedError):
        provider.verifier().verify(text)
    assert provider.asked == 0


def test_a_token_of_a_megabyte_is_not_looked_at(provider: Provider) -> None:
    refused(provider, f"{'a' * 1_000_000}.b.c", "neither an API key nor a token")


# Persons


@pytest.mark.parametrize("verified", [None, False, "true", 1])
def test_an_address_that_nobody_verified_is_nobodys(provider: Provider, verified: Any) -> None:
    token = signed(claims(email="ann@example.org", email_verified=verified))
    assert provider.verifier().verify(token).principal(NOBODY).person is None


def test_the_mapping_says_who_a_subject_is(provider: Provider) -> None:
    persons = Persons([{"act": "identify", "alias": f"oidc:{ISSUER}#u-1", "person": "ann@example.org"}])
    verified = provider.verifier().verify(signed(claims(email="eve@example.org", email_verified=True)))
    assert verified.principal(persons).person == "ann@example.org"
    assert provider.verifier().verify(signed(claims(sub="u-2"))).principal(persons).person is None


def test_a_name_that_is_no_address_is_an_unknown_person(provider: Provider) -> None:
    trust = rule(person_claim="preferred_username")
    for name, person in (("ann", None), ("ann@example.org", "ann@example.org"), (None, None)):
        token = signed(claims(preferred_username=name))
        assert provider.verifier(trust).verify(token).principal(NOBODY).person == person


# Rules of trust

GITHUB = {
    "kind": "github",
    "scopes": ["policy:evaluate"],
    "rules": {
        "repository_id": "74",
        "repository_owner_id": "65",
        "workflow_ref": ["octo/risk/.github/workflows/release.yml@refs/heads/main"],
        "environment": "production",
    },
}
JOB = {
    "repository": "octo/risk",
    "repository_id": "74",
    "repository_owner_id": "65",
    "workflow_ref": "octo/risk/.github/workflows/release.yml@refs/heads/main",
    "environment": "production",
    "email": "ann@example.org",
    "email_verified": True,
}


def test_a_job_that_fits_its_rule_is_a_machine(provider: Provider) -> None:
    persons = Persons([{"act": "identify", "alias": f"oidc:{ISSUER}#u-1", "person": "ann@example.org"}])
    principal = provider.verifier(rule(**GITHUB)).verify(signed(claims(**JOB))).principal(persons)
    assert principal.person is None
    assert principal.may(Scope.POLICY_EVALUATE)


@pytest.mark.parametrize(
    "other",
    [
        {"repository_id": "75"},
        {"repository_owner_id": "66"},
        {"repository_owner_id": None},
        {"workflow_ref": "octo/risk/.github/workflows/release.yml@refs/heads/mine"},
        {"environment": "Production"},
        {"environment": None},
    ],
)
def test_a_job_that_fits_no_rule_is_refused(provider: Provider, other: dict[str, Any]) -> None:
    with pytest.raises(UnauthenticatedError, match="no rule of trust"):
        provider.verifier(rule(**GITHUB)).verify(signed(claims(**JOB | other)))


def test_the_first_rule_that_fits_decides(provider: Provider) -> None:
    other = GITHUB | {"rules": {**GITHUB["rules"], "environment": "test"}, "scopes": ["ingest:write"]}  # type: ignore[dict-item]
    verifier = provider.verifier(rule(**GITHUB), rule(**other))
    for environment, scope in (("production", Scope.POLICY_EVALUATE), ("test", Scope.INGEST_WRITE)):
        principal = verifier.verify(signed(claims(**JOB | {"environment": environment}))).principal(NOBODY)
        assert [grant.scope for grant in principal.grants] == [scope]


def test_ids_are_equal_as_numbers_and_as_text(provider: Provider) -> None:
    assert rule(rules={"project_id": 7}).fits({"project_id": "7"})
    assert rule(rules={"project_id": "7"}).fits({"project_id": 7})
    assert rule(rules={"groups": ["a", "b"]}).fits({"groups": ["x", "b"]})
    assert not rule(rules={"groups": "a"}).fits({"groups": {"a": 1}})
    assert not rule(rules={"flag": 1}).fits({"flag": True})


# The issuer's keys


def test_made_up_key_ids_ask_the_issuer_once_a_minute(provider: Provider) -> None:
    verifier = provider.verifier()
    verifier.verify(signed())
    for minute in range(3):
        provider.seconds = 61.0 * minute
        for number in range(50):
            with pytest.raises(UnauthenticatedError, match="does not publish"):
                verifier.verify(signed(key=rsa("made-up"), kid=f"made-up-{number}"))
    assert provider.asked == 3
    assert verifier.verify(signed())


def test_a_new_key_is_found_within_a_minute(provider: Provider) -> None:
    verifier = provider.verifier()
    verifier.verify(signed())
    provider.keys = [rsa("k2")]
    provider.seconds = 60.0
    assert verifier.verify(signed(key=rsa("k2")))
    with pytest.raises(UnauthenticatedError, match="does not publish"):
        verifier.verify(signed())


def test_a_key_that_was_withdrawn_counts_for_ten_minutes_at_most(provider: Provider) -> None:
    verifier = provider.verifier()
    verifier.verify(signed())
    provider.keys = [rsa("k2")]
    provider.seconds = 601.0
    with pytest.raises(UnauthenticatedError, match="does not publish"):
        verifier.verify(signed(claims(exp=NOW + 9999)))


def test_an_issuer_that_is_down_leaves_its_keys_for_an_hour(provider: Provider) -> None:
    verifier = provider.verifier()
    verifier.verify(signed())
    provider.down, provider.seconds = True, 3599.0
    assert verifier.verify(signed(claims(exp=NOW + 9999)))
    provider.seconds = 3601.0
    with pytest.raises(IssuerUnavailableError):
        verifier.verify(signed(claims(exp=NOW + 9999)))


def test_an_issuer_that_never_answered_is_asked_once_a_minute(provider: Provider) -> None:
    provider.down = True
    verifier = provider.verifier()
    for _ in range(20):
        with pytest.raises(IssuerUnavailableError):
            verifier.verify(signed())
    assert provider.asked == 1
    provider.down, provider.seconds = False, 60.0
    assert verifier.verify(signed())
