"""The graph in Neo4j's terms: its labels, its schema, and every query, as text.

    (:Run {id: UUID})-[:USED|GENERATED|…]->(:DatasetVersion)-[:VERSION_OF]->(:Dataset)
    (:Event {seq})-[:EVENT_OF]->(:Run)                        what the log says, decoded from `record`
    (:Event)-[:STATES {at, seq}]->(:Statement {actor})-[:ABOUT]->(:Dataset|…)
    (:Statement)-[:BUNDLE]->(:Bundle)-[:FACET {name}]->(:Facet {digest, body})
    (:Run)-[:SHAPED {first, last}]->(:Shape)-[:SHAPE_OF]->(:Job)
    (:Approval|Waiver|Attestation|Decision|Policy {verb, person, …})-[:CONCERNS]->(…)   what people did, about what
    (:Redaction)-[:ERASED {seq}]->(…)                         what lost something with the body of entry `seq`
    (:Projection {origin, offset})                            how far the graph has come, in which log

Whatever an edge may end in is also a `:Node`, keyed by `id`: a run's is its UUID, an event's its position. One UUID may
be several runs (of unrelated jobs), each a `:RunIdentity {id, label: UUID}`. Edges, and nodes, carry the smallest `at`
known for them and the log position `seq` that said so; where a smaller one arrived late, the edge before it is kept as
what was known until then (`until`: the position that overtook it), and the node keeps both in `sightings`.
"""

from collections.abc import Iterator

from catalog.graph.contract import MOMENTS, EdgeKind
from catalog.identity import ACTS, NodeKind

LABELS = {
    NodeKind.DATASET: "Dataset",
    NodeKind.DATASET_VERSION: "DatasetVersion",
    NodeKind.FIELD: "Field",
    NodeKind.JOB: "Job",
    NodeKind.RUN: "RunIdentity",
    NodeKind.APPROVAL: "Approval",
    NodeKind.WAIVER: "Waiver",
    NodeKind.ATTESTATION: "Attestation",
    NodeKind.DECISION: "Decision",
    NodeKind.POLICY: "Policy",
    NodeKind.REDACTION: "Redaction",
}

# Kinds beside MOMENTS whose targets may gather edges without end and are asked for by time.
WINDOWED = frozenset({EdgeKind.READ, EdgeKind.RUN_OF, EdgeKind.VERSION_OF}) - MOMENTS

_UNIQUE = (
    ("Projection", "name"),
    ("Node", "id"),
    ("Event", "seq"),
    ("Statement", "id"),
    ("Bundle", "digest"),
    ("Facet", "digest"),
    ("Shape", "id"),
    ("Naming", "id"),
)
_OWN_TYPES = (
    *EdgeKind,
    "EVENT_OF",
    "STATES",
    "ABOUT",
    "BUNDLE",
    "FACET",
    "SHAPED",
    "SHAPE_OF",
)


def schema() -> Iterator[tuple[str, str]]:
    """Name and statement of each constraint and index. Keys are ids, digests and numbers: raw names are too long."""
    for label, key in _UNIQUE:
        name = f"{label.lower()}_{key}"
        yield name, f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE"
    for kind in sorted(MOMENTS):
        name, keys = f"{kind.lower()}_moment", "(e.target, e.at, e.source)"
        yield name, f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR ()-[e:{kind}]-() REQUIRE {keys} IS UNIQUE"
    for kind in sorted(WINDOWED):
        yield _range(f"{kind.lower()}_time", f"()-[e:{kind}]-()", "e.target, e.at")
    yield _range("states_time", "()-[e:STATES]-()", "e.of, e.at")
    yield _range("shaped_first", "()-[e:SHAPED]-()", "e.of, e.first")
    yield _range("shaped_last", "()-[e:SHAPED]-()", "e.of, e.last")
    for label in (label for kind, label in LABELS.items() if kind not in ACTS):
        yield _range(f"{label.lower()}_naming", f"(n:{label})", "n.naming")
    words = "CREATE FULLTEXT INDEX names IF NOT EXISTS FOR (n:Naming) ON EACH [n.words]"
    yield "names", words + " OPTIONS {indexConfig: {`fulltext.analyzer`: 'whitespace'}}"


def _range(name: str, pattern: str, keys: str) -> tuple[str, str]:
    return name, f"CREATE INDEX {name} IF NOT EXISTS FOR {pattern} ON ({keys})"


