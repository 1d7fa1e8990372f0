"""The schema, built once."""

from functools import cache

import strawberry
from graphql import GraphQLError
from strawberry.extensions import MaxTokensLimiter, ParserCache, SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from catalog_graphql.columnar import execution
from catalog_graphql.cost import BoundedValidation
from catalog_graphql.mistakes import told
from catalog_graphql.mutation import Mutation
from catalog_graphql.nodes import ACT_TYPES, TYPES
from catalog_graphql.noting import NotedOperations
from catalog_graphql.query import Query
from catalog_graphql.scalars import SCALARS
from catalog_graphql.subscription import Subscription

_TOKENS = 2_000


class Schema(strawberry.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Every error of every operation passes here, in the list that is answered."""
        errors[:] = [told(error) for error in errors]


def _tokens() -> SchemaExtension:
    return MaxTokensLimiter(max_token_count=_TOKENS)


@cache
def schema() -> Schema:
    return Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*TYPES.values(), *ACT_TYPES.values()],
        config=StrawberryConfig(scalar_map=SCALARS, disable_field_suggestions=True),
        execution_context_class=execution(),
        extensions=[_tokens, ParserCache, BoundedValidation, NotedOperations],
    )
