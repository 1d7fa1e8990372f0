"""What a watch knows of a version, and what it tells when a verdict becomes another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catalog.model import Node
from policies.verdict import ControlResult, Enforcement, Verdict, roll_up


@dataclass(frozen=True, slots=True)
class StandingControl:
    """The verdict of one control. `pack` is NAME@VERSION."""

    pack: str
    control: str
    verdict: Verdict
    enforcement: Enforcement


@dataclass(frozen=True, slots=True)
class StandingVerdict:
    """What the packs that the bindings choose say of one version in one environment.

    `evaluated_at` and `next_flip_at` are in µs; at the latter, time alone changes something. `known` is how many
    entries of the log were known. `trouble` says why nothing could be judged; there are no controls then.
    """

    target: Node
    environment: str
    controls: tuple[StandingControl, ...]
    evaluated_at: int
    known: int
    next_flip_at: int | None = None
    trouble: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of all; ERROR where nothing could be judged."""
        return Verdict.ERROR if self.trouble else roll_up(each.verdict for each in self.controls)


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """A control says something else of a version than before: None where it said nothing, or says nothing any more.

    `pack` is NAME@VERSION: of the pack that says it now, or else of the one that said it last. `at` is when it was
    found, µs, with `known` entries; `seq` is the last entry that made one look, None where time alone did.
    """

    target: Node
    environment: str
    pack: str
    control: str
    before: Verdict | None
    after: Verdict | None
    at: int
    known: int
    seq: int | None


def control_of(result: ControlResult) -> StandingControl:
    return StandingControl(result.pack, result.control, result.verdict, result.enforcement)


def changes(
    before: StandingVerdict | None, after: StandingVerdict | None, *, at: int, known: int, seq: int | None
) -> Iterator[VerdictChange]:
    """The controls whose verdict differs, by pack and control. Another version of a pack alone is no change."""
    about = after or before
    if about is None:
        return
    old, new = _by_control(before), _by_control(after)
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        said, says = was.verdict if was else None, now.verdict if now else None
        if said is not says:
            pack = now.pack if now else old[key].pack
            yield VerdictChange(about.target, about.environment, pack, key[1], said, says, at, known, seq)


def _by_control(standing: StandingVerdict | None) -> Mapping[tuple[str, str], StandingControl]:
    found = standing.controls if standing else ()
    return {(name_of(each.pack), each.control): each for each in found}


def name_of(pack: str) -> str:
    """The name in NAME@VERSION."""
    return pack.rpartition("@")[0]
