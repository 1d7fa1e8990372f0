"""A hop between client and server on which one answer gets lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx

from tests.end_to_end.server_process import PATIENCE


@dataclass(slots=True)
class LossyProxy:
    """Passes requests on to `upstream()`. The first answer is dropped with its connection, after `lose()`."""

    upstream: Callable[[], str]
    lose: Callable[[], None]
    url: str = ""
    bodies: list[bytes] = field(default_factory=list)
    answers: list[httpx.Response] = field(default_factory=list)

    def pass_on(self, path: str, body: bytes, encoding: str | None) -> httpx.Response | None:
        self.bodies.append(body)
        headers = {"Content-Encoding": encoding} if encoding else {}
        answer = httpx.post(self.upstream() + path, content=body, headers=headers, timeout=PATIENCE)
        self.answers.append(answer)
        if len(self.answers) > 1:
            return answer
        self.lose()
        return None


@contextmanager
def losing_the_first_answer(upstream: Callable[[], str], lose: Callable[[], None]) -> Iterator[LossyProxy]:
    proxy = LossyProxy(upstream, lose)
    listener = ThreadingHTTPServer(("127.0.0.1", 0), _handler(proxy))
    proxy.url = f"http://127.0.0.1:{listener.server_address[1]}"
    thread = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def _handler(proxy: LossyProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = proxy.pass_on(self.path, body, self.headers["Content-Encoding"])
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
            pass

    return Handler
