"""What time and practice make of decisions: allows that lapse, deployments that nobody allowed, and what to look at.

Nothing here shuts anything down: it opens findings.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from catalog import rfc3339
from catalog.act import Act
from catalog.identity import NodeKind, base_version
from catalog.instant import text
from catalog.model import Deployment
from catalog.reading import Reading
from policies.erasure.casebook import reviews
from policies.outcome import State, outcome_of

ALLOW_HOURS = 24
"""How long an allow waits to be deployed, hours."""

CLOCK_SKEW_MINUTES = 5
"""How far a producer's clock may be ahead or behind, minutes: as for the ordering time of events."""

_MICROSECOND = timedelta(microseconds=1)
ALLOW_MICROS = timedelta(hours=ALLOW_HOURS) // _MICROSECOND
_SKEW = timedelta(minutes=CLOCK_SKEW_MINUTES) // _MICROSECOND
_FOREVER = 1 << 62


class GateStanding(StrEnum):
    GATED = "GATED"  # deployed while an allow was valid
    LAPSED = "LAPSED"  # allowed once, deployed too late
    UNGATED = "UNGATED"  # never allowed into that environment before it was deployed


@dataclass(frozen=True, slots=True)
class Gated:
    """How a deployment stands to the gate, and the decision that says so."""

    state: GateStanding
    decision: str | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """The service of one version in one environment by one job, without another version of the model in between, µs."""

    deployments: tuple[Deployment, ...]
    since: int
    until: int | None


