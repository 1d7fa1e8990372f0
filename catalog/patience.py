"""Asking what may never answer, without waiting for ever."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_Answer = TypeVar("_Answer")


class Patience:
    """Waits for an answer no longer than `seconds`. For use by any number of threads.

    A question that nobody waits for any more goes on in its thread, and while one does, no other is asked: what hangs
    costs as many threads as asked within the time, and everybody else nothing.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._open: dict[object, float] = {}
        self._lock = threading.Lock()

    @property
    def exhausted(self) -> bool:
        """Whether a question has been open for longer than anybody waits."""
        with self._lock:
            return any(time.monotonic() - since > self._seconds for since in self._open.values())

    def ask(self, question: Callable[[], _Answer]) -> _Answer:
        """The answer, or what the question raises. TimeoutError where that takes too long, or another already does."""
        if self.exhausted:
            raise TimeoutError(f"an earlier question has been open for more than {self._seconds:g} s")
        answer: Future[_Answer] = Future()
        threading.Thread(target=self._find, args=(question, answer), name="patience", daemon=True).start()
        try:
            return answer.result(self._seconds)
        except TimeoutError:
            if answer.done():
                raise  # it is what the question raised
            raise TimeoutError(f"no answer within {self._seconds:g} s") from None

    def _find(self, question: Callable[[], _Answer], answer: "Future[_Answer]") -> None:
        with self._lock:
            self._open[answer] = time.monotonic()
        try:
            found = question()
        except BaseException as error:
            self._close(answer)
            answer.set_exception(error)
        else:
            self._close(answer)
            answer.set_result(found)

    def _close(self, answer: "Future[_Answer]") -> None:
        with self._lock:
            del self._open[answer]