PRESENT = "SHOW INDEXES YIELD name RETURN name"
AWAIT_INDEXES = "CALL db.awaitIndexes(120)"

POSITION = "MATCH (p:Projection {name: 'lineward'}) RETURN p.origin, p.offset"
POSITION_AND_EPOCH = f"{POSITION}, p.epoch"

# Two statements: the first waits for the lock, the second reads what whoever had it left.
LOCK = """
MERGE (p:Projection {name: 'lineward'}) ON CREATE SET p.origin = $origin, p.offset = 0, p.epoch = randomUUID()
SET p.locked = true
"""
COMPARE_AND_SET = """
MATCH (p:Projection {name: 'lineward', origin: $origin}) WHERE p.offset = $start
SET p.offset = $end
RETURN p.offset
"""
HOLD = "MATCH (p:Projection) SET p.locked = true"

CLEARING = -1  # an offset that no batch starts at
START_CLEARING = f"MATCH (p:Projection) SET p.offset = {CLEARING}"
CLEAR = (
    f"MATCH ()-[e:{'|'.join(_OWN_TYPES)}]->() CALL (e) {{ DELETE e }} IN TRANSACTIONS OF 10000 ROWS",
    f"MATCH (n:{'|'.join(label for label, _ in _UNIQUE if label != 'Projection')}) "
    "CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS",
    "MATCH (p:Projection) DELETE p",
)

# Writing

SIGHTINGS = """
UNWIND $rows AS id MATCH (n:Node {id: id})
RETURN id, n.kind IS NOT NULL, coalesce(n.sightings, [n.at, n.seq])
"""
ADD_HUBS = {
    "Run": """
UNWIND $rows AS r MERGE (n:Node {id: r[0]}) SET n:Run, n.uuid = r[0], n.namespace = r[1], n.name = r[2]""",
    **{
        label: f"UNWIND $rows AS r MERGE (n:Node {{id: r[0]}}) SET n:{label}"
        for label in (*LABELS.values(), "Role", "Kind", "Sender", "Alias", "Node")
    },
}


def add_nodes(label: str) -> str:
    return f"""
UNWIND $rows AS r
MERGE (n:Node {{id: r[0]}})
SET n:{label}, n.kind = r[1], n.namespace = r[2], n.name = r[3], n.owner = r[4], n.label = r[5],
    n.naming = r[6], n.at = r[7], n.seq = r[8], n.sightings = r[9]
"""


# For people who read the graph: what an act says that fits a property. Nothing of ours looks at it.
DESCRIBE_ACTS = "UNWIND $rows AS r MATCH (n:Node {id: r[0]}) SET n += r[1]"
SIGHT_NODES = """
UNWIND $rows AS r MATCH (n:Node {id: r[0]}) SET n.at = r[1], n.seq = r[2], n.sightings = r[3]
"""
ADD_NAMINGS = "UNWIND $rows AS r MERGE (n:Naming {id: r[0]}) ON CREATE SET n.words = r[1]"
# For people who read the graph; the labels have no past, and nothing of ours looks at them.
ROLES = {"MODEL": "Model", "DEPLOYMENT": "Deployment"}
MARK_VERSIONS_OF_MODELS = "UNWIND $rows AS id MATCH (:Node {id: id})<-[:VERSION_OF]-(v) SET v:ModelVersion"
MARK_MODEL_VERSIONS = "UNWIND $rows AS id MATCH (v:Node {id: id})-[:VERSION_OF]->(:Model) SET v:ModelVersion"


def mark(label: str) -> str:
    return f"UNWIND $rows AS id MATCH (n:Node {{id: id}}) SET n:{label}"


def held_edges(kind: EdgeKind) -> str:
    return f"""
UNWIND $rows AS r
MATCH (a:Node {{id: r[0]}})-[e:{kind}]->(b:Node {{id: r[1]}})
RETURN r[0], r[1], collect([e.at, e.seq])
"""


# What cannot be there yet is created: MERGE takes three times as long to find that out. The others are merged.


def create_moments(kind: EdgeKind) -> str:
    return f"""
UNWIND $rows AS r
MATCH (a:Node {{id: r[0]}}) MATCH (b:Node {{id: r[1]}})
CREATE (a)-[:{kind} {{target: r[1], at: r[2], source: r[0], seq: r[3]}}]->(b)
"""


