"""The matrix as a table, one line for each verdict, and the digest that stands for it.

The canonical form is the CSV of RFC 4180 with every field quoted, CRLF, UTF-8, header included; its SHA-256 is on the
cover of every file, whatever the format.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlencode

from catalog.identity import structure
from catalog.instant import optional_text, text
from catalog.model import Node
from policies.compliance.cells import inert
from policies.compliance.matrix import Row
from policies.outcome import State
from policies.verdict import ControlResult, ItemResult, Severity, Verdict

COLUMNS = (
    "namespace",
    "model",
    "version",
    "versionId",
    "servesIn",
    "control",
    "title",
    "citation",
    "severity",
    "assurance",
    "enforcement",
    "verdict",
    "withoutWaivers",
    "why",
    "missing",
    "remediation",
    "waivers",
    "witness",
    "logEntries",
    "changesAt",
    "address",
)
WAIVER_COLUMNS = (
    "namespace",
    "model",
    "version",
    "control",
    "items",
    "environment",
    "state",
    "since",
    "until",
    "by",
    "countersignedBy",
    "reason",
    "compensatingControl",
    "waiver",
)
_ITEMS = 20  # reasons in one cell
_WELL = (Verdict.PASS, Verdict.NOT_APPLICABLE)

Line = tuple[str, ...]
Describe = Callable[[Collection[str]], Mapping[str, Node]]
"""Nodes by id, less those that the reader may not see."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which verdicts to list: those that fit all that is given.

    `name` is text in the model's namespace or name, in either case; no verdicts, severities or controls: all of them.
    """

    name: str = ""
    verdicts: frozenset[Verdict] = frozenset()
    severities: frozenset[Severity] = frozenset()
    controls: frozenset[str] = frozenset()

    def takes_model(self, model: Node) -> bool:
        wanted = self.name.casefold()
        return wanted in model.name.casefold() or wanted in (model.namespace or "").casefold()

    def takes(self, result: ControlResult) -> bool:
        return (
            (not self.verdicts or result.verdict in self.verdicts)
            and (not self.severities or result.severity in self.severities)
            and (not self.controls or result.control in self.controls)
        )

    def takes_unjudged(self, row: Row) -> bool:
        """A row without controls has no severity: only what is said of verdicts leaves it out."""
        return not self.verdicts or row.verdict in self.verdicts


@dataclass(slots=True)
class Table:
    """Lines of cells. `verdicts` counts the lines by verdict, `models` and `versions` what was looked at."""

    lines: list[Line] = field(default_factory=list)
    waivers: list[Line] = field(default_factory=list)
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    models: int = 0
    versions: int = 0
    unjudged: int = 0
    left_out: int = 0  # verdicts that the filter does not take

    def add(self, rows: Sequence[Row], wanted: Filter, describe: Describe) -> None:
        """Take in some rows; a model's rows come together."""
        witnessed = {node for row in rows for each in row.controls for node in _witnessed(each)}
        nodes = describe(witnessed) if witnessed else {}
        self.models += len({row.model.id for row in rows})
        for row in rows:
            self.versions += row.version is not None
            self.unjudged += row.trouble is not None
            self.waivers += [_waiver_line(row, number) for number in range(len(row.waivers))]
            for verdict, line in _lines(row, wanted, nodes):
                self.verdicts[verdict] += 1
                self.lines.append(line)
            self.left_out += sum(not wanted.takes(each) for each in row.controls)

    @property
    def digest(self) -> str:
        """`sha256:` and the hex digest of the canonical form."""
        return f"sha256:{sha256(rfc4180(COLUMNS, self.lines)).hexdigest()}"


def rfc4180(columns: Iterable[str], lines: Iterable[Iterable[str]]) -> bytes:
    """Every field quoted: a program that splits at semicolons or tabs then still finds whole cells."""
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(lines)
    return written.getvalue().encode()


