"""Fuzzing that follows coverage (atheris, libFuzzer): `python -m tests.hostile.fuzzing TARGET [libFuzzer options]`.

The target `any` takes the first byte of each input for its choice of one: instrumenting the code takes longest, and is
then done once.

Whatever the bytes, a parser gives a value or a LinewardError; anything else that it raises ends the run with the input.
In a process of its own, since the code under test is instrumented as it is imported. Linux only.
"""

import sys
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["catalog", "catalog_graphql", "ingest", "policies"]):
    from graphql import GraphQLError
    from graphql import parse as parse_document

    from catalog import rfc3339
    from catalog.errors import LinewardError
    from catalog.log import checkpoint, note, receipt
    from catalog.log.note import VerifierKey
    from catalog_graphql.cost import list_sizes, measure
    from catalog_graphql.schema import schema
    from ingest.intake import Intake
    from ingest.limits import Limits
    from policies.loading import load_text

INTAKE = Intake(Limits())
SIZES = list_sizes(schema()._schema)


def event(data: bytes) -> None:
    INTAKE.submission(data, "anybody", "http")


def pack(data: bytes) -> None:
    load_text(data, "fuzz.yaml")


def signed_note(data: bytes) -> None:
    checkpoint.checkpoint_of(note.read(data).text)


def proof(data: bytes) -> None:
    receipt.read(data)


def key(data: bytes) -> None:
    VerifierKey.parse(data.decode(errors="replace"))


def time(data: bytes) -> None:
    try:
        rfc3339.parse(data.decode(errors="replace"))
    except ValueError:
        return


def operation(data: bytes) -> None:
    try:
        document = parse_document(data.decode(errors="replace"), max_tokens=2_000)
    except (GraphQLError, RecursionError):
        return  # a document that is none, which the server says so too
    measure(document, {}, SIZES)


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (event, pack, signed_note, proof, key, time, operation)
}


def any_of_them(data: bytes) -> None:
    targets = list(TARGETS.values())
    targets[data[0] % len(targets) if data else 0](data[1:])


def fuzz(target: Callable[[bytes], None], options: list[str]) -> None:
    """Until libFuzzer has had enough, which it says by leaving the process."""

    def once(data: bytes) -> None:
        try:
            target(data)
        except LinewardError as error:
            if not error.message:
                raise AssertionError("an error says what is wrong") from error

    atheris.Setup([sys.argv[0], *options], once)
    atheris.Fuzz()


if __name__ == "__main__":
    fuzz(any_of_them if sys.argv[1] == "any" else TARGETS[sys.argv[1]], sys.argv[2:])