def merge_moments(kind: EdgeKind) -> str:
    return f"""
UNWIND $rows AS r
MATCH (a:Node {{id: r[0]}}) MATCH (b:Node {{id: r[1]}})
MERGE (a)-[e:{kind} {{target: r[1], at: r[2], source: r[0]}}]->(b)
ON CREATE SET e.seq = r[3]
ON MATCH SET e.seq = CASE WHEN r[3] < e.seq THEN r[3] ELSE e.seq END
"""


def create_edges(kind: EdgeKind) -> str:
    target = ", target: r[1]" if kind in WINDOWED else ""
    return f"""
UNWIND $rows AS r
MATCH (a:Node {{id: r[0]}}) MATCH (b:Node {{id: r[1]}})
CREATE (a)-[:{kind} {{at: r[2], seq: r[3], until: r[4]{target}}}]->(b)
"""


def change_edges(kind: EdgeKind) -> str:
    return f"""
UNWIND $rows AS r
MATCH (a:Node {{id: r[0]}})-[e:{kind} {{at: r[2]}}]->(b:Node {{id: r[1]}})
SET e.seq = r[3], e.until = r[4]
"""


def drop_edges(kind: EdgeKind) -> str:
    return f"""
UNWIND $rows AS r
MATCH (a:Node {{id: r[0]}})-[e:{kind} {{at: r[2]}}]->(b:Node {{id: r[1]}}) DELETE e
"""


PEAK_BEFORE = """
MATCH (e:Event) USING INDEX SEEK e:Event(seq) WHERE e.seq < $known AND e.peak IS NOT NULL
RETURN e.peak ORDER BY e.seq DESC LIMIT 1
"""
LAST_EVENT = "MATCH (e:Event) USING INDEX SEEK e:Event(seq) WHERE e.seq >= 0 RETURN e.seq ORDER BY e.seq DESC LIMIT 1"
ADD_EVENT_HUBS = "UNWIND $rows AS seq MERGE (e:Event {seq: seq})"
ADD_EVENTS = """
UNWIND $rows AS r
MERGE (e:Event {seq: r[0]})
SET e.at = r[1], e.peak = r[2], e.type = r[3], e.time = r[4], e.actor = r[5], e.record = r[6]
"""
DECLARE_EVENTS = """
UNWIND $rows AS r MATCH (e:Event {seq: r[0]}) SET e:Node, e.id = r[1]
"""
ADD_RUN_EVENTS = """
UNWIND $rows AS r
MATCH (e:Event {seq: r[0]}) MATCH (n:Node {id: r[1]})
MERGE (e)-[:EVENT_OF]->(n)
"""
HELD_BODIES = "UNWIND $rows AS digest MATCH (f:Facet {digest: digest}) WHERE f.body IS NOT NULL RETURN digest"
ADD_BODIES = "UNWIND $rows AS r MERGE (f:Facet {digest: r[0]}) SET f.body = r[1]"
ADD_BUNDLES = """
UNWIND $rows AS r
MERGE (b:Bundle {digest: r[0]}) SET b.known = true
WITH b, r UNWIND r[1] AS facet
MERGE (f:Facet {digest: facet[1]})
MERGE (b)-[:FACET {name: facet[0]}]->(f)
"""
HELD_BUNDLES = "UNWIND $rows AS digest MATCH (b:Bundle {digest: digest}) WHERE b.known RETURN digest"
HELD_STATEMENTS = "UNWIND $rows AS id MATCH (s:Statement {id: id}) RETURN id"
ADD_STATEMENTS = """
UNWIND $rows AS r
MATCH (n:Node {id: r[1]})
MERGE (b:Bundle {digest: r[2]})
MERGE (s:Statement {id: r[0]}) SET s.actor = r[3]
MERGE (s)-[:ABOUT]->(n)
MERGE (s)-[:BUNDLE]->(b)
"""
CREATE_MENTIONS = """
UNWIND $rows AS r
MATCH (e:Event {seq: r[1]}) MATCH (s:Statement {id: r[0]})
CREATE (e)-[:STATES {at: r[2], seq: r[1], of: r[0]}]->(s)
"""
MERGE_MENTIONS = """
UNWIND $rows AS r
MATCH (e:Event {seq: r[1]}) MATCH (s:Statement {id: r[0]})
MERGE (e)-[m:STATES {at: r[2]}]->(s)
ON CREATE SET m.seq = r[1], m.of = r[0]
"""
ADD_SHAPES = """
UNWIND $rows AS r
MATCH (j:Node {id: r[1]})
MERGE (s:Shape {id: r[0]}) SET s.shape = r[2]
MERGE (s)-[:SHAPE_OF]->(j)
"""
RESHAPE_RUNS = """
UNWIND $rows AS r
MATCH (n:Node {id: r[0]})-[e:SHAPED]->(s) WHERE s.id <> r[1] DELETE e
"""
SHAPE_RUNS = """
UNWIND $rows AS r
MATCH (n:Node {id: r[0]}) MATCH (s:Shape {id: r[1]})
MERGE (n)-[e:SHAPED]->(s)
SET e.of = r[1], e.first = r[2], e.last = r[3], e.succeeded = r[4]
"""
ADD_SPANS = """
UNWIND $rows AS r
MATCH (n:Node {id: r[0]})
SET n.span = CASE WHEN r[1] < n.span THEN n.span ELSE r[1] END
"""

