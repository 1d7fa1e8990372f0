"""What stands on the cover of an exported matrix: enough to ask the same question again, and to check the answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from urllib.parse import urlencode

from catalog.instant import text
from policies.compliance.cells import inert
from policies.compliance.matrix import Position, Question
from policies.compliance.table import Filter, Table
from policies.pack import PolicyPack
from policies.verdict import Verdict

ROUTE = "/api/v1/compliance"
CHECK = "unzip -p FILE verdicts.csv | sha256sum"


@dataclass(frozen=True, slots=True)
class Cover:
    """`root` is the Merkle root of the first `position.known` entries of the log `origin`; `asked_by` the caller."""

    question: Question
    position: Position
    wanted: Filter
    pack: PolicyPack
    origin: str
    root: str
    asked_by: str

    def query(self) -> str:
        """The parameters that give the same table again."""
        question, position, wanted = self.question, self.position, self.wanted
        told = [
            ("pack", question.pack),
            ("environment", question.environment or ""),
            ("latest", "" if question.latest else "false"),
            ("valid", "" if position.valid is None else text(position.valid)),
            ("known", str(position.known)),
            ("evaluatedAt", text(position.evaluated_at)),
            ("name", wanted.name),
            *(("verdict", each) for each in sorted(wanted.verdicts)),
            *(("severity", each) for each in sorted(wanted.severities)),
            *(("control", each) for each in sorted(wanted.controls)),
        ]
        return urlencode([(name, value) for name, value in told if value])

    def lines(self, table: Table) -> list[tuple[str, str]]:
        """Names and values, in their order."""
        return [(name, inert(value)) for name, value in self._said(table)]

    def _said(self, table: Table) -> Iterator[tuple[str, str]]:
        question, position, wanted, pack = self.question, self.position, self.wanted, self.pack
        yield "report", "Compliance matrix: one line for each verdict of a control on a version of a model"
        yield "system", f"Lineward {version('lineward')}"
        yield "log", self.origin
        yield "query", f"GET {ROUTE}.csv.zip?{self.query()}"
        yield "asked by", self.asked_by
        yield "pack", pack.label
        yield "pack digest", pack.digest
        yield "pack status", pack.metadata.status.value
        yield "instrument", f"{pack.source.instrument} ({pack.source.certainty.value})"
        yield "instrument text", pack.source.uri
        yield "environment", question.environment or "none: params and enforcement of no binding apply"
        yield "versions", "the current one of each model" if question.latest else "every one of each model"
        yield "filter: name", wanted.name or "all"
        yield "filter: verdicts", ", ".join(sorted(wanted.verdicts)) or "all"
        yield "filter: severities", ", ".join(sorted(wanted.severities)) or "all"
        yield "filter: controls", ", ".join(sorted(wanted.controls)) or "all"
        yield "as of: true at", "the latest" if position.valid is None else text(position.valid)
        yield "as of: log size", str(position.known)
        yield "as of: log root", self.root
        yield "ages and expiries judged at", text(position.evaluated_at)
        yield "models", str(table.models)
        yield "versions judged", str(table.versions)
        yield "models or versions that could not be judged", str(table.unjudged)
        yield "rows", str(len(table.lines))
        for verdict in Verdict:
            yield f"rows: {verdict.value}", str(table.verdicts[verdict])
        yield "verdicts left out by the filter", str(table.left_out)
        yield "waivers", str(len(table.waivers))
        yield "digest of the rows", table.digest
        yield "to check the digest", f"{CHECK}; of a workbook: docs/how-to/export-the-compliance-matrix.md"
        yield (
            "reading the cells",
            (
                "An apostrophe stands before text that a spreadsheet would take for a formula; "
                "characters that steer a terminal or the direction of text are written as escapes."
            ),
        )
