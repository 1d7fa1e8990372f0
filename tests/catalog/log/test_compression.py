"""Dictionaries: that they help, that nothing personal gets into them, and that old entries keep theirs."""

import json
import os
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import CorruptLogError
from catalog.log.compression import TRAIN_AFTER, Compressor, Decompressors, mask, train
from catalog.log.entry import EntryType, Submission
from catalog.log.reader import LogReader
from catalog.log.schema import FILE
from catalog.log.store import LogStore

PEOPLE = ["jane.doe@example.com", "Søren Kierkegård", "max_mustermann", "O'Neill", "+49 170 5550123"]


def event(number: int, person: str) -> bytes:
    """An event that mentions a person wherever a producer could put one."""
    return json.dumps(
        {
            "eventType": "COMPLETE",
            "eventTime": f"2026-11-24T12:00:{number % 60:02d}Z",
            "producer": f"https://example.com/{person}",
            "run": {"runId": f"{number:032x}", "facets": {person: {"_schemaURL": person, person: number}}},
            "job": {"namespace": person, "name": f"job of {person}", "facets": {"ownership": {"owners": [
                {"name": person, "type": "MAINTAINER"}]}}},
            "inputs": [{"namespace": "s3://b", "name": f"/home/{person}/t", "facets": {"schema": {
                "_schemaURL": f"https://openlineage.io/spec/facets/1-1-1/{person}Facet.json",
                "fields": [{"name": person, "type": "string"}, {"name": "amount", "type": "double"}]}}}],
            "outputs": [{"namespace": "s3://b", "name": person, "facets": {"columnLineage": {
                "fields": {person: {"inputFields": [{"field": f"\\u0040{person}"}]}}}}}],
            "phone": 491705550123,
        }
    ).encode()  # fmt: skip


def traces(person: str) -> set[bytes]:
    return {person.encode(), json.dumps(person)[1:-1].encode(), person.encode()[:8], person.encode()[-8:]}


def test_no_planted_name_or_address_enters_a_dictionary() -> None:
    dictionary = train(event(i, PEOPLE[i % len(PEOPLE)]) for i in range(400))
    assert dictionary
    assert [t for person in PEOPLE for t in traces(person) if t in dictionary] == []
    assert b"491705550123" not in dictionary
    assert b'"outputs"' in dictionary


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_a_masked_document_keeps_its_shape_and_no_values(document: object) -> None:
    secret = "zq@xj.example"
    masked = mask(json.dumps({"run": {"facets": [document, secret, {secret: -12.5e7}]}}).encode())
    facets = json.loads(masked)["run"]["facets"]
    assert facets[1:] == ["", {"": 0}]
    assert secret.encode() not in masked
    assert json.loads(mask(masked)) == json.loads(masked)


def test_what_is_no_json_teaches_nothing() -> None:
    assert mask(b'{"half": ') == mask(b"\xff") == mask(b"") == b""
    assert train([b"no json"] * 50) == b""


@given(body=st.binary(max_size=5_000))
def test_bodies_survive_with_and_without_a_dictionary(body: bytes) -> None:
    decompressors = Decompressors(lambda _number: DICTIONARY)
    for compressor in (Compressor(), Compressor(1, DICTIONARY)):
        compressed = compressor.compress(body)
        assert decompressors.decompress(compressor.dictionary, compressed, len(body)) == body


DICTIONARY = train(event(i, PEOPLE[i % len(PEOPLE)]) for i in range(200))


def test_a_body_that_claims_another_length_is_not_even_unpacked() -> None:
    bomb = Compressor().compress(b"\0" * 50_000_000)
    with pytest.raises(CorruptLogError):
        Decompressors(lambda _number: b"").decompress(0, bomb, 100)
    with pytest.raises(CorruptLogError):
        Decompressors(lambda _number: b"").decompress(0, os.urandom(50), 100)


def fill(store: LogStore, start: int, stop: int) -> None:
    for low in range(start, stop, 250):
        bodies = [event(i, PEOPLE[i % len(PEOPLE)]) for i in range(low, min(low + 250, stop))]
        store.append([Submission(EntryType.OPENLINEAGE, "a", body, body) for body in bodies], 0)


def test_the_log_trains_on_its_first_bodies_and_goes_on_with_the_result(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        fill(store, 0, TRAIN_AFTER)
        store.wait_for_training()
        fill(store, TRAIN_AFTER, TRAIN_AFTER + 10)
    with LogStore.open(tmp_path) as store:
        fill(store, TRAIN_AFTER + 10, TRAIN_AFTER + 20)

    with LogReader.open(tmp_path) as reader:
        rows = reader.stored(0, TRAIN_AFTER + 20)
        assert [row.dictionary for row in rows] == [0] * TRAIN_AFTER + [1] * 20
        sizes = [len(row.compressed or b"") for row in rows]
        assert max(sizes[-20:]) < min(sizes[:100])
        bodies = [entry.body for entry in reader.entries(0, TRAIN_AFTER + 20)]
        assert bodies == [event(i, PEOPLE[i % len(PEOPLE)]) for i in range(TRAIN_AFTER + 20)]


def test_an_altered_dictionary_is_noticed(tmp_path: Path) -> None:
    with LogStore.open(tmp_path) as store:
        fill(store, 0, TRAIN_AFTER)
        store.wait_for_training()
        fill(store, TRAIN_AFTER, TRAIN_AFTER + 10)
    connection = apsw.Connection(str(tmp_path / FILE))
    connection.execute("DROP TRIGGER dictionary_UPDATE; UPDATE dictionary SET bytes = zeroblob(2000)")
    connection.close()
    with LogReader.open(tmp_path) as reader:
        assert reader.entry(0).body is not None
        with pytest.raises(CorruptLogError, match="dictionary 1"):
            reader.entry(TRAIN_AFTER)