# Reading, at a cut: $known and $valid; windows fold `valid` into $high. An index gives an order, and so a LIMIT that
# does not look at all of time, only where that order names the index's first key, too.

_RECORD = "n.id, n.kind, n.namespace, n.name, n.owner, n.label, coalesce(n.sightings, [n.at, n.seq])"
NODES = f"UNWIND $keys AS key MATCH (n:Node {{id: key}}) WHERE n.kind IS NOT NULL RETURN {_RECORD}"
RUN_EVENTS = """
UNWIND $keys AS key
MATCH (:Node {id: key})<-[:EVENT_OF]-(e:Event) WHERE e.seq < $known AND e.at <= $valid
RETURN key, e.record
"""
EVENTS = """
UNWIND $keys AS key
MATCH (e:Event {seq: key}) WHERE e.seq < $known AND e.at <= $valid
RETURN key, e.record
"""


def _seen(kind: EdgeKind) -> str:
    """Of a kind outside MOMENTS, that no smaller `at` was known yet."""
    return "e.seq < $known" + ("" if kind in MOMENTS else " AND coalesce(e.until, $known) >= $known")


def outgoing(kind: EdgeKind) -> str:
    return f"""
UNWIND $keys AS key
MATCH (a:Node {{id: key}})-[e:{kind}]->(b:Node) WHERE e.at >= $low AND e.at <= $high AND {_seen(kind)}
RETURN key, b.id, e.at, e.seq
"""


def incoming(kind: EdgeKind) -> str:
    """For windows that are most of time, or kinds with few edges to a target."""
    return f"""
UNWIND $keys AS key
MATCH (:Node {{id: key}})<-[e:{kind}]-(a) WHERE e.at >= $low AND e.at <= $high AND {_seen(kind)}
RETURN key, a.id, e.at, e.seq
"""


def _by_time(kind: EdgeKind, key: str) -> str:
    """Edges to a target by time, from an index that has them so: a planner without statistics would scan it all."""
    if kind in MOMENTS:
        return (
            f"MATCH (a)-[e:{kind}]->() USING INDEX SEEK e:{kind}(target, at, source) "
            f"WHERE e.target = {key} AND e.source IS NOT NULL"
        )
    if kind in WINDOWED:
        return f"MATCH (a)-[e:{kind}]->() USING INDEX SEEK e:{kind}(target, at) WHERE e.target = {key}"
    return f"MATCH (:Node {{id: {key}}})<-[e:{kind}]-(a) WHERE true"


def incoming_within(kind: EdgeKind) -> str:
    return f"""
UNWIND $keys AS key
{_by_time(kind, "key")} AND e.at >= $low AND e.at <= $high AND {_seen(kind)}
RETURN key, a.id, e.at, e.seq
"""


def latest(kind: EdgeKind) -> str:
    return f"""
UNWIND $keys AS key
CALL (key) {{
  {_by_time(kind, "key")} AND e.at >= $low AND e.at <= $high AND {_seen(kind)}
  RETURN a.id AS source, e.at AS at, e.seq AS seq
  ORDER BY e.target DESC, e.at DESC, e.seq DESC, a.id DESC LIMIT $limit
}}
RETURN key, source, at, seq
"""


def earliest(kind: EdgeKind) -> str:
    return f"""
UNWIND $keys AS key
CALL (key) {{
  {_by_time(kind, "key")} AND e.at >= $low AND e.at <= $high AND {_seen(kind)}
  RETURN a.id AS source, e.at AS at, e.seq AS seq
  ORDER BY e.target, e.at, e.seq, a.id LIMIT $limit
}}
RETURN source, at, seq
"""


