"""The stores that have to give the same evidence."""

from tests.conformance.conftest import store

__all__ = ["store"]
