"""Types of statements that people attest, each with the schema that a form is made from."""

from typing import Annotated

import orjson
import strawberry

from catalog.identity import NodeKind
from catalog_graphql.resolver import resolver
from policies.statements import STATEMENTS, StatementType


@strawberry.type(description="A type of statement, as attest takes it.")
class AttestationType:
    name: str = strawberry.field(description="Its name, such as classification.")
    meaning: str = strawberry.field(description="What is stated with it.")
    targets: list[NodeKind] = strawberry.field(description="Kinds of nodes that it may be about.")
    schema: str = strawberry.field(description="JSON Schema of the statement (draft 2020-12), as JSON text.")


@strawberry.type
class Vocabulary:
    """The question what can be stated: `Query` inherits it."""

    @resolver("Types of statements that can be attested. Any other word in lower_snake_case is a type of your own.")
    async def attestation_types(
        self,
        about: Annotated[
            NodeKind | None, strawberry.argument(description="Only types about nodes of this kind; left out: all.")
        ] = None,
    ) -> list[AttestationType]:
        return [_type(each) for each in STATEMENTS.values() if about is None or about in each.targets]


def _type(found: StatementType) -> AttestationType:
    schema = orjson.dumps(found.model.model_json_schema()).decode()  # in the order of the properties, as a form has it
    return AttestationType(name=found.name, meaning=found.meaning, targets=sorted(found.targets), schema=schema)
