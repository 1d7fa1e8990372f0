"""Tasks for a worker: well-behaved ones, and those that a worker is for."""

import os
import pickle
import time
from typing import Any

from policies.engine import compile_expression
from policies.verdict import Missing, Verdict


def double(value: Any) -> Any:
    return value * 2


def process_id(_: None) -> int:
    return os.getpid()


def environment(_: None) -> list[str]:
    return sorted(os.environ)


def shout(text: str) -> int:
    print(text)
    return len(text)


def evaluate(request: tuple[str, dict[str, Any]]) -> tuple[str, Any]:
    source, document = request
    outcome = compile_expression(source).evaluate(document)
    return outcome.kind, outcome.value


def missing(path: str) -> tuple[Verdict, Missing]:
    return Verdict.UNKNOWN, Missing(path, "not sent")


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def spin(_: None) -> None:
    while True:
        pass


def refuse(text: str) -> None:
    raise ValueError(text)


def abort(_: None) -> None:
    os.abort()


def leave(status: int) -> None:
    os._exit(status)


def fill(size: int) -> int:
    return len(bytearray(size))


class _Intruder:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("true",)


def intrude(_: None) -> Any:
    return _Intruder()


def unpicklable(_: None) -> Any:
    return lambda: pickle
