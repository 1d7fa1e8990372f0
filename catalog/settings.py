"""Every setting, from a flag, a `LINEWARD_*` environment variable or its default, in this order."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from catalog.authority.issuers import Issuer
from catalog.principal import Scope
from catalog.read_audit import AuditedReads

_OF_SOMEBODY = frozenset({Scope.APPROVE, Scope.WAIVE, Scope.ATTEST, Scope.ADMIN, Scope.REDACT, Scope.POLICY_WRITE})


class Settings(BaseSettings):
    """Settings of a server. Each field's description is its documentation."""

    model_config = SettingsConfigDict(env_prefix="LINEWARD_", extra="ignore", frozen=True)

    data: Annotated[Path, Field(description="Folder of the log and of the embedded graph")] = Path("data")
    host: Annotated[
        str, Field(description="Address to listen on; only loopback while there is no API key and no issuer")
    ] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port to listen on; 0 takes a free one")] = 8765
    graph: Annotated[str, Field(description="`sqlite`, or the neo4j:// or bolt:// address of a Neo4j server")] = (
        "sqlite"
    )
    neo4j_user: Annotated[str | None, Field(description="Neo4j user, where the server asks for one")] = None
    neo4j_password: Annotated[str | None, Field(description="Password of that user")] = None
    neo4j_database: Annotated[str, Field(description="Neo4j database")] = "neo4j"
    max_body: Annotated[int, Field(gt=0, description="Largest request body as sent, bytes")] = 32 << 20
    max_unpacked: Annotated[int, Field(gt=0, description="Largest request body after gunzip, bytes")] = 64 << 20
    max_entities: Annotated[int, Field(gt=0, description="Most inputs, and most outputs, of one event")] = 100_000
    chunk_seconds: Annotated[float, Field(gt=0, description="Longest silence while a body is read, seconds")] = 15.0
    body_seconds: Annotated[float, Field(gt=0, description="Longest time for a whole body, seconds")] = 60.0
    max_bodies: Annotated[
        int, Field(gt=0, description="Slow bodies received at the same time; more are told to retry")
    ] = 64
    header_seconds: Annotated[float, Field(gt=0, description="Longest time for the headers of a request, seconds")] = (
        10.0
    )
    max_connections: Annotated[
        int, Field(gt=0, description="Connections at the same time; for one more, the longest quiet one is closed")
    ] = 1024
    allowed_hosts: Annotated[
        tuple[str, ...],
        Field(description="Host names of this server besides localhost and `host`; `*.example.org` (JSON list)"),
    ] = ()
    trusted_documents: Annotated[
        Path | None,
        Field(description="Folder of *.graphql files: no other operations run, but those that come with Lineward"),
    ] = None
    environment_variables: Annotated[
        frozenset[str], Field(description="Names whose values are kept in `environmentVariables` facets (JSON list)")
    ] = frozenset()
    model_namespaces: Annotated[
        frozenset[str], Field(description="Dataset namespaces whose datasets are all models (JSON list)")
    ] = frozenset()
    model_prefixes: Annotated[
        tuple[tuple[str, str], ...],
        Field(description="(namespace, name prefix) pairs whose datasets are models (JSON list of pairs)"),
    ] = ()
    namespace_rules: Annotated[
        tuple[tuple[str, str, str], ...],
        Field(description="(glob over senders, namespace, replacement): whose `file` is meant (JSON list of triples)"),
    ] = ()
    issuers: Annotated[
        tuple[Issuer, ...], Field(description="Whose bearer tokens are believed, and for what (JSON list)")
    ] = ()
    anonymous_scopes: Annotated[
        tuple[Scope, ...],
        Field(description="What callers without credentials may do once credentials exist (JSON list of scopes)"),
    ] = ()
    key_pepper: Annotated[
        str | None,
        Field(description="Secret with which API keys are digested, instead of `key.pepper` in the data folder"),
    ] = None
    audited_reads: Annotated[
        AuditedReads,
        Field(description="Which reads `data/audit` keeps: `required` those that audit:read permits, or `all`"),
    ] = AuditedReads.REQUIRED
    wait_seconds: Annotated[float, Field(ge=0, description="How long a read with `atLeast` waits, seconds")] = 5.0
    retention: Annotated[
        Path | None,
        Field(description="Schedule of how long bodies are kept, for `lineward retention`; deletes nothing"),
    ] = None
    batch: Annotated[int, Field(gt=0, description="Most entries that are projected in one transaction")] = 1024
    log_level: Annotated[str, Field(description="debug, info, warning or error")] = "info"

    @field_validator("graph")
    @classmethod
    def _without_credentials(cls, graph: str) -> str:
        """Addresses are logged, and seen in lists of processes."""
        if "@" in graph.partition("://")[2].partition("/")[0]:
            raise ValueError("credentials do not belong there: set LINEWARD_NEO4J_USER and LINEWARD_NEO4J_PASSWORD")
        return graph

    @field_validator("anonymous_scopes")
    @classmethod
    def _harmless(cls, scopes: tuple[Scope, ...]) -> tuple[Scope, ...]:
        taken = sorted(_OF_SOMEBODY.intersection(scopes))
        if taken:
            raise ValueError(f"{', '.join(taken)} is never given to nobody in particular")
        return scopes
