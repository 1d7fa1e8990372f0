"""`lineward policy test`: a pack over the whole catalog, and what it would change against the one in force."""

import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from catalog.commands.acts import console_width, print_json
from catalog.commands.failure import CheckFailedError
from catalog.commands.governing import Governing, Version, opened
from catalog.commands.policy_files import file_of
from catalog.commands.progress import bar
from catalog.composition import evaluation_worker
from catalog.errors import InvalidInputError, NotFoundError
from catalog.model import NodeRef
from catalog.rendering.legible import legible
from policies.approving import approval_params
from policies.binding import PolicyBinding
from policies.compliance.cells import inert
from policies.enforcing import params_of
from policies.evaluation import TROUBLED, Evaluation
from policies.in_force import selects
from policies.loading import load_pack
from policies.pack import PolicyPack
from policies.sandbox import Worker
from policies.verdict import ControlResult, Verdict

_EVALUATE = "policies.evaluation:evaluate"
_CELLS = {
    Verdict.PASS: ("pass", "green"),
    Verdict.FAIL: ("FAIL", "red"),
    Verdict.UNKNOWN: ("?", "yellow"),
    Verdict.ERROR: ("ERROR", "bold red"),
    Verdict.NOT_APPLICABLE: ("-", "dim"),
    Verdict.WAIVED: ("waived", "yellow"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What one control says of one version, and what that of the pack in force says; None where it has none."""

    control: str
    verdict: Verdict
    before: Verdict | None

    @property
    def change(self) -> str | None:
        now, then = self.verdict in TROUBLED, self.before in TROUBLED
        if now and not then:
            return "newly fails"
        return "newly passes" if then and not now else None


@dataclass(frozen=True, slots=True)
class Row:
    version: Version
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """`pack` is None where only the one in force is looked at, `before` the version in force, None without one."""

    name: str
    pack: PolicyPack | None
    before: str | None
    rows: list[Row] = field(default_factory=list)

    @property
    def title(self) -> str:
        return self.pack.label if self.pack else f"{self.name}@{self.before}"

    def changed(self, how: str) -> list[tuple[Version, Cell]]:
        return [(row.version, cell) for row in self.rows for cell in row.cells if cell.change == how]


def try_pack(
    name: str,
    at: int | None,
    environment: str | None,
    latest: bool,
    as_json: bool,
    as_csv: bool,
    url: str | None,
    data: Path | None,
    graph: str | None,
) -> None:
    """Print the matrix. CheckFailedError where something newly fails."""
    with opened(url, data, graph) as governing:
        trial = _trial(name, governing.packs_in_force(at))
        trial.rows.extend(_rows(governing, trial, at, environment, latest))
    if as_json:
        print_json(_document(trial))
    elif as_csv:
        _write_csv(trial)
    else:
        _print(trial)
    failing = trial.changed("newly fails")
    if failing:
        models = len({version.id for version, _ in failing})
        raise CheckFailedError(
            f"{trial.title} would newly fail {len(failing)} times, on {models} of {len(trial.rows)} versions",
            "`lineward policy gaps` says what is missing, `lineward policy baseline` accepts today's findings.",
        )


def _trial(name: str, in_force: Mapping[str, str]) -> Trial:
    try:
        pack = load_pack(file_of(name))
    except NotFoundError:
        if name not in in_force:
            raise
        return Trial(name, None, in_force[name])
    return Trial(pack.name, pack, in_force.get(pack.name))


def _rows(governing: Governing, trial: Trial, at: int | None, environment: str | None, latest: bool) -> Iterator[Row]:
    bindings = [] if environment is None else _bindings(governing, at)
    versions = governing.versions(at, latest=latest)
    with ExitStack() as stack:
        worker = stack.enter_context(evaluation_worker())
        progress = stack.enter_context(bar())
        for version in progress.track(versions, description="judging"):
            yield Row(version, tuple(_cells(governing, worker, trial, version, at, environment, bindings)))


def _bindings(governing: Governing, at: int | None) -> list[PolicyBinding]:
    return [PolicyBinding.model_validate(each) for _, each in sorted(governing.bindings_in_force(at).items())]


def _cells(
    governing: Governing,
    worker: Worker,
    trial: Trial,
    version: Version,
    at: int | None,
    environment: str | None,
    bindings: Sequence[PolicyBinding],
) -> Iterator[Cell]:
    """Verdicts without waivers on either side: what is let pass for a time fails all the same."""
    added = [] if trial.before is None else [trial.name]
    evaluated = governing.evaluate(NodeRef(id=version.id), packs=added, environment=environment, at=at)
    own = [each for each in evaluated.controls if each.pack.rpartition("@")[0] == trial.name]
    before = {each.control: each.underlying for each in own} if trial.before is not None else {}
    if trial.pack is None:
        yield from (Cell(control, verdict, verdict) for control, verdict in before.items())
        return
    asked = Evaluation(
        trial.pack.normalised(),
        evaluated.document,
        evaluated.evaluated_at,
        environment,
        evaluated.requester,
        params=_params(trial.pack, version, environment, bindings),
    )
    results: list[ControlResult] = worker.run(_EVALUATE, asked)
    for result in results:
        yield Cell(result.control, result.underlying, before.get(result.control))


def _params(
    pack: PolicyPack, version: Version, environment: str | None, bindings: Sequence[PolicyBinding]
) -> dict[str, Any]:
    """What the bindings set for this version, as they would for the pack in force."""
    chosen = [
        each
        for each in bindings
        if environment is not None
        and selects(each.normalised(), environment, version.namespace, version.name)
        and any(named.name == pack.name for named in each.packs)
    ]
    given = approval_params(pack, chosen) | params_of(pack.name, chosen)
    try:
        pack.values(given)
    except ValueError as error:
        raise InvalidInputError(
            f"a binding in force does not fit {pack.label}: {error}", "Change the binding with the pack."
        ) from error
    return given


# Telling -----------------------------------------------------------------------------------------------------------


def _print(trial: Trial) -> None:
    console = Console(highlight=False)
    console.width = console_width(console.is_terminal, console.width)
    against = f"against {trial.name}@{trial.before} in force" if trial.before else "none of that name is in force"
    console.print(Text(legible(f"{trial.title}: {len(trial.rows)} versions, {against}"), style="bold"))
    controls = list(dict.fromkeys(cell.control for row in trial.rows for cell in row.cells))
    if controls:
        console.print(_table(trial, controls))
        console.print(Text("? not known, - not applicable, ! newly fails, + newly passes", style="dim"))
    for how, style in (("newly fails", "red"), ("newly passes", "green")) if trial.before else ():
        for version, cell in trial.changed(how):
            was = f" (was {cell.before})" if cell.before else ""
            said = f"{how}: {version.title} {cell.control} {cell.verdict}{was}"
            console.print(Text(legible(said), style=style))


def _table(trial: Trial, controls: Sequence[str]) -> Table:
    table = Table("model", *(legible(each) for each in controls), box=None, pad_edge=False, header_style="bold")
    for row in trial.rows:
        cells = {cell.control: cell for cell in row.cells}
        table.add_row(Text(legible(row.version.title)), *(_cell(cells.get(each)) for each in controls))
    return table


def _cell(cell: Cell | None) -> Text:
    if cell is None:
        return Text("")
    word, style = _CELLS[cell.verdict]
    mark = {"newly fails": "!", "newly passes": "+"}.get(cell.change or "", "")
    return Text(word + mark, style=style)


def _document(trial: Trial) -> dict[str, Any]:
    return {
        "pack": trial.title,
        "inForce": trial.before,
        "versions": [
            {
                "id": row.version.id,
                "namespace": row.version.namespace,
                "name": row.version.name,
                "version": row.version.version,
                "controls": [
                    {"control": cell.control, "verdict": cell.verdict, "before": cell.before, "change": cell.change}
                    for cell in row.cells
                ],
            }
            for row in trial.rows
        ],
    }


def _write_csv(trial: Trial) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("namespace", "model", "version", "control", "verdict", "before", "change"))
    for row in trial.rows:
        named = tuple(map(inert, (row.version.namespace, row.version.name, row.version.version)))
        for cell in row.cells:
            writer.writerow((*named, cell.control, cell.verdict, cell.before or "", cell.change or ""))
