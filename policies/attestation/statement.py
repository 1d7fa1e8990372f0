"""What is signed of a decision: an in-toto Statement v1 whose predicate is a SLSA Verification Summary v1.

Shapes: in-toto attestation framework, "Statement v1"; slsa.dev/spec/v1.2/verification_summary. Everything that the
standard fields cannot say is in an extension field, which the SLSA text allows where its name is a URI.
"""

from collections.abc import Mapping
from importlib import metadata
from typing import Any, TypeGuard
from urllib.parse import quote

from catalog.errors import InvalidInputError
from policies.acts import PackUsed, Target, digest
from policies.formats.document import BLOCKS, Decision
from policies.verdict import GateState, Verdict, roll_up

TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/verification_summary/v1"
EXTENSION = "https://lineward.dev/decision/v1"
VERIFIER = "https://lineward.dev/gate/v1"
FAILED = ["FAILED"]  # the only level where the policy was not met

_RESULTS = {GateState.ALLOW: "PASSED", GateState.DENY: "FAILED"}
_HEX_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}
_KINDS = {"MODEL_VERSION": "model", "DATASET_VERSION": "dataset"}


def why_unsigned(decision: Decision) -> str | None:
    """Why a decision has no verification summary; None where it has one.

    A summary says PASSED or FAILED and nothing between, and whoever holds one with PASSED may release.
    """
    if decision.body.preview:
        return "a preview is no release decision"
    if decision.state not in _RESULTS:
        return f"{decision.state} is neither a yes nor a no, and a verification summary knows nothing else"
    if decision.body.target is None or _subject(decision) is None:
        return "the target has neither an artifact digest nor a closure digest to name it by"
    return None


def statement(decision: Decision, versions: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The statement of an ALLOW or a DENY. `versions` are those of the verifier, by default of this program.

    Its subject is the artifact's digest; where the version has none, the closure digest, under a name that begins
    with `lineward+closure:` and with `subjectDigestOf: closure` in the extension. Raises InvalidInputError where
    `why_unsigned` has a reason.
    """
    reason = why_unsigned(decision)
    found = _subject(decision)
    if reason is not None or found is None:
        raise InvalidInputError(f"This decision is not signed: {reason}.", "Only an ALLOW and a DENY are signed.")
    subject, digest_of = found
    return {
        "_type": TYPE,
        "subject": [subject],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "verifier": {"id": VERIFIER, "version": dict(versions or {"lineward": metadata.version("lineward")})},
            "timeVerified": decision.body.evaluated_at,
            "resourceUri": resource_uri(decision.body.target, decision.body.environment),
            "policy": policy(decision.body.packs),
            "inputAttestations": _inputs(decision),
            "verificationResult": _RESULTS[decision.state],
            "verifiedLevels": levels(decision),
            EXTENSION: _extension(decision) | {"subjectDigestOf": digest_of},
        },
    }


def urn(target: Target) -> str:
    """The name of a target as a URN (RFC 8141): each part percent-encoded, so that no name reads as two."""
    kind = _KINDS.get(target.kind, target.kind.lower().replace("_", "-"))
    parts = (
        (target.namespace, target.name) if target.version is None else (target.namespace, target.name, target.version)
    )
    return ":".join(("urn:lineward", kind, *(quote(part, safe="") for part in parts)))


def resource_uri(target: Target | None, environment: str) -> str:
    """The URN of the target with the environment it was judged for, so that staging's yes is none for production."""
    assert target is not None
    return f"{urn(target)}?=environment={quote(environment, safe='')}"


def policy(packs: tuple[PackUsed, ...]) -> dict[str, Any]:
    """A resource descriptor of what was evaluated.

    Of several packs the digest is that of `{"packs": [their digests, in order]}` in RFC 8785.
    """
    names = ",".join(f"{quote(pack.name, safe='')}@{quote(pack.version, safe='')}" for pack in packs)
    whole = packs[0].digest if len(packs) == 1 else digest({"packs": [pack.digest for pack in packs]})
    return {"uri": f"urn:lineward:packs:{names}", "digest": digest_set(whole)}


def digest_set(text: str) -> dict[str, str]:
    """`algorithm:hex` as in-toto writes digests."""
    algorithm, _, value = text.partition(":")
    return {algorithm: value}


def levels(decision: Decision) -> list[str]:
    """Names of what was met: the gate as a whole, and each pack that no control of contradicts.

    A pack that needed a waiver says so in its name. FAILED alone where the decision denies (SLSA, `verifiedLevels`).
    """
    if decision.state is not GateState.ALLOW:
        return list(FAILED)
    return ["LINEWARD_RELEASE_GATE", *filter(None, (_level(decision, pack) for pack in decision.body.packs))]


def _level(decision: Decision, pack: PackUsed) -> str | None:
    ours = [each.verdict for each in decision.controls if each.pack == f"{pack.name}@{pack.version}"]
    whole = roll_up(ours)
    if whole in BLOCKS or whole is Verdict.NOT_APPLICABLE:
        return None
    name = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in pack.name).upper()
    return f"LINEWARD_{name}{'_WITH_WAIVERS' if whole is Verdict.WAIVED else ''}"


def _subject(decision: Decision) -> tuple[dict[str, Any], str] | None:
    judged = (decision.body.evidence or {}).get("subject")
    if decision.body.target is None or not isinstance(judged, Mapping):
        return None
    name = urn(decision.body.target)
    if _is_digest(artifact := judged.get("digest")):
        return {"name": name, "digest": digest_set(artifact)}, "artifact"
    if _is_digest(closure := judged.get("closureDigest")):
        return {"name": f"lineward+closure:{name}", "digest": digest_set(closure)}, "closure"
    return None


def _is_digest(text: object) -> TypeGuard[str]:
    algorithm, _, value = text.partition(":") if isinstance(text, str) else ("", "", "")
    return len(value) == _HEX_DIGITS.get(algorithm, -1) and set(value) <= set("0123456789abcdef")


def _inputs(decision: Decision) -> list[dict[str, Any]]:
    """The evidence document: all that was looked at."""
    frozen = decision.body.evidence_digest
    return [{"uri": f"urn:lineward:evidence:{frozen}", "digest": digest_set(frozen)}] if frozen else []


def _extension(decision: Decision) -> dict[str, Any]:
    """What the standard fields cannot say; the digests let anyone check the decision that a bundle holds."""
    body, document = decision.body, decision.document
    said = {
        "id": decision.id,
        "state": body.state,
        "environment": body.environment,
        "use": body.use,
        "decisionDigest": digest(document),
        "controlsDigest": digest({"controls": list(body.controls)}),
        "evidenceDigest": body.evidence_digest,
        "packs": [{"name": pack.name, "version": pack.version, "digest": pack.digest} for pack in body.packs],
        "snapshot": document["snapshot"],
        "approvals": list(body.approvals),
        "waivers": list(body.waivers),
        "expiresAt": body.expires_at,
        "rollback": document.get("rollback"),
    }
    return {name: value for name, value in said.items() if value is not None}
