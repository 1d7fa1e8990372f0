"""Files from a server, and to it: checkpoints, tiles and receipts."""

from collections.abc import Mapping

import httpx

from catalog.commands.failure import UnreachableError
from catalog.errors import CorruptLogError, ForbiddenError, InvalidInputError, NotFoundError, UnauthenticatedError

_ERRORS = {401: UnauthenticatedError, 403: ForbiddenError, 404: NotFoundError}


def fetch(client: httpx.Client, path: str, query: Mapping[str, str] | None = None) -> bytes:
    """What lies at a path. The server's refusal is raised as what it is, UnreachableError where none answers."""
    try:
        answer = client.get(path, params=query or {})
    except httpx.HTTPError as error:
        raise UnreachableError(f"{client.base_url} does not answer: {error}", "Check --url, or try again.") from error
    if answer.is_success:
        return answer.content
    said = _said(answer)
    if answer.status_code == 500:
        raise CorruptLogError(f"the server signs nothing: {said}", "ask whoever runs it, and keep your checkpoints")
    if answer.status_code > 500:
        raise UnreachableError(f"{client.base_url} answers {answer.status_code}: {said}", "Try again in a moment.")
    raise _ERRORS.get(answer.status_code, InvalidInputError)(said, "")


def hand_in(client: httpx.Client, path: str, text: str) -> str | None:
    """Post a text; what the server says where it does not want it. UnreachableError where none answers."""
    try:
        answer = client.post(path, content=text.encode(), headers={"Content-Type": "text/plain; charset=utf-8"})
    except httpx.HTTPError as error:
        raise UnreachableError(f"{client.base_url} does not answer: {error}", "Check --url, or try again.") from error
    return None if answer.is_success else _said(answer)


def _said(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.reason_phrase} for {answer.request.url.path}"