def _lines(row: Row, wanted: Filter, nodes: Mapping[str, Node]) -> Iterator[tuple[Verdict, Line]]:
    if row.trouble is not None:
        if wanted.takes_unjudged(row):
            told = {"verdict": row.verdict.value, "withoutWaivers": row.verdict.value, "why": row.trouble}
            yield row.verdict, _line(row, told)
        return
    for each in filter(wanted.takes, row.controls):
        yield (
            each.verdict,
            _line(
                row,
                {
                    "control": each.control,
                    "title": each.title,
                    "citation": each.citation,
                    "severity": each.severity.value,
                    "assurance": each.assurance,
                    "enforcement": each.enforcement.value,
                    "verdict": each.verdict.value,
                    "withoutWaivers": each.underlying.value,
                    "why": _why(each, nodes),
                    "missing": _listed(f"{m.path}: {m.reason}" for item in each.items for m in item.missing),
                    "remediation": "" if each.underlying in _WELL else each.remediation,
                    "waivers": _listed(each.waivers),
                    "witness": _listed(
                        _witness(item, nodes) for item in each.items if item.verdict not in _WELL and item.witness
                    ),
                    "logEntries": _positions(each),
                    "changesAt": each.next_flip_at or "",
                },
            ),
        )


def _line(row: Row, told: Mapping[str, str]) -> Line:
    version = row.version
    named = {
        "namespace": row.model.namespace or "",
        "model": row.model.name,
        "version": (version.label or "") if version else "",
        "versionId": version.id if version else "",
        "servesIn": ", ".join(row.serves_in),
        "address": f"/lineage?{urlencode({'of': version.id if version else row.model.id})}",
    }
    said = {**named, **told}
    return tuple(inert(said.get(column, "")) for column in COLUMNS)


def _why(result: ControlResult, nodes: Mapping[str, Node]) -> str:
    """The reasons of what does not hold, else why nothing needs to."""
    troubled = [each for each in result.items if each.verdict not in _WELL and each.message]
    said = dict.fromkeys(f"{_item(each.key, nodes)}: {each.message}" if each.key else each.message for each in troubled)
    return _listed(said) if said else result.note


def _item(key: str, nodes: Mapping[str, Node]) -> str:
    """What a check looked at, a node by its name."""
    return _title(nodes.get(key)) if structure(key) else key


def _listed(said: Iterable[str]) -> str:
    unique = list(dict.fromkeys(said))
    more = [f"and {len(unique) - _ITEMS:,} more"] if len(unique) > _ITEMS else []
    return "; ".join([*unique[:_ITEMS], *more])


def _witnessed(result: ControlResult) -> Iterator[str]:
    for item in result.items[:_ITEMS]:
        yield from item.witness.nodes if item.witness else ()
        if item.key is not None and structure(item.key):
            yield item.key


def _witness(item: ItemResult, nodes: Mapping[str, Node]) -> str:
    assert item.witness is not None
    return " → ".join(_title(nodes.get(each)) for each in item.witness.nodes)


def _title(node: Node | None) -> str:
    if node is None:
        return "(not shown)"
    return f"{node.name}@{node.label}" if node.label else node.name


def _positions(result: ControlResult) -> str:
    found = sorted({seq for each in result.items if each.witness for seq in each.witness.entries})
    more = [f"and {len(found) - _ITEMS:,} more"] if len(found) > _ITEMS else []
    return " ".join([*map(str, found[:_ITEMS]), *more])


def _waiver_line(row: Row, number: int) -> Line:
    held = row.waivers[number]
    body = held.act.body
    told = {
        "namespace": row.model.namespace or "",
        "model": row.model.name,
        "version": (row.version.label or "") if row.version else "",
        "control": body["control"],
        "items": _listed(body.get("items", ())) or "all",
        "environment": body.get("environment") or "all",
        "state": "countersignature missing" if held.state is State.PROPOSED else held.state.value.lower(),
        "since": optional_text(held.since) or "",
        "until": text(held.until) if held.until is not None else "",
        "by": body["by"].get("person") or body["by"]["principal"],
        "countersignedBy": held.countersigned_by or "",
        "reason": body.get("reason") or "",
        "compensatingControl": body.get("compensatingControl") or "",
        "waiver": held.id,
    }
    return tuple(inert(str(told[column])) for column in WAIVER_COLUMNS)
