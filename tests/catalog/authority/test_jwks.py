"""A published key set is read with suspicion."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from catalog.authority.jwks import MOST_BYTES, MOST_KEYS, public_keys, read_place
from tests.catalog.authority.issuing import elliptic, rsa


def published(*keys: Any) -> bytes:
    return orjson.dumps({"keys": list(keys)})


def test_only_public_keys_for_signatures_are_kept() -> None:
    okp = OKPKey.generate_key("Ed25519", {"kid": "o1"})
    secret = OctKey.generate_key(256, {"kid": "s1"})
    found = public_keys(
        published(
            rsa("k1").as_dict(private=False),
            elliptic("e1").as_dict(private=False),
            okp.as_dict(private=False),
            secret.as_dict(private=True),
            rsa("k2").as_dict(private=False) | {"use": "enc"},
            {"kty": "AKP", "kid": "later"},
            {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
            {"kty": "EC", "kid": "half"},
            "rubbish",
        )
    )
    assert {kid: type(key) for kid, key in found.items()} == {"k1": RSAKey, "e1": ECKey, "o1": OKPKey}


def test_private_parts_are_left_out() -> None:
    (key,) = public_keys(published(rsa("k1").as_dict(private=True))).values()
    assert not key.is_private


def test_a_short_rsa_key_is_left_out() -> None:
    weak = {"kty": "RSA", "kid": "w", "e": "AQAB", "n": rsa("k1").as_dict(private=False)["n"][: 1024 * 4 // 3 // 8]}
    assert public_keys(published(weak)) == {}


@pytest.mark.parametrize("document", [b"", b"[]", b'{"keys": 7}', b"{}", published(*[{}] * (MOST_KEYS + 1))])
def test_what_is_no_key_set_is_refused(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the readers of JSON say it in words of their own
        public_keys(document)


def test_a_file_may_be_the_place(tmp_path: Path) -> None:
    place = tmp_path / "jwks.json"
    place.write_bytes(published())
    assert read_place(str(place)) == published()
    place.write_bytes(bytes(MOST_BYTES + 1))
    with pytest.raises(ValueError, match="more than"):
        read_place(str(place))
    with pytest.raises(OSError, match="No such file"):
        read_place(str(tmp_path / "nothing"))


@contextmanager
def answering(status: int, body: bytes, **headers: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            with_body = body if status == 200 else b""
            try:
                self.wfile.write(with_body)
            except OSError:  # the reader has had enough
                return

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/jwks"
        finally:
            server.shutdown()
            thread.join()


def test_an_address_is_read() -> None:
    with answering(200, published()) as place:
        assert read_place(place) == published()


def test_a_redirect_is_not_followed() -> None:
    with (
        answering(200, published()) as target,
        answering(302, b"", Location=target) as place,
        pytest.raises(OSError, match="302"),
    ):
        read_place(place)


def test_an_answer_without_end_is_cut_short() -> None:
    with answering(200, bytes(4 * MOST_BYTES)) as place, pytest.raises(ValueError, match="more than"):
        read_place(place)


def test_nobody_there_is_an_error_of_reading() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
    with pytest.raises(OSError, match="refused"):
        read_place(f"http://127.0.0.1:{port}/jwks")
