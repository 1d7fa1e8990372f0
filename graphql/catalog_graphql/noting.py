"""Operations in the log of reads: by name and digests, since what is asked for may be personal data itself."""

from collections.abc import Iterator
from hashlib import sha256

import orjson
from strawberry.extensions import SchemaExtension

from catalog_graphql.desk import Desk


class NotedOperations(SchemaExtension):
    """Notes each operation once, by HTTP and on WebSockets, where a log of reads wants them all."""

    def on_operation(self) -> Iterator[None]:
        asked = self.execution_context
        desk = asked.context
        if isinstance(desk, Desk) and desk.sources.audit is not None and asked.query is not None:
            told = {"operation": asked.operation_name, "document": sha256(asked.query.encode()).hexdigest()}
            if asked.variables:
                told["variables"] = sha256(orjson.dumps(asked.variables, option=orjson.OPT_SORT_KEYS)).hexdigest()
            desk.sources.audit.note(desk.principal, "graphql", told)
        yield