class FindingKind(StrEnum):
    UNGATED_DEPLOYMENT = "UNGATED_DEPLOYMENT"
    LAPSED_ALLOW = "LAPSED_ALLOW"  # never deployed
    LAPSED_APPROVAL = "LAPSED_APPROVAL"
    EXPIRED_WAIVER = "EXPIRED_WAIVER"
    BREAK_GLASS = "BREAK_GLASS"  # one person alone waived a control: listed whatever became of it
    FLIP_DUE = "FLIP_DUE"  # time alone has changed a verdict since the decision
    OPEN_ERASURE = "OPEN_ERASURE"  # nothing that stands is decided about a version that rests on an erasure
    REPLACED_IN_SERVICE = "REPLACED_IN_SERVICE"  # it was to be replaced because of an erasure, and serves


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a person should look at. `node` is what it is about, `act` what it follows from, `since` µs."""

    kind: FindingKind
    node: str
    act: str | None
    since: int
    message: str
    remedy: str


def gated(reading: Reading, deployment: Deployment, among: Sequence[Deployment] | None = None) -> Gated:
    """How one deployment stands to the gate.

    An allow that was deployed in time holds as long as that service goes on: another share or role, or a restart, is
    no new release. `among` are the deployments of its job, where the caller has them; they must be the whole history,
    so the reading must not be limited in valid time where they are left out.
    """
    of_job = reading.deployments(job=deployment.job) if among is None else among
    stretch = next((s for s in stretches(of_job) if any(d.id == deployment.id for d in s.deployments)), None)
    since = rfc3339.parse(deployment.since) if stretch is None else stretch.since
    return _judged(_allows(reading, deployment.model_version, deployment.environment), since)


def stretches(deployments: Iterable[Deployment]) -> list[Stretch]:
    """The deployments of one job put together by version, in the order of their beginning."""
    listed = sorted(deployments, key=lambda each: (rfc3339.parse(each.since), each.id))
    found: list[Stretch] = []
    for each in listed:
        since, until = rfc3339.parse(each.since), None if each.until is None else rfc3339.parse(each.until)
        held = next((s for s in reversed(found) if _continues(s, each)), None)
        if held is None or _was_replaced(held, since, listed):
            found.append(Stretch((each,), since, until))
        else:
            end = None if until is None or held.until is None else max(until, held.until)
            found[found.index(held)] = Stretch((*held.deployments, each), held.since, end)
    return found


def _continues(stretch: Stretch, deployment: Deployment) -> bool:
    last = stretch.deployments[-1]
    return (last.model_version, last.environment) == (deployment.model_version, deployment.environment)


def _was_replaced(stretch: Stretch, until: int, listed: Iterable[Deployment]) -> bool:
    """Whether another version of the model began to serve between the stretch and a time."""
    last = stretch.deployments[-1]
    end = _FOREVER if stretch.until is None else stretch.until
    return any(
        end <= rfc3339.parse(other.since) <= until
        for other in listed
        if other.model == last.model
        and other.environment == last.environment
        and other.model_version != last.model_version
    )


def _allows(reading: Reading, version: str, environment: str | None) -> list[Act]:
    concerning = {
        act.id: act for node in (version, base_version(version)) for act in reading.acts(NodeKind.DECISION, node)
    }
    allowed = (act for act in concerning.values() if act.body["state"] == "ALLOW")
    return sorted((act for act in allowed if act.body["environment"] == environment), key=lambda act: act.seq)


def _judged(allows: Sequence[Act], since: int) -> Gated:
    before = [act for act in allows if act.at <= since + _SKEW]
    in_time = [act for act in before if since < _lapses(act) + _SKEW]
    if in_time:
        return Gated(GateStanding.GATED, in_time[-1].id)
    return Gated(GateStanding.LAPSED, before[-1].id) if before else Gated(GateStanding.UNGATED, None)


def _lapses(allow: Act) -> int:
    told = allow.body.get("expiresAt")
    return allow.at + ALLOW_MICROS if told is None else rfc3339.parse(told)


# Findings ----------------------------------------------------------------------------------------------------------


def findings(reading: Reading, now: int) -> list[Finding]:
    """Everything to look at now (µs), the oldest first. The reading must not be limited in valid time."""
    deployed = reading.deployments()
    found = [
        *_ungated(reading, deployed),
        *_lapsed_allows(reading, deployed, now),
        *_ended(reading, NodeKind.APPROVAL, "approve", now),
        *_ended(reading, NodeKind.WAIVER, "waive", now),
        *_broken_glass(reading),
        *_due_flips(reading, deployed, now),
        *_erasures(reading, deployed, now),
    ]
    return sorted(found, key=lambda each: (each.since, each.kind, each.node, each.act or ""))


def _ungated(reading: Reading, deployed: Sequence[Deployment]) -> Iterator[Finding]:
    """Services that go on without a valid allow."""
    for job in sorted({each.job for each in deployed}):
        of_job = [each for each in deployed if each.job == job]
        for stretch in stretches(of_job):
            last = stretch.deployments[-1]
            standing = _judged(_allows(reading, last.model_version, last.environment), stretch.since)
            if last.state == "ENDED" or standing.state is GateStanding.GATED:
                continue
            late = standing.state is GateStanding.LAPSED
            yield Finding(
                FindingKind.UNGATED_DEPLOYMENT,
                last.model_version,
                standing.decision,
                stretch.since,
                f"It serves in {last.environment or 'an environment that nobody named'} "
                + ("after its allow had lapsed." if late else "without ever having been allowed there."),
                "Let the gate decide on it (`lineward gate`), or roll back to a version that was allowed.",
            )


def unused_allows(reading: Reading, deployed: Sequence[Deployment] | None = None) -> Iterator[tuple[Act, int]]:
    """Last allows of a version in an environment that nobody used, each with when it lapses or has lapsed, µs.

    `deployed` are all deployments, where the caller has them.
    """
    among = reading.deployments() if deployed is None else deployed
    for (version, environment), allow in _last_decisions(reading).items():
        lapse = _lapses(allow)
        if allow.body["state"] == "ALLOW" and not any(
            _used(allow, lapse, each) for each in among if _is_of(each, version, environment)
        ):
            yield allow, lapse


def _lapsed_allows(reading: Reading, deployed: Sequence[Deployment], now: int) -> Iterator[Finding]:
    """Last allows of a version in an environment that nobody used in time."""
    for allow, lapse in unused_allows(reading, deployed):
        if lapse <= now:
            yield Finding(
                FindingKind.LAPSED_ALLOW,
                allow.body["target"]["node"],
                allow.id,
                lapse,
                f"It was allowed into {allow.body['environment']} on {text(allow.at)}, "
                f"and not deployed within {ALLOW_HOURS} hours.",
                "Ask the gate again before it is deployed.",
            )


def _used(allow: Act, lapse: int, deployment: Deployment) -> bool:
    since = rfc3339.parse(deployment.since)
    until = _FOREVER if deployment.until is None else rfc3339.parse(deployment.until)
    return since < lapse + _SKEW and until > allow.at - _SKEW


def _is_of(deployment: Deployment, version: str, environment: str) -> bool:
    return base_version(deployment.model_version) == base_version(version) and deployment.environment == environment


def _ended(reading: Reading, kind: NodeKind, verb: str, now: int) -> Iterator[Finding]:
    """Approvals and waivers whose time is over."""
    words = {
        "approve": (
            FindingKind.LAPSED_APPROVAL,
            "An approval",
            "Ask for a new approval, where the version still serves.",
        ),
        "waive": (FindingKind.EXPIRED_WAIVER, "A waiver", "Do what the control asks for, or ask for a new waiver."),
    }
    finding, what, remedy = words[verb]
    for act in (each for each in reading.acts(kind) if each.verb == verb):
        held = outcome_of(reading, act, now)
        if held.state is State.EXPIRED and held.since is not None and held.until is not None:
            about = f" of {act.body['pack']}/{act.body['control']}" if verb == "waive" else ""
            message = f"{what}{about} by {act.body['by'].get('person')} ended on {text(held.until)}."
            yield Finding(finding, act.body["target"]["node"], act.id, held.until, message, remedy)


def _broken_glass(reading: Reading) -> Iterator[Finding]:
    for act in reading.acts(NodeKind.WAIVER):
        if act.body.get("breakGlass"):
            yield Finding(
                FindingKind.BREAK_GLASS,
                act.body["target"]["node"],
                act.id,
                act.at,
                f"{act.body['by'].get('person')} alone waived {act.body['pack']}/{act.body['control']}: "
                f"{act.body['reason']}",
                "Let a second person look at what was done, and why.",
            )


def _due_flips(reading: Reading, deployed: Sequence[Deployment], now: int) -> Iterator[Finding]:
    """Versions in service whose last allow knew that time would change a verdict, and it has."""
    for (version, environment), decision in _last_decisions(reading).items():
        flip = decision.body.get("nextFlipAt")
        serving = any(each.state != "ENDED" and _is_of(each, version, environment) for each in deployed)
        if decision.body["state"] == "ALLOW" and flip is not None and rfc3339.parse(flip) <= now and serving:
            yield Finding(
                FindingKind.FLIP_DUE,
                version,
                decision.id,
                rfc3339.parse(flip),
                f"A verdict behind the allow into {environment} has changed on {flip} by time alone.",
                "Evaluate the version again (`lineward gate --preview`), and do what its remediations say.",
            )


def _erasures(reading: Reading, deployed: Sequence[Deployment], now: int) -> Iterator[Finding]:
    """Versions that rest on an erasure: undecided ones, and such as serve although another replaces them."""
    serving = {base_version(each.model_version) for each in deployed if each.state != "ENDED"}
    for found in reviews(reading, now):
        case = found.case
        for version in found.resting.versions:
            said = found.disposition(version.id)
            served = base_version(version.id) in serving
            if version.id in found.open_versions:
                since = case.opened if said is None or said.expires is None else said.expires
                late = f" It was due on {text(case.due)}." if case.due <= now else f" It is due on {text(case.due)}."
                message = "It rests on an erasure, and nothing that stands is decided about it." + late
                remedy = (
                    f"See what rests on it (`lineward redact report {case.id}`) and decide (`lineward redact dispose`)."
                )
                yield Finding(FindingKind.OPEN_ERASURE, version.id, case.id, since, message, remedy)
            elif said is not None and said.way == "retrain" and served:
                message = "It serves, although another version, trained without erased data, was to replace it."
                yield Finding(
                    FindingKind.REPLACED_IN_SERVICE, version.id, said.id, said.at, message, "Deploy its successor."
                )


def _last_decisions(reading: Reading) -> dict[tuple[str, str], Act]:
    """The last yes or no on each version in each environment."""
    return {
        (act.body["target"]["node"], act.body["environment"]): act
        for act in reading.acts(NodeKind.DECISION)
        if "target" in act.body and act.body["state"] in ("ALLOW", "DENY")
    }
