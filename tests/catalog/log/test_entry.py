"""The envelope: what it says, that it is small and decodable whatever the names are."""

import json
from base64 import b64decode
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import CorruptLogError, InvalidInputError
from catalog.log.entry import (
    EntryType,
    Submission,
    commitment,
    decode_envelope,
    encode_envelope,
    format_timestamp,
)

MOMENT = 1_764_000_000_123_456


def envelope_of(submission: Submission) -> bytes:
    commit = commitment(b"s" * 16, submission.body)
    return encode_envelope(submission, 7, format_timestamp(MOMENT), b"i" * 16, commit)


def test_an_envelope_says_these_things() -> None:
    submission = Submission(EntryType.WAIVER, "key:ann", b"raw", b"{}", ("/run/facets/x",), source="kafka")
    assert json.loads(envelope_of(submission)) == {
        "v": 1,
        "seq": 7,
        "ts": "2025-11-24T16:00:00.123456Z",
        "type": "waiver",
        "actor": "key:ann",
        "idem": "aWlpaWlpaWlpaWlpaWlpaQ==",
        "src": "kafka",
        "body": {
            "commit": json.loads(envelope_of(submission))["body"]["commit"],
            "len": 2,
            "media": "application/json",
            "redactions": ["/run/facets/x"],
        },
    }
    commit = b64decode(json.loads(envelope_of(submission))["body"]["commit"])
    assert commit == sha256(b"s" * 16 + b"{}").digest()


names = st.text(st.characters(codec="utf-8"), max_size=200)


@given(actor=names, source=names, redactions=st.lists(st.text(max_size=40), max_size=5))
def test_any_names_survive(actor: str, source: str, redactions: list[str]) -> None:
    submission = Submission(EntryType.OPENLINEAGE, actor, b"", b"{}", tuple(redactions), source=source)
    decoded = decode_envelope(7, envelope_of(submission))
    assert (decoded.actor, decoded.src, decoded.recorded) == (actor, source, MOMENT)
    assert decoded.body.redactions == tuple(p.encode(errors="replace").decode() for p in redactions)


def test_redactions_without_end_are_counted_and_not_listed() -> None:
    pointers = tuple(f"/inputs/{i}/facets/dataSource/uri" for i in range(100_000))
    name = "🦊" * 1024
    envelope = envelope_of(Submission(EntryType.OPENLINEAGE, name, b"", b"{}", pointers, source=name))
    body = decode_envelope(7, envelope).body
    assert len(envelope) < 65_536
    assert body.redactions == pointers[: len(body.redactions)]
    assert len(body.redactions) + body.redactionsOmitted == 100_000


@pytest.mark.parametrize("actor", ["x" * 1025, "lone \ud800 surrogate"])
def test_an_actor_that_cannot_be_logged_is_refused_before_it_is_queued(actor: str) -> None:
    with pytest.raises(InvalidInputError):
        Submission(EntryType.OPENLINEAGE, actor, b"", b"{}")


@given(before=st.integers(0, 4_000_000_000_000_000), after=st.integers(0, 4_000_000_000_000_000))
def test_timestamps_sort_as_their_moments_do(before: int, after: int) -> None:
    assert (format_timestamp(before) < format_timestamp(after)) == (before < after)


@pytest.mark.parametrize(
    "envelope", [b"", b"{}", b"null", b"\xff", envelope_of(Submission(EntryType.KEY, "a", b"", b""))[:-1]]
)
def test_what_is_no_envelope_is_corruption(envelope: bytes) -> None:
    with pytest.raises(CorruptLogError):
        decode_envelope(7, envelope)


def test_an_envelope_of_a_later_version_is_not_guessed_at() -> None:
    envelope = envelope_of(Submission(EntryType.KEY, "a", b"", b"")).replace(b'"v":1', b'"v":2')
    with pytest.raises(CorruptLogError, match="version 2"):
        decode_envelope(7, envelope)
