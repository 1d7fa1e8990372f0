"""A child process that is started again when it dies, and ends when its parent does."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

import structlog

_BACKOFF = (0.5, 10.0)  # seconds before a restart: first, most
_HEALTHY = 60.0  # seconds of life after which an earlier death is forgotten
_GRACE = 10.0  # seconds for a child to end by itself

logger = structlog.get_logger(__name__)


class SupervisedChild:
    """Runs `python -m MODULE`. The child ends when its standard input closes, so it never outlives a killed parent."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._module = module
        self._environment = {**os.environ, **environment}
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts = 0
        self._thread = threading.Thread(target=self._watch, name=f"watch {module}", daemon=True)

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process and process.poll() is None else None

    @property
    def restarts(self) -> int:
        return self._restarts

    def start(self) -> None:
        self._launch()
        self._thread.start()

    def stop(self) -> None:
        """End the child and wait for it."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._thread.join()

    def _launch(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module], stdin=subprocess.PIPE, env=self._environment
        )

    def _watch(self) -> None:
        delay, most = _BACKOFF
        while not self._stopping.is_set():
            assert self._process is not None
            began = time.monotonic()
            code = self._process.wait()
            if time.monotonic() - began > _HEALTHY:
                delay = _BACKOFF[0]
            if self._stopping.is_set():
                return
            logger.error("child.died", module=self._module, code=code, restart_in=delay)
            if self._stopping.wait(delay):
                return
            delay = min(delay * 2, most)
            self._restarts += 1
            self._launch()
