"""A worker process for what may run away: it is killed at its limits, replaced, and the caller lives.

Started afresh (never forked: the caller has threads) and kept for the next task. Requests and replies are pickles, each
behind its length, on the child's standard input and output; of a reply only plain values and the records of
`policies` are taken, since what broke the child might have written it.
"""

import importlib
import io
import os
import pickle
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, is_dataclass
from enum import Enum
from typing import IO, Any

from catalog.errors import LinewardError

_LENGTH = struct.Struct("<Q")
_CHUNK = 1 << 16
_READY = "ready"


class SandboxError(LinewardError):
    """A task that gave no result."""

    code = "SANDBOX"


class TimeoutReachedError(SandboxError):
    """It ran longer than it may, by the clock on the wall or by its processor time."""


class OutOfMemoryError(SandboxError):
    """It wanted more memory than it may have."""


class CrashedError(SandboxError):
    """Its process died, or could not be started."""


class TaskError(SandboxError):
    """The task itself raised: the message names the exception."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`memory`: address space, bytes. `wall` and `processor`: seconds for each task. `start`: seconds to be ready."""

    memory: int = 1 << 30
    wall: float = 10.0
    processor: int = 10
    start: float = 60.0


class Worker:
    """Runs tasks one after the other in a child process. For use by any number of threads.

    `preload`: modules that the child imports when it starts, so that no task pays for them. The process starts with the
    first task, and again with the first one after a failure.
    """

    def __init__(self, limits: Limits | None = None, preload: tuple[str, ...] = ()) -> None:
        self._limits = limits or Limits()
        self._preload = preload
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._closed = False

    def run(self, task: str, argument: Any) -> Any:
        """What `task`, a function named as `package.module:function`, returns for one argument.

        The argument must be picklable; the result plain values, dataclasses and enums of `policies`. Raises
        TimeoutReachedError, OutOfMemoryError, CrashedError, or TaskError for what the task itself raised.
        """
        request = pickle.dumps((task, argument))
        with self._lock:
            if self._closed:
                raise CrashedError("The worker is closed.", "Ask again when the service has started.")
            if self._child is not None and not self._child.is_alive:
                self._end()  # it died between two tasks, which is not this one's fault
            child = self._child = self._child or _Child(self._limits, self._preload)
            try:
                kind, value = child.ask(request, self._limits.wall)
            except BaseException:  # an interrupt too: its answer must not be taken for the next one's
                self._end()
                raise
            if kind == "memory":
                self._end()
                raise _out_of_memory(task, self._limits)
        if kind == "raised":
            raise TaskError(f"{task} raised {value}.", "The evaluation of the other packs is not affected.")
        return value

    def close(self) -> None:
        """Ends the process after the task in hand. Any number of times."""
        with self._lock:
            self._closed = True
            self._end()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        """Of the child, where one runs."""
        child = self._child
        return child.pid if child else None

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()


