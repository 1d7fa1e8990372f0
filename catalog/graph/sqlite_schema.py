"""The tables of `graph.db`.

Strings that rows repeat (ids, run keys, actors, kinds) are interned in `name`, so that an edge is some 25 bytes. The
integers depend on the order of arrival and never leave this file. Where a table keeps several assertions of one thing,
those that another one dominates (`at` and `seq` both not greater) are left out when that is known cheaply: rows that
are there although dominated change no answer.
"""

import apsw

from catalog.errors import InvalidInputError
from catalog.graph import sqlite_records
from catalog.graph.contract import EdgeKind
from catalog.identity import NodeKind

APPLICATION = 0x4C574752  # "LWGR"
VERSION = 3

TABLES = """
create table position (origin text not null, offset integer not null) strict;

create table name (id integer primary key, key text not null unique) strict;

-- Names may be 10 KB long and are shared by a dataset, its versions and its fields: found by hash, compared in full.
create table place (
    id integer primary key, hash integer not null, namespace text not null, name text not null
) strict;
create index place_hash on place (hash);
create table token (token text, place integer, primary key (token, place)) strict, without rowid;

create table node (
    id integer primary key, kind integer not null, place integer not null, owner integer, label text
) strict;
create index node_place on node (kind, place);
create table sighting (
    node integer, at integer, seq integer not null, primary key (node, at)
) strict, without rowid;

create table edge (
    kind integer, source integer, target integer, at integer, seq integer not null,
    primary key (kind, source, target, at)
) strict, without rowid;
create index edge_target on edge (kind, target, at, seq, source);

-- Kinds of which each moment counts: a long-lived run has many, so a window on them is a seek in both directions.
create table moment (
    kind integer, source integer, at integer, target integer, seq integer not null,
    primary key (kind, source, at, target)
) strict, without rowid;
create index moment_target on moment (kind, target, at, seq, source);

-- `newest` is the greatest received time up to this entry: clocks step back, and an old cut wants its own maximum.
create table event (
    seq integer primary key, run integer, at integer not null, newest integer not null, record blob not null
) strict;
create index event_run on event (run, at) where run is not null;

create table saying (
    id integer primary key, bundle text not null, actor text not null, unique (bundle, actor)
) strict;
create table mention (
    entity integer, saying integer, at integer, seq integer not null, primary key (entity, saying, at)
) strict, without rowid;

create table bundle (digest text primary key, facets blob not null) strict;
create table body (digest text primary key, body blob not null) strict;

create table run_shape (
    run integer primary key, job integer not null, shape integer not null,
    first integer not null, last integer not null, succeeded integer not null
) strict;
create index run_shape_first on run_shape (job, shape, first);
create index run_shape_last on run_shape (job, shape, last);
create table job_shape (
    job integer, shape integer, runs integer not null, primary key (job, shape)
) strict, without rowid;

create table span (dataset integer primary key, micros integer not null) strict;
"""

BUSY_MILLISECONDS = 10_000

# A checkpoint writes each page that changed since the last one once, so a longer WAL saves writes of the hot b-tree
# tails; readers search it, and a crash replays it, so it must not grow without end. 16,000 pages are 16 MB.
CHECKPOINT_PAGES = 16_000


def connect(path: str) -> apsw.Connection:
    """The writing connection, with tables made where they are missing or of another version: the log fills them.

    Small pages, as a batch touches many b-tree tails and each dirties a page. Raises InvalidInputError for a database
    of somebody else, and leaves it as it is.
    """
    connection = apsw.Connection(path, statementcachesize=100)
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    if not _is_ours(connection):
        connection.close()
        raise InvalidInputError(f"{path} is a database, but no graph of Lineward.", "Name another file.")
    connection.execute("pragma page_size=1024; pragma journal_mode=wal; pragma synchronous=normal")
    connection.execute(
        f"pragma wal_autocheckpoint={CHECKPOINT_PAGES}; pragma journal_size_limit={CHECKPOINT_PAGES * 1024}; "
        "pragma cache_size=-65536; pragma temp_store=memory"
    )
    if not _is_current(connection):
        _prepare(connection)
    return connection


def connect_reader(path: str) -> apsw.Connection:
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY, statementcachesize=50)
    connection.set_busy_timeout(BUSY_MILLISECONDS)
    connection.execute("pragma cache_size=-16384; pragma temp_store=memory")
    return connection


def _is_ours(connection: apsw.Connection) -> bool:
    is_empty = connection.execute("select 1 from sqlite_schema").fetchone() is None
    return is_empty or connection.pragma("application_id") == APPLICATION


def _is_current(connection: apsw.Connection) -> bool:
    return (connection.pragma("application_id"), connection.pragma("user_version")) == (APPLICATION, VERSION)


def _prepare(connection: apsw.Connection) -> None:
    connection.execute("begin immediate")
    try:
        if not _is_current(connection):  # another process may have been quicker
            recreate(connection)
    finally:
        connection.execute("commit")


def recreate(connection: apsw.Connection) -> None:
    """Empty tables, inside the caller's transaction."""
    tables = connection.execute("select name from sqlite_schema where type = 'table'").fetchall()
    for (table,) in tables:
        connection.execute(f'drop table "{table}"')
    connection.execute(TABLES + sqlite_records.TABLE)
    kinds = [(kind.value,) for kind in (*EdgeKind, *NodeKind)]
    connection.executemany("insert into name (key) values (?) on conflict do nothing", kinds)
    connection.execute(f"pragma application_id={APPLICATION}; pragma user_version={VERSION}")
