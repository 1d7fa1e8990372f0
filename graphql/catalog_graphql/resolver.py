"""strawberry's decorators with the types that they lose: a field with a resolver stays a method to its readers."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry

F = TypeVar("F", bound=Callable[..., Any])


def resolver(description: str) -> Callable[[F], F]:
    """A field that is worked out when it is asked for."""
    return cast(Callable[[F], F], strawberry.field(description=description))


def stream(description: str) -> Callable[[F], F]:
    """A field of a subscription."""
    return cast(Callable[[F], F], strawberry.subscription(description=description))