class _Child:
    """One process, from its start to its end."""

    def __init__(self, limits: Limits, preload: tuple[str, ...]) -> None:
        self._limits = limits
        self._process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name, str(limits.memory), str(limits.processor), *preload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            bufsize=0,
            start_new_session=True,  # an interrupt at the terminal is for the caller alone
        )
        try:
            self._receive(time.monotonic() + limits.start)
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: bytes, wall: float) -> tuple[str, Any]:
        deadline = time.monotonic() + wall
        self._send(request, deadline)
        return self._receive(deadline)

    def kill(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def _send(self, request: bytes, deadline: float) -> None:
        pipe = _open(self._process.stdin)
        os.set_blocking(pipe.fileno(), False)
        waiting = memoryview(_LENGTH.pack(len(request)) + request)
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_WRITE)
            while waiting:
                self._await(selector, deadline)
                try:
                    waiting = waiting[os.write(pipe.fileno(), waiting[:_CHUNK]) :]
                except BrokenPipeError:
                    raise self._death() from None

    def _receive(self, deadline: float) -> tuple[str, Any]:
        pipe = _open(self._process.stdout)
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            (length,) = _LENGTH.unpack(self._read(pipe, _LENGTH.size, selector, deadline))
            if length > self._limits.memory:
                raise CrashedError("The worker's answer is larger than its memory.", _REPORT)
            reply = _Reply(io.BytesIO(self._read(pipe, length, selector, deadline)))
            try:
                kind, value = reply.load()
            except (pickle.UnpicklingError, EOFError, ImportError, ValueError, TypeError) as error:
                raise CrashedError(f"The worker's answer cannot be read: {error}.", _REPORT) from error
            return kind, value

    def _read(self, pipe: IO[bytes], size: int, selector: selectors.BaseSelector, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < size:
            self._await(selector, deadline)
            part = os.read(pipe.fileno(), min(_CHUNK, size - len(parts)))
            if not part:
                raise self._death()
            parts += part
        return bytes(parts)

    def _await(self, selector: selectors.BaseSelector, deadline: float) -> None:
        if not selector.select(max(0.0, deadline - time.monotonic())):
            raise TimeoutReachedError("The evaluation took longer than it may and was stopped.", _SIMPLIFY)

    def _death(self) -> SandboxError:
        """Why the process ended by itself."""
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return CrashedError("The worker stopped answering.", _REPORT)
        if status == -signal.SIGXCPU:
            return TimeoutReachedError("The evaluation used more processor time than it may.", _SIMPLIFY)
        if status == -signal.SIGKILL:
            return OutOfMemoryError("The worker was killed from outside, as when memory runs out.", _SIMPLIFY)
        how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        return CrashedError(f"The worker ended {how}.", _REPORT)


def _environment() -> dict[str, str]:
    """What an interpreter needs to start as this one did; the caller's secrets are none of the child's business."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}


_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_SIMPLIFY = "Simplify the pack's expressions, or split what they go through with forEach."
_REPORT = "Its standard error says more; the next evaluation starts a new one."


def _out_of_memory(task: str, limits: Limits) -> OutOfMemoryError:
    return OutOfMemoryError(f"{task} wanted more than {limits.memory >> 20} MiB of memory.", _SIMPLIFY)


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None or pipe.closed:
        raise CrashedError("The worker is gone.", _REPORT)
    return pipe


class _Reply(pickle.Unpickler):
    """Plain values, and dataclasses and enums of the policies: nothing that a pickle could run."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] == "policies" and "." not in name:
            found = getattr(importlib.import_module(module), name, None)
            if isinstance(found, type) and (is_dataclass(found) or issubclass(found, Enum)):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is nothing that a worker may return")


# In the child ------------------------------------------------------------------------------------------------------


def _serve(memory: int, processor: int, preload: list[str]) -> None:
    requests, replies = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not stand among the replies
    for module in preload:
        importlib.import_module(module)
    _bound(memory)
    _write(replies, pickle.dumps((_READY, None)))
    while header := requests.read(_LENGTH.size):
        request = requests.read(_LENGTH.unpack(header)[0])
        _allow(processor)
        _write(replies, _answer(request))


def _answer(request: bytes) -> bytes:
    try:
        task, argument = pickle.loads(request)
        return pickle.dumps(("result", _function(task)(argument)))
    except MemoryError:
        return pickle.dumps(("memory", None))
    except Exception as error:  # whatever it is, the caller hears of it
        return pickle.dumps(("raised", f"{type(error).__name__}: {error}"))


def _function(task: str) -> Callable[[Any], Any]:
    module, _, name = task.partition(":")
    function: Callable[[Any], Any] = getattr(importlib.import_module(module), name)
    return function


def _write(replies: IO[bytes], reply: bytes) -> None:
    replies.write(_LENGTH.pack(len(reply)) + reply)
    replies.flush()


def _bound(memory: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform != "darwin":  # which knows the limit and refuses to set it
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _allow(processor: int) -> None:
    """Processor seconds for the task that comes, beyond those already used."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime) + 1 + processor
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt):
        _serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
