"""The three questions of the demonstration, put to the server in the way that anybody can repeat."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from shlex import join
from typing import Any, Protocol
from uuid import UUID

import orjson
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from catalog import instant
from catalog.commands.remote import RemoteCatalogue
from catalog.rendering.caption import moment
from catalog.rendering.legible import elided, legible


class Named(Protocol):
    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...


class Versioned(Named, Protocol):
    @property
    def version(self) -> str: ...


class Subject(Protocol):
    """What the example says of itself: two model versions, and a request that each has answered."""

    @property
    def deployment(self) -> Named: ...
    @property
    def model(self) -> Versioned: ...
    @property
    def request_id(self) -> str: ...
    @property
    def earlier_model(self) -> Versioned: ...
    @property
    def earlier_request_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Question:
    """A question in words, as GraphQL without variables, and the closest command."""

    words: str
    query: str
    command: list[str]


def answer_all(console: Console, url: str, subject: Subject) -> None:
    """Print each question, its answer, and how to ask again."""
    with RemoteCatalogue.connect(url) as server:
        for number, (question, show) in enumerate(
            (
                (origin_of_prediction(subject), show_prediction),
                (in_production(subject), show_production),
                (columns_of_model(subject), show_columns),
            ),
            1,
        ):
            console.print()
            console.rule(Text(f"{number}. {question.words}", style="bold"), align="left")
            for part in show(server.ask(question.query, {})):
                console.print(part)
            _how_to_repeat(console, url, question)


def _how_to_repeat(console: Console, url: str, question: Question) -> None:
    """Without a frame, so that it can be copied."""
    console.print(Text(f"\nPOST {url}/graphql", style="dim"))
    highlighted = Syntax("", "graphql", theme="ansi_dark", background_color="default").highlight(question.query.strip())
    console.print(highlighted, soft_wrap=True)
    command = join(["lineward", *question.command, "--url", url])
    console.print(Text.assemble(("$ ", "dim"), command), soft_wrap=True)


# 1. Where did this prediction come from? ---------------------------------------------------------------------


def origin_of_prediction(subject: Subject) -> Question:
    deployment = _reference(subject.deployment)
    return Question(
        f"Where did prediction {subject.request_id} come from?",
        f"""
{{
  prediction(deployment: {{job: {deployment}}}, requestId: {_quoted(subject.request_id)}) {{
    legs {{
      name state reason details {{ name value }}
      node {{ kind name ...on ModelVersion {{ version }} ...on DatasetVersion {{ version }} ...on Run {{ runId }} }}
    }}
  }}
}}
""",
        ["lineage", *_named(subject.deployment, "job"), "--depth", "10"],
    )


def show_prediction(found: Mapping[str, Any]) -> Iterator[Table]:
    table = _table("", "what is known", "details")
    for leg in found["prediction"]["legs"]:
        known = Text(_title(leg["node"]) if leg["node"] else "unknown", style="" if leg["node"] else "yellow")
        details = [f"{each['name']} {elided(each['value'], 40)}" for each in leg["details"]]
        reason = [leg["reason"]] if leg["reason"] else []
        table.add_row(Text(_words(leg["name"]), style="bold"), known, Text(legible(", ".join(reason + details))))
    yield table


# 2. What was in production then? -----------------------------------------------------------------------------


def in_production(subject: Subject) -> Question:
    """At the moment of the earlier request, which its id (a UUIDv7, RFC 9562) holds in milliseconds."""
    at = instant.text((UUID(subject.earlier_request_id).int >> 80) * 1000)
    return Question(
        f"What was in production on {moment(at)}, when version {subject.earlier_model.version} answered?",
        f"""
{{
  deployments(environment: "production", at: {{valid: {_quoted(at)}}}) {{
    nodes {{ since until state role share deployment {{ name }} modelVersion {{ kind name version }} }}
  }}
}}
""",
        ["lineage", *_named(subject.deployment, "job"), "--valid", at],
    )


def show_production(found: Mapping[str, Any]) -> Iterator[Table]:
    table = _table("deployment", "model version", "role", "since", "until")
    for each in found["deployments"]["nodes"]:
        table.add_row(
            Text(legible(each["deployment"]["name"]), style="bold"),
            Text(_title(each["modelVersion"]), style="magenta"),
            Text(legible(each["role"])),
            moment(each["since"]),
            moment(each["until"]) if each["until"] else "still then",
        )
    yield table


# 3. Which columns reach the model? ---------------------------------------------------------------------------


def columns_of_model(subject: Subject) -> Question:
    model = subject.model
    version = _reference(model, f", version: {_quoted(model.version)}")
    return Question(
        f"Which columns reach {model.name}@{model.version}, and is one of them protected?",
        f"""
{{
  lineage(of: {{model: {version}}}, grain: FIELD, depth: 20) {{
    nodes {{ id kind name ...on Field {{ path dataset {{ facets(names: ["tags"]) {{ body }} }} }}
            ...on ModelVersion {{ version }} }}
    edges {{ from to basis }}
  }}
}}
""",
        ["lineage", *_named(model, "model"), "--version", model.version, "--grain", "field", "--depth", "20"],
    )


def show_columns(found: Mapping[str, Any]) -> Iterator[Table | Text]:
    """From each source column to the model; protected ones are told by the tags of the datasets on the way."""
    nodes = {node["id"]: node for node in found["lineage"]["nodes"]}
    protected = {node["id"] for node in nodes.values() if node["kind"] == "FIELD" and _is_protected(node)}
    table = _table("", "from the source to the model")
    ways = sorted(_ways(found["lineage"]["edges"]), key=lambda way: (not protected & set(way), way))
    for way in ways:
        marked = bool(protected & set(way))
        shown = [legible(_title(nodes[each])) for each in way]
        table.add_row(
            Text("PROTECTED" if marked else "", style="bold red"),
            Text(" → ".join(shown), style="red" if marked else ""),
        )
    yield table
    names = sorted({nodes[each]["path"] for each in protected})
    if names:
        yield Text(f"Protected, and it reaches the model: {legible(', '.join(names))}.", style="bold red")


def _ways(edges: Iterable[Mapping[str, str]]) -> Iterator[tuple[str, ...]]:
    """Every way from a node without sources to one without targets; column lineage has no cycles here."""
    onward: dict[str, list[str]] = {}
    targets = set()
    for edge in edges:
        onward.setdefault(edge["from"], []).append(edge["to"])
        targets.add(edge["to"])
    ways: list[tuple[str, ...]] = [(source,) for source in onward if source not in targets]
    while ways:
        way = ways.pop()
        further = [each for each in onward.get(way[-1], ()) if each not in way]
        if not further:
            yield way
        ways += [(*way, each) for each in further]


def _is_protected(column: Mapping[str, Any]) -> bool:
    facets = (column["dataset"] or {}).get("facets", ())
    tags = [tag for facet in facets for tag in orjson.loads(facet["body"]).get("tags", ())]
    return any(tag.get("field") == column["path"] and tag["key"].startswith("protected:") for tag in tags)


# Words -------------------------------------------------------------------------------------------------------


def _title(node: Mapping[str, Any]) -> str:
    if node["kind"] == "FIELD":
        return f"{node['name']}:{node['path']}"
    detail = node.get("version") or node.get("runId")
    joint = " " if node.get("runId") else "@"
    return legible(node["name"] + (f"{joint}{elided(detail, 36)}" if detail else ""))


def _words(name: str) -> str:
    """`trainingRun` as `training run`."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))


def _reference(named: Named, more: str = "") -> str:
    return f"{{namespace: {_quoted(named.namespace)}, name: {_quoted(named.name)}{more}}}"


def _named(named: Named, option: str) -> list[str]:
    return ["--namespace", named.namespace, f"--{option}", named.name]


def _quoted(text: str) -> str:
    """A GraphQL string; those of JSON are among them."""
    return orjson.dumps(text).decode()