def count(kind: EdgeKind) -> str:
    return f"""
UNWIND $keys AS key
{_by_time(kind, "key")} AND e.at >= $low AND e.at <= $high AND {_seen(kind)}
RETURN count(DISTINCT a)
"""


MENTIONS = """
UNWIND $keys AS key
MATCH (:Node {id: key})<-[:ABOUT]-(s:Statement)-[:BUNDLE]->(b:Bundle)
CALL (s) {
  MATCH ()-[m:STATES]->() USING INDEX SEEK m:STATES(of, at)
  WHERE m.of = s.id AND m.at <= $valid AND m.seq < $known
  RETURN m.at AS at, m.seq AS seq ORDER BY m.of DESC, m.at DESC, m.seq LIMIT 1
}
RETURN key, b.digest, at, seq, s.actor
"""
BUNDLES = """
UNWIND $keys AS key
MATCH (b:Bundle {digest: key}) WHERE b.known
RETURN key, COLLECT { MATCH (b)-[e:FACET]->(f) RETURN [e.name, f.digest] }
"""
BODIES = "UNWIND $keys AS key MATCH (f:Facet {digest: key}) WHERE f.body IS NOT NULL RETURN key, f.body"
SHAPES = """
UNWIND $keys AS key
MATCH (:Node {id: key})<-[:SHAPE_OF]-(s:Shape)
CALL (s) {
  MATCH (n)-[e:SHAPED]->() USING INDEX SEEK e:SHAPED(of, last) WHERE e.of = s.id AND e.last IS NOT NULL
  RETURN n.id AS example, e.last AS last ORDER BY e.of DESC, e.last DESC, n.id DESC LIMIT 1
}
CALL (s) {
  MATCH ()-[e:SHAPED]->() USING INDEX SEEK e:SHAPED(of, first) WHERE e.of = s.id AND e.first IS NOT NULL
  RETURN e.first AS first ORDER BY e.of, e.first LIMIT 1
}
RETURN key, s.shape, example, first, last, COUNT { (s)<-[:SHAPED]-() }
"""
SPANS = "UNWIND $keys AS key MATCH (n:Node {id: key}) WHERE n.span IS NOT NULL RETURN key, n.span"


def named(label: str) -> str:
    """Nodes with names of which the words begin tokens: a preselection, as Lucene cuts long tokens."""
    return f"""
CALL db.index.fulltext.queryNodes('names', $words) YIELD node
MATCH (n:{label}) USING INDEX SEEK n:{label}(naming) WHERE n.naming = node.id
RETURN {_RECORD}
"""


def labelled(label: str) -> str:
    return f"MATCH (n:{label}) WHERE n.kind IS NOT NULL RETURN {_RECORD}"


# Facts

ALL_NODES = f"MATCH (n:Node) WHERE n.kind IS NOT NULL RETURN {_RECORD}"
ALL_EVENTS = "MATCH (e:Event) WHERE e.record IS NOT NULL RETURN e.record"
ALL_MENTIONS = """
MATCH (n)<-[:ABOUT]-(s:Statement)-[:BUNDLE]->(b)
CALL (s) { MATCH ()-[m:STATES]->(s) RETURN DISTINCT m.at AS at }
RETURN n.id, b.digest, at, s.actor
"""
ALL_BUNDLES = """
MATCH (b:Bundle) WHERE b.known
RETURN b.digest, COLLECT { MATCH (b)-[e:FACET]->(f) RETURN [e.name, f.digest] }
"""
ALL_BODIES = "MATCH (f:Facet) WHERE f.body IS NOT NULL RETURN f.digest"
ALL_SHAPES = """
MATCH (n)-[e:SHAPED]->(s)-[:SHAPE_OF]->(j) RETURN n.id, j.id, s.shape, e.first, e.last, e.succeeded
"""
ALL_SPANS = "MATCH (n:Node) WHERE n.span IS NOT NULL RETURN n.id, n.span"


def all_edges(kind: EdgeKind) -> str:
    key = "null" if kind is EdgeKind.DECLARED else "a.id"
    distinct = "DISTINCT " if kind is EdgeKind.DECLARED else ""
    return f"MATCH (a)-[e:{kind}]->(b) WHERE e.until IS NULL RETURN {distinct}{key}, b.id, e.at"
