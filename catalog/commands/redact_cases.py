"""`lineward redact report`, `cases` and `dispose`: what rests on an erasure, and what is done about it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from catalog.commands import redact, reference
from catalog.commands.acts import Json, Yes
from catalog.commands.options import Data, Graph, Url, place

app = redact.app

Case = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="Id of the proposal or the erasure.", show_default=False)
]


@app.command("report", short_help="What rests on an erasure: the answer to a request.")
def report(
    context: typer.Context,
    case: Case = None,
    about: Annotated[
        str | None,
        typer.Option(
            "--about", metavar="DATASET", help="What an erasure from this dataset would reach now.", show_default=False
        ),
    ] = None,
    namespace: reference.Namespace = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it as a document; - prints it.", show_default=False)
    ] = None,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """List the versions, services and decisions that rest on an erasure, and what is decided about each version.

    Exits with 1 while something is open, with 3 where the walk was cut.
    """
    from catalog.commands.acts import print_json
    from catalog.commands.governing import opened
    from policies.erasure import report as written

    at_url, in_folder = place(context, url, data)
    dataset = _about(case, about, namespace)
    with opened(at_url, in_folder, graph) as governing:
        found = governing.erasure_report(case, dataset)
    if as_json:
        print_json(found)
    if markdown is not None and str(markdown) != "-":
        markdown.write_text(written.markdown(found), encoding="utf-8")
    elif markdown is not None or not as_json:
        typer.echo(written.markdown(found) if markdown is not None else _told(found))
    if found["truncated"]:
        raise typer.Exit(3)
    if found["id"] and found["state"] == "OPEN":
        raise typer.Exit(1)


@app.command("cases", short_help="Erasures, and what is open about each.")
def list_cases(
    context: typer.Context,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """List the cases that erasures opened. Exits with 1 while one is open."""
    from catalog.commands.acts import print_json
    from catalog.commands.governing import opened
    from catalog.rendering.legible import legible

    at_url, in_folder = place(context, url, data)
    with opened(at_url, in_folder, graph) as governing:
        found = governing.erasure_cases()
    if as_json:
        print_json(found)
    for each in () if as_json else found:
        waiting = sum(version["open"] for version in each["versions"])
        where = ", ".join(dataset["name"] for dataset in each["datasets"]) or f"{len(each['entries'])} entries"
        many = f"{waiting} of {len(each['versions'])} versions open"
        due = f", due {each['dueAt'][:10]}" if each["state"] == "OPEN" else ""
        typer.echo(legible(f"{each['state']:<6}  {each['id']}  {each['openedAt'][:10]}  {where}: {many}{due}"))
    if not found and not as_json:
        typer.echo("No erasure has opened a case.")
    if any(each["state"] == "OPEN" for each in found):
        raise typer.Exit(1)


@app.command("dispose", short_help="Decide about a version that rests on an erasure.")
def dispose(
    context: typer.Context,
    case: Annotated[str, typer.Argument(metavar="ID", help="Id of the case.", show_default=False)],
    version_of: Annotated[
        str | None, typer.Argument(metavar="[NAME@VERSION]", help="The version.", show_default=False)
    ] = None,
    id: reference.Id = None,  # noqa: A002 - the name of the option
    namespace: reference.Namespace = None,
    model: reference.Model = None,
    version: reference.Version = None,
    retrain: Annotated[
        str | None,
        typer.Option(metavar="NAME@VERSION|ID", help="This version replaces it, trained without.", show_default=False),
    ] = None,
    unlearn: Annotated[bool, typer.Option("--unlearn", help="The model was made to forget.")] = False,
    suppress: Annotated[bool, typer.Option("--suppress", help="Its output about the person is not used.")] = False,
    accept: Annotated[
        str | None,
        typer.Option(
            metavar="UNTIL", help="It stays until then: 30d, or a time. By a second person.", show_default=False
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why, and where it is on file.", show_default=False)] = None,
    yes: Yes = False,
    as_json: Json = False,
    url: Url = None,
    data: Data = None,
    graph: Graph = None,
) -> None:
    """Decide what is done about one version of a model: retrain, unlearn, suppress, or accept until a date."""
    from catalog.commands.acts import agree, print_json, required, tell_facts
    from catalog.commands.governing import opened, target_of
    from catalog.commands.moment import instant_of
    from catalog.errors import InvalidInputError

    at_url, in_folder = place(context, url, data)
    named = reference.Reference(version_of, id, namespace, model, None, None, None, version, None)
    named.node()
    given = {"retrain": retrain is not None, "unlearn": unlearn, "suppress": suppress, "accept": accept is not None}
    ways = [name for name, said in given.items() if said]
    if len(ways) != 1:
        raise InvalidInputError(
            "say one thing that is done about the version", "Give --retrain, --unlearn, --suppress or --accept."
        )
    why = required("--reason", reason, "Say why, and where it is on file.")
    end = None if accept is None else instant_of("--accept", accept)
    with opened(at_url, in_folder, graph, writing=True) as governing:
        target = target_of(named, governing)
        successor = None if retrain is None else target_of(_successor(retrain, namespace, model), governing)
        facts = [("case", case), ("version", str(version_of or version or id)), ("way", ways[0]), ("reason", why)]
        tell_facts("You decide:", [*facts, *([("until", end)] if end else [])])
        agree("Decide this?", yes)
        found = governing.dispose_erasure(case, target, ways[0], why, successor, end)
    if as_json:
        print_json(found)
    else:
        typer.echo(_told(found))


def _successor(told: str, namespace: str | None, model: str | None) -> reference.Reference:
    """The version that replaces: an id, NAME@VERSION, or with --model another version of it."""
    if told.startswith("dv_"):
        return reference.Reference(id=told)
    if namespace is not None and model is not None and "@" not in told:
        return reference.Reference(namespace=namespace, model=model, version=told)
    return reference.Reference(shorthand=told)


def _about(case: str | None, about: str | None, namespace: str | None) -> Any:
    from catalog.errors import InvalidInputError
    from catalog.model import DatasetRef, NodeRef

    if (case is None) == (about is None):
        raise InvalidInputError(
            "name a case, or a dataset with --about", "`lineward redact cases` lists the ids of cases."
        )
    if about is None:
        return None
    if namespace is None:
        if not about.startswith("ds_"):
            raise InvalidInputError("the namespace of the dataset is missing", "Add --namespace, or give its id.")
        return NodeRef(id=about)
    return NodeRef(dataset=DatasetRef(namespace, about))


def _told(found: dict[str, Any]) -> str:
    """A case for a terminal."""
    from catalog.rendering.legible import legible
    from policies.erasure.report import facts

    listed = list(facts(found))
    width = max(len(name) for name, _ in listed)
    lines = [f"{name:<{width}}  {value}" for name, value in listed]
    names = {each["id"]: f"{each['name']}@{each['version']}" for each in found["versions"]}
    serving = {each["version"] for each in found["deployments"] if each["state"] != "ENDED"}
    for each in found["versions"]:
        said = each["disposition"]
        decided = "nothing decided" if said is None else f"{said['way']} by {said['by']}"
        if said and said["successor"]:
            decided += f", replaced by {names.get(said['successor'], said['successor'])}"
        if said and said["expiresAt"]:
            decided += f" until {said['expiresAt']}"
        served = ", in service" if each["id"] in serving else ""
        lines.append(f"{'OPEN  ' if each['open'] else 'settled'}  {names[each['id']]}{served}: {decided}")
    if not found["versions"]:
        lines.append("No version of a model rests on it, as far as the catalog knows.")
    services, decisions = len(found["deployments"]), len(found["decisions"])
    lines.append(f"rests on it too: stretches of service {services}, decisions {decisions}")
    lines += [f"not known: {gap['kind']} at {gap['name']}: {gap['reason']}" for gap in found["gaps"]]
    lines += ["The walk was cut: there may be more."] if found["truncated"] else []
    return "\n".join(legible(line) for line in lines)
