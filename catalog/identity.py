"""Opaque node ids, derived from what a node is.

Real namespaces and names hold `:`, `/`, `@`, braces, spaces and any Unicode, and have no length limit. So an id is
never the name: it is a structural prefix and 128 bits of SHA-256 over the length-prefixed parts of the identity.
A model keeps the id of its dataset and a deployment that of its job: a role may be learnt late, an id must not move.
"""

import hashlib
from base64 import urlsafe_b64encode
from enum import StrEnum
from functools import lru_cache


class NodeKind(StrEnum):
    """What a node is. MODEL, MODEL_VERSION and DEPLOYMENT are roles of DATASET, DATASET_VERSION and JOB."""

    DATASET = "DATASET"
    DATASET_VERSION = "DATASET_VERSION"
    MODEL = "MODEL"
    MODEL_VERSION = "MODEL_VERSION"
    FIELD = "FIELD"
    JOB = "JOB"
    DEPLOYMENT = "DEPLOYMENT"
    RUN = "RUN"
    APPROVAL = "APPROVAL"
    WAIVER = "WAIVER"
    ATTESTATION = "ATTESTATION"
    DECISION = "DECISION"
    POLICY = "POLICY"
    REDACTION = "REDACTION"


ACTS = frozenset(
    {
        NodeKind.APPROVAL,
        NodeKind.WAIVER,
        NodeKind.ATTESTATION,
        NodeKind.DECISION,
        NodeKind.POLICY,
        NodeKind.REDACTION,
    }
)
"""What people did, and what was decided: facts about other nodes."""

_PREFIX = {
    NodeKind.DATASET: "ds",
    NodeKind.DATASET_VERSION: "dv",
    NodeKind.FIELD: "fd",
    NodeKind.JOB: "jb",
    NodeKind.RUN: "rn",
    NodeKind.APPROVAL: "ap",
    NodeKind.WAIVER: "wv",
    NodeKind.ATTESTATION: "at",
    NodeKind.DECISION: "dc",
    NodeKind.POLICY: "po",
    NodeKind.REDACTION: "er",
}
_STRUCTURE = {prefix: kind for kind, prefix in _PREFIX.items()}

_SHARED = frozenset({"file", "inmemory", "default"})

VARIANT = "~"  # a version's later incarnation, or its half of a run-id collision


def digest(*parts: str) -> bytes:
    """SHA-256 over the parts, each behind its length, so that no two lists of parts share an image."""
    hasher = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        hasher.update(b"%d:" % len(encoded))
        hasher.update(encoded)
    return hasher.digest()


def _opaque(kind: NodeKind, *parts: str) -> str:
    return f"{_PREFIX[kind]}_{urlsafe_b64encode(digest(*parts)[:16]).decode()[:22]}"


@lru_cache(maxsize=65536)
def dataset_id(namespace: str, name: str) -> str:
    return _opaque(NodeKind.DATASET, namespace, name)


@lru_cache(maxsize=65536)
def job_id(namespace: str, name: str) -> str:
    return _opaque(NodeKind.JOB, namespace, name)


@lru_cache(maxsize=65536)
def run_id(run: str, namespace: str, job: str) -> str:
    """A run is its UUID *and* its job: one UUID used by two unrelated jobs is two runs."""
    return _opaque(NodeKind.RUN, run, namespace, job)


def field_id(dataset: str, path: str) -> str:
    return _opaque(NodeKind.FIELD, dataset, path)


@lru_cache(maxsize=65536)
def named_version_id(dataset: str, version: str) -> str:
    """A version that its producer named (the `version` facet)."""
    return _opaque(NodeKind.DATASET_VERSION, dataset, "named", version)


@lru_cache(maxsize=65536)
def run_version_id(dataset: str, run: str) -> str:
    """A version that only its run tells apart."""
    return _opaque(NodeKind.DATASET_VERSION, dataset, "run", run)


def registry_key(dataset: str, alias: str) -> str:
    """What an alias of a model's versions is kept under, no node: the alias is what follows the first `@`."""
    return f"alias_{dataset}@{alias}"


def moment_version_id(dataset: str, run: str, at: int) -> str:
    """A version that a service or a stream wrote at one moment (µs)."""
    return _opaque(NodeKind.DATASET_VERSION, dataset, "moment", run, str(at))


def act_id(kind: NodeKind, act: str) -> str:
    """An act of a person, by the UUID in its body."""
    return _opaque(kind, act)


def variant(version: str, *parts: str) -> str:
    """The same version name in another incarnation of its dataset."""
    return f"{version}{VARIANT}{urlsafe_b64encode(digest(*parts)[:6]).decode()}"


def base_version(version: str) -> str:
    """The id under which a version is stored, whatever its variant."""
    return version.partition(VARIANT)[0]


def structure(node: str) -> NodeKind | None:
    """The structural kind that an id claims, None where it is no id of ours."""
    return _STRUCTURE.get(node.partition("_")[0])


@lru_cache(maxsize=65536)
def is_shared_namespace(namespace: str) -> bool:
    """Whether every machine has a place of this name, which therefore tells no two senders' data apart.

    These are `file`, `inmemory` and `default`, and addresses of files without a host.
    """
    if namespace.rstrip(":/").lower() in _SHARED:
        return True
    scheme, colon, rest = namespace.partition(":")
    host = rest[2:].partition("/")[0] if rest.startswith("//") else ""
    return scheme.lower() == "file" and bool(colon) and host.lower() in ("", "localhost")
