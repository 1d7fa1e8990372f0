"""The matrix as a workbook: cover, verdicts to filter, models against controls at a glance, waivers."""

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import xlsxwriter

from catalog.instant import EPOCH
from policies.compliance.cover import Cover
from policies.compliance.table import COLUMNS, WAIVER_COLUMNS, Line, Table

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS = 1_048_575
"""Lines in a sheet, its header apart."""

_WIDTHS = {"title": 44, "citation": 20, "why": 70, "missing": 40, "remediation": 60, "witness": 50, "model": 26}
_COLOURS = {"fail": "#B0231B", "error": "#B0231B", "unknown": "#92500A", "waived": "#7A3E9D", "pass": "#1A7440"}
_MARKS = {"fail": "FAIL", "error": "ERROR", "unknown": "?", "waived": "waived", "pass": "pass", "not_applicable": "–"}


def workbook(cover: Cover, table: Table) -> bytes:
    """The same bytes for the same table. Every cell is text: nothing in it is ever taken for a formula or a link."""
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    moment = (EPOCH + timedelta(microseconds=cover.position.evaluated_at)).replace(tzinfo=None, microsecond=0)
    book.set_properties({"title": f"Compliance matrix of {cover.pack.label}", "author": "Lineward", "created": moment})
    formats = {
        "head": book.add_format({"bold": True, "bottom": 1}),
        "text": book.add_format({"valign": "top", "text_wrap": True}),
    } | {verdict: book.add_format({"font_color": colour, "valign": "top"}) for verdict, colour in _COLOURS.items()}
    _cover_sheet(book, formats, cover.lines(table))
    _list_sheet(book, formats, "Verdicts", COLUMNS, table.lines)
    _matrix_sheet(book, formats, table.lines)
    _list_sheet(book, formats, "Waivers", WAIVER_COLUMNS, table.waivers)
    book.close()
    return written.getvalue()


def _cover_sheet(book: Any, formats: Mapping[str, Any], lines: Sequence[tuple[str, str]]) -> None:
    sheet = book.add_worksheet("Cover")
    sheet.set_column(0, 0, 42)
    sheet.set_column(1, 1, 110)
    for number, (name, value) in enumerate(lines):
        sheet.write_string(number, 0, name, formats["head"])
        sheet.write_string(number, 1, value, formats["text"])


def _list_sheet(
    book: Any, formats: Mapping[str, Any], name: str, columns: Sequence[str], lines: Sequence[Line]
) -> None:
    sheet = book.add_worksheet(name)
    verdict = columns.index("verdict") if "verdict" in columns else -1
    _head(sheet, formats, columns)
    for number, line in enumerate(lines, 1):
        for column, value in enumerate(line):
            form = formats.get(line[verdict], formats["text"]) if column == verdict else formats["text"]
            sheet.write_string(number, column, value, form)
    for column, title in enumerate(columns):
        sheet.set_column(column, column, _WIDTHS.get(title, 16))
    sheet.freeze_panes(1, min(3, len(columns)))
    sheet.autofilter(0, 0, max(1, len(lines)), len(columns) - 1)


def _matrix_sheet(book: Any, formats: Mapping[str, Any], lines: Sequence[Line]) -> None:
    """A row for each version, a column for each control; a cell that the filter leaves out stays empty."""
    sheet = book.add_worksheet("Matrix")
    at = {name: COLUMNS.index(name) for name in ("namespace", "model", "version", "control", "verdict")}
    controls = _distinct(line[at["control"]] for line in lines if line[at["control"]])
    _head(sheet, formats, ("namespace", "model", "version", *controls))
    rows: dict[tuple[str, str, str], int] = {}
    for line in lines:
        named = (line[at["namespace"]], line[at["model"]], line[at["version"]])
        row = rows.setdefault(named, len(rows) + 1)
        for column, value in enumerate(named):
            sheet.write_string(row, column, value, formats["text"])
        verdict, control = line[at["verdict"]], line[at["control"]]
        if control:
            sheet.write_string(row, 3 + controls[control], _MARKS[verdict], formats.get(verdict, formats["text"]))
    sheet.set_column(0, 1, 26)
    sheet.set_column(2, 2, 14)
    sheet.set_column(3, 2 + max(1, len(controls)), 15)
    sheet.freeze_panes(1, 3)


def _head(sheet: Any, formats: Mapping[str, Any], titles: Iterable[str]) -> None:
    for column, title in enumerate(titles):
        sheet.write_string(0, column, title, formats["head"])


def _distinct(names: Iterable[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}
