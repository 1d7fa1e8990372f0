"""A worker is killed at its limits; the caller hears why, and the next task works."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from policies.sandbox import (
    CrashedError,
    Limits,
    OutOfMemoryError,
    SandboxError,
    TaskError,
    TimeoutReachedError,
    Worker,
)
from policies.verdict import Missing, Verdict

TASKS = "tests.policies.runaway"
SMALL = 400 << 20  # bytes; the engine alone takes less than half of it


@pytest.fixture(scope="module")
def shared() -> Iterator[Worker]:
    with Worker(Limits(memory=SMALL, wall=2), preload=(TASKS,)) as worker:
        yield worker


def is_alive(process: int) -> bool:
    """Whether the system still knows it, as it also does a zombie."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_tasks_run_in_one_process_that_is_not_ours(shared: Worker) -> None:
    first = shared.run(f"{TASKS}:process_id", None)
    assert first == shared.run(f"{TASKS}:process_id", None) == shared.process_id
    assert first != os.getpid()


@pytest.mark.parametrize("argument", [3, "x", "y" * 3_000_000, [1, "a"], 1.5])
def test_arguments_and_results_pass(shared: Worker, argument: Any) -> None:
    assert shared.run(f"{TASKS}:double", argument) == argument * 2


def test_records_of_the_policies_pass(shared: Worker) -> None:
    assert shared.run(f"{TASKS}:missing", "subject.owner") == (Verdict.UNKNOWN, Missing("subject.owner", "not sent"))


def test_what_a_task_prints_is_not_its_answer(shared: Worker) -> None:
    assert shared.run(f"{TASKS}:shout", "hello\n" * 100) == 600


def test_expressions_are_evaluated(shared: Worker) -> None:
    document = {"subject": {"name": "m"}, "evaluatedAt": "2026-11-24T12:00:00Z"}
    source = "subject.name == 'm' && evaluatedAt > timestamp('2026-01-01T00:00:00Z')"
    assert shared.run(f"{TASKS}:evaluate", (source, document)) == ("value", True)


FAILURES: list[tuple[str, Any, type[SandboxError], str]] = [
    ("sleep", 30, TimeoutReachedError, "longer than it may"),
    ("fill", 1 << 30, OutOfMemoryError, "400 MiB"),
    ("abort", None, CrashedError, "SIGABRT"),
    ("leave", 3, CrashedError, "status 3"),
    ("refuse", "not today", TaskError, "ValueError: not today"),
    ("nothing", None, TaskError, "AttributeError"),
    ("unpicklable", None, TaskError, "pickle"),
    ("intrude", None, CrashedError, "nothing that a worker may return"),
]


@pytest.mark.parametrize(("task", "argument", "error", "message"), FAILURES, ids=[each[0] for each in FAILURES])
def test_a_failure_is_typed_and_the_next_task_works(
    task: str, argument: Any, error: type[SandboxError], message: str
) -> None:
    with Worker(Limits(memory=SMALL, wall=1), preload=(TASKS,)) as worker:
        before = worker.run(f"{TASKS}:process_id", None)
        with pytest.raises(error, match=message) as caught:
            worker.run(f"{TASKS}:{task}", argument)
        assert caught.value.remedy
        after = worker.run(f"{TASKS}:process_id", None)
        assert (after == before) is (error is TaskError)
        assert error is TaskError or not is_alive(before)


@pytest.mark.parametrize("start", ["['aaaaaaaa']", "[[1]]"])
def test_an_expression_that_eats_memory_is_stopped(shared: Worker, start: str) -> None:
    source = f"size({start}{'.map(x, x + x + x + x + x + x + x + x)' * 12}[0]) > 0"
    with pytest.raises((OutOfMemoryError, CrashedError)):
        shared.run(f"{TASKS}:evaluate", (source, {}))
    assert shared.run(f"{TASKS}:evaluate", ("1 + 1 == 2", {})) == ("value", True)


def test_processor_time_is_bounded_for_each_task() -> None:
    with Worker(Limits(processor=0, wall=20), preload=(TASKS,)) as worker:
        with pytest.raises(TimeoutReachedError, match="processor"):
            worker.run(f"{TASKS}:spin", None)
        assert worker.run(f"{TASKS}:double", 2) == 4


def test_threads_get_their_own_answers(shared: Worker) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: shared.run(f"{TASKS}:double", number), range(200)))
    assert answers == [number * 2 for number in range(200)]


def test_threads_outlive_a_neighbour_that_crashes() -> None:
    def ask(number: int) -> int | None:
        if number % 5:
            answer: int = worker.run(f"{TASKS}:double", number)
            return answer
        with pytest.raises(CrashedError):
            worker.run(f"{TASKS}:leave", 1)
        return None

    with Worker(preload=()) as worker, ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, range(10))) == [number * 2 if number % 5 else None for number in range(10)]


def test_a_process_that_died_between_tasks_is_replaced() -> None:
    with Worker() as worker:
        process = worker.run(f"{TASKS}:process_id", None)
        os.kill(process, signal.SIGKILL)
        os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
        assert worker.run(f"{TASKS}:process_id", None) != process
        assert not is_alive(process)


def test_secrets_stay_with_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEWARD_SIGNING_KEY", "secret")
    with Worker() as worker:
        assert "LINEWARD_SIGNING_KEY" not in worker.run(f"{TASKS}:environment", None)


def test_closing_leaves_nothing_behind() -> None:
    worker = Worker()
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    process = worker.run(f"{TASKS}:process_id", None)
    worker.close()
    worker.close()
    assert worker.process_id is None
    assert not is_alive(process)
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
    with pytest.raises(CrashedError, match="closed"):
        worker.run(f"{TASKS}:double", 1)


def test_a_worker_that_cannot_start_says_so() -> None:
    with Worker(preload=("no.such.module",)) as worker:
        with pytest.raises(CrashedError, match="status 1"):
            worker.run(f"{TASKS}:double", 1)
        assert worker.process_id is None
