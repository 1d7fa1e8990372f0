"""The closure of a model version: everything that makes it what it is, and nothing else.

Approvals, waivers and statements bind its digest. In it are the artifact, the code of every run behind it, environment,
parameters and seed of the runs that made it, base models, every dataset version upstream at RUN grain by content digest
(by its id where nobody told one), and the edges between them with their basis. Not in it are names, counters, times of
seeing, governance facts, evaluations, anything downstream, and log positions: a heartbeat changes nothing, a late
input does.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from catalog.canonical import dumps
from catalog.identity import NodeKind
from catalog.model import Node
from catalog.reading import MAX_DEPTH, MAX_LIMIT, Reading
from catalog.reported import code_of, only, parameters_of
from policies.evidence.artifact import Artifact, artifact_of
from policies.evidence.said import digest_in
from policies.evidence.upstream import MODELS, PASSING, Upstream

Part = tuple[str, str, str]
"""(kind, key, digest): the key is a name, for people; the digest decides."""


@dataclass(frozen=True, slots=True)
class Closure:
    """`nodes` are the ids that it was computed from."""

    digest: str
    parts: tuple[Part, ...]
    nodes: frozenset[str]


def closure(reading: Reading, version: str) -> Closure:
    """The closure of a version as the reading knows it. Raises NotFoundError for an unknown node."""
    return closure_of(reading, Upstream.of(reading, version, depth=MAX_DEPTH, rows=MAX_LIMIT, history=False))


def closure_of(reading: Reading, upstream: Upstream) -> Closure:
    """The same from the whole walk upstream, without history, that somebody made already."""
    version = upstream.root
    made = {run.id for run in reading.producers(version)}
    artifact = artifact_of(reading, upstream.nodes[version])
    parts = sorted(_parts(reading, upstream, made, artifact))
    return Closure(closure_digest(parts), tuple(parts), frozenset(upstream.nodes))


def closure_digest(parts: Iterable[Part]) -> str:
    """What approvals bind. The keys do not count, so that a new name changes nothing."""
    return digest_of({"v": 1, "parts": sorted([kind, digest] for kind, _, digest in parts)})


def difference(old: Sequence[Sequence[str]], new: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """What is not the same in two lists of parts, in words: `input applications.csv changed`."""
    before, after = _by_key(old), _by_key(new)
    told = [
        f"{_named(kind, key)} {_fate(before.get((kind, key)), after.get((kind, key)))}"
        for kind, key in sorted(before.keys() | after.keys())
        if before.get((kind, key)) != after.get((kind, key))
    ]
    return tuple(each for each in told if not each.startswith(_LINEAGE)) or tuple(told)


def has_only_grown(old: Sequence[Sequence[str]], new: Sequence[Sequence[str]]) -> bool:
    """Whether all that there was is there still, and the rest came later."""
    before, after = (Counter((kind, digest) for kind, _, digest in each if kind != _LINEAGE) for each in (old, new))
    return before <= after


def digest_of(value: Any) -> str:
    """SHA-256 over the canonical JSON (RFC 8785), as algorithm:hex."""
    return f"sha256:{sha256(dumps(value)).hexdigest()}"


_LINEAGE = "lineage"
_CAPTIONS = {"baseModel": "base model {}", "input": "input {}"}


def _named(kind: str, key: str) -> str:
    return _CAPTIONS.get(kind, f"{kind} of {{}}" if key else kind).format(key)


def _by_key(parts: Iterable[Sequence[str]]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = {}
    for kind, key, digest in sorted(map(tuple, parts)):
        found.setdefault((kind, key), []).append(digest)
    return found


def _fate(before: list[str] | None, after: list[str] | None) -> str:
    return "added" if not before else "removed" if not after else "changed"


# Parts -------------------------------------------------------------------------------------------------------------


def _parts(reading: Reading, upstream: Upstream, made: set[str], artifact: Artifact) -> Iterator[Part]:
    yield "artifact", "", artifact.digest or upstream.root
    if artifact.base_model:
        yield "baseModel", artifact.base_model[1], digest_of(list(artifact.base_model))
    runs: list[list[str]] = []
    for node in upstream.nodes.values():
        if node.kind is NodeKind.RUN:
            for kind, digest in _run_parts(reading, node, node.id in made):
                runs.append([node.id, kind, digest])
                yield kind, node.name, digest
        elif node.id != upstream.root:
            kind = "baseModel" if node.kind in MODELS else "input"
            yield kind, node.name, upstream.digests.get(node.id, node.id)
    edges = sorted(
        [_identity(upstream, edge.source), _identity(upstream, edge.target), edge.basis.value]
        for edge in upstream.graph.edges
    )
    cut = upstream.graph.truncated is not None
    yield _LINEAGE, "", digest_of({"edges": edges, "runs": sorted(runs), "truncated": cut})


def _identity(upstream: Upstream, node: str) -> str:
    return node if upstream.nodes[node].kind in PASSING else upstream.digests.get(node, node)


def _run_parts(reading: Reading, run: Node, trained: bool) -> Iterator[tuple[str, str]]:
    code = code_of(reading, run.id)
    if code is not None:
        yield "code", digest_of([code.repository or code.url, code.path, code.version])
    if not trained:
        return
    parameters = parameters_digest(reading, run.id)
    if parameters is not None:
        yield "parameters", parameters
    training = only(reading.facets(run.id, ["lineward_training"]))
    environment, seed = digest_in(training.get("environmentDigest")), training.get("seed")
    if environment is not None:
        yield "environment", environment
    if isinstance(seed, int) and not isinstance(seed, bool):
        yield "seed", digest_of(str(seed))


def parameters_digest(reading: Reading, run: str) -> str | None:
    """Over the run's parameters, whatever their order; None without any."""
    told = sorted([each.key, each.value or "", each.value is None] for each in parameters_of(reading, run))
    return digest_of(told) if told else None
