"""Who asks, as the log would name them: what a page has to show before anybody acts in their own name."""

import strawberry

from catalog.principal import LOCAL, Principal
from catalog_graphql.desk import Info
from catalog_graphql.resolver import resolver


@strawberry.type(description="Something that the caller may do, and where.")
class ViewerGrant:
    scope: str = strawberry.field(description="The scope, such as approve.")
    namespaces: list[str] = strawberry.field(description="In namespaces that match one of these globs.")


@strawberry.type(description="Who asks.")
class Viewer:
    principal: str = strawberry.field(description="What authenticated, as the log names it: a key, or a token's owner.")
    person: str | None = strawberry.field(
        description="The human behind it, whom four eyes count; null for a machine, which can approve nothing."
    )
    roles: list[str] = strawberry.field(description="Roles in which the person may approve and attest.")
    grants: list[ViewerGrant] = strawberry.field(description="What the caller may do.")
    open: bool = strawberry.field(
        description="Whether the server has no credentials yet: then everybody is local, one person for four eyes."
    )


@strawberry.type
class Identity:
    """The question about oneself: `Query` inherits it."""

    @resolver("Who asks, and what they may do.")
    async def viewer(self, info: Info) -> Viewer:
        return _viewer(info.context.principal)


def _viewer(principal: Principal) -> Viewer:
    return Viewer(
        principal=principal.name,
        person=principal.person,
        roles=list(principal.roles),
        grants=[ViewerGrant(scope=each.scope.value, namespaces=list(each.namespaces)) for each in principal.grants],
        open=principal is LOCAL,
    )
