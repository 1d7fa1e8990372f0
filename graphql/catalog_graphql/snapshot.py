"""Prints the schema: `python -m catalog_graphql.snapshot > graphql/schema.graphql`."""

import sys

from catalog_graphql.schema import schema


def sdl() -> str:
    return schema().as_str().rstrip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(sdl())
