"""Integers for what rows repeat: ids and keys, (namespace, name), (bundle, actor). New ones count up as they arrive."""

import struct
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import apsw

from catalog.graph.tokens import tokens
from catalog.identity import digest

CACHED = 100_000  # entries of each cache, 10 to 30 MB
INDEXED = 40  # characters of a token that the index holds: it only preselects

Pair = tuple[str, str]


class Names:
    """Looks up and adds; its caches are right as long as only their connection writes, and until it rolls back."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.forget()

    def forget(self) -> None:
        self._keys: dict[str, int] = {}
        self._places: dict[Pair, int] = {}
        self._sayings: dict[Pair, int] = {}

    def trim(self) -> None:
        """Bound the caches; what a method returned before may lose entries."""
        for cache in (self._keys, self._places, self._sayings):
            drop_oldest(cache)

    def of_keys(self, keys: Iterable[str]) -> Mapping[str, int]:
        """A map that holds at least these keys."""
        missing = list(dict.fromkeys(str(key) for key in keys if key not in self._keys))  # kinds are enums
        if missing:
            self._keys.update(
                self._connection.execute(
                    "select n.key, n.id from carray(?) v cross join name n on n.key = v.value",
                    (apsw.carray(tuple(missing)),),
                )
            )
            fresh = dict(enumerate((key for key in missing if key not in self._keys), self._next_key()))
            self._connection.executemany("insert into name (id, key) values (?, ?)", fresh.items())
            self._keys.update((key, id_) for id_, key in fresh.items())
        return self._keys

    def of_places(self, places: Iterable[Pair]) -> Mapping[Pair, int]:
        """A map that holds at least these (namespace, name)."""
        for place in places:
            if place not in self._places:
                self._places[place] = self._find_place(place) or self._add_place(place)
        return self._places

    def of_sayings(self, sayings: Iterable[Pair]) -> Mapping[Pair, int]:
        """A map that holds at least these (bundle, actor)."""
        for saying in sayings:
            if saying not in self._sayings:
                self._sayings[saying] = self._find_saying(saying) or self._add_saying(saying)
        return self._sayings

    def _find_place(self, place: Pair) -> int | None:
        row = self._connection.execute(
            "select id from place where hash = ? and namespace = ? and name = ?", (_hash(place), *place)
        ).fetchone()
        return row[0] if row else None

    def _add_place(self, place: Pair) -> int:
        self._connection.execute("insert into place (hash, namespace, name) values (?, ?, ?)", (_hash(place), *place))
        id_ = self._connection.last_insert_rowid()
        self._connection.executemany(
            "insert into token (token, place) values (?, ?) on conflict do nothing",
            [(token[:INDEXED], id_) for token in tokens(place[1])],
        )
        return id_

    def _find_saying(self, saying: Pair) -> int | None:
        row = self._connection.execute("select id from saying where bundle = ? and actor = ?", saying).fetchone()
        return row[0] if row else None

    def _add_saying(self, saying: Pair) -> int:
        self._connection.execute("insert into saying (bundle, actor) values (?, ?)", saying)
        return self._connection.last_insert_rowid()

    def _next_key(self) -> int:
        row = self._connection.execute("select max(id) from name").fetchone()
        return 1 + (row[0] if row and row[0] else 0)


def drop_oldest(cache: dict[Any, int]) -> None:
    """Halve a cache that has outgrown its bound."""
    if len(cache) > CACHED:
        for key in list(islice(cache, len(cache) - CACHED // 2)):
            del cache[key]


def _hash(place: Pair) -> int:
    (number,) = struct.unpack(">q", digest(*place)[:8])
    return int(number)
