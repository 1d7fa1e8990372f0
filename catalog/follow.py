"""The projector as a process of its own: `python -m catalog.follow`, started and supervised by the server.

A thread beside the event loop would share its interpreter lock: measured, that costs a quarter of the ingest rate.
The process reads the log as a rebuild does, so it may die at any moment.
"""

import gc
import sys
import threading

from catalog.composition import follower, open_graph
from catalog.errors import RetryableError
from catalog.log.reader import LogReader
from catalog.settings import Settings
from catalog.telemetry import configure_logging
from catalog.tracing import configure_tracing

_RETRY = 1.0  # seconds between two attempts to reach the store
_COLLECT_AFTER = (20_000, 20, 50)  # new objects, and passes over the younger: what is projected has no cycles to find


def main() -> None:
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    settings = Settings()
    configure_logging(settings.log_level)
    configure_tracing()
    stop = threading.Event()
    threading.Thread(target=_await_parent, args=(stop,), daemon=True).start()
    while not stop.is_set():
        try:
            store = open_graph(settings)
        except RetryableError:
            stop.wait(_RETRY)
            continue
        try:
            with LogReader.open(settings.data) as log:
                follower(settings, log, store).follow(stop)
        finally:
            store.close()


def _await_parent(stop: threading.Event) -> None:
    """Standard input ends when the parent does, however it does."""
    while sys.stdin.buffer.read(1):
        pass
    stop.set()


if __name__ == "__main__":
    main()
