"""A hop between a driver and Neo4j on which a commit, or the answer to it, gets lost."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto

COMMIT = b"\x00\x02\xb0\x12\x00\x00"  # a chunk of two bytes with the message 0x12, and the end of the message
_PIECE = 65536


class Fate(Enum):
    """What becomes of a commit."""

    PASSES = auto()
    NEVER_ARRIVES = auto()  # the connection breaks before the server hears of it
    ANSWER_IS_LOST = auto()  # the server commits, and the connection breaks before the client hears of it


@dataclass(slots=True)
class BoltProxy:
    """`decide` says what becomes of each commit, told its number from 1."""

    upstream: tuple[str, int]
    decide: Callable[[int], Fate] = lambda _number: Fate.PASSES
    port: int = 0
    commits: int = 0
    lost: dict[Fate, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def uri(self) -> str:
        return f"bolt://127.0.0.1:{self.port}"

    def fate(self) -> Fate:
        with self._lock:
            self.commits += 1
            fate = self.decide(self.commits)
            self.lost[fate] = self.lost.get(fate, 0) + 1
            return fate

    def carry(self, client: socket.socket) -> None:
        """One connection, until either end or its fate closes it."""
        with client, suppress(OSError), socket.create_connection(self.upstream) as server:
            answered, losing = threading.Event(), threading.Event()
            back = threading.Thread(target=self._answers, args=(server, client, answered, losing), daemon=True)
            back.start()
            self._questions(client, server, answered, losing)
            for end in (server, client):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            back.join()

    def _questions(
        self, client: socket.socket, server: socket.socket, answered: threading.Event, losing: threading.Event
    ) -> None:
        while piece := client.recv(_PIECE):
            fate = self.fate() if COMMIT in piece else Fate.PASSES
            if fate is Fate.NEVER_ARRIVES:
                return
            if fate is Fate.ANSWER_IS_LOST:
                losing.set()
                server.sendall(piece)
                answered.wait(30)
                return
            server.sendall(piece)

    def _answers(
        self, server: socket.socket, client: socket.socket, answered: threading.Event, losing: threading.Event
    ) -> None:
        with suppress(OSError):
            while piece := server.recv(_PIECE):
                if losing.is_set():
                    answered.set()
                    return
                client.sendall(piece)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)  # the server is gone: so is the connection
        answered.set()


@contextmanager
def proxied(port: int) -> Iterator[BoltProxy]:
    """A proxy before the server at a port of this machine."""
    proxy = BoltProxy(("127.0.0.1", port))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.port = listener.getsockname()[1]
        accepting = threading.Thread(target=_accept, args=(listener, proxy), daemon=True)
        accepting.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(listener: socket.socket, proxy: BoltProxy) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=proxy.carry, args=(client,), daemon=True).start()
