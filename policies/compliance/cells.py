"""Text that a spreadsheet shows and never runs.

Names come from anybody who may send an event, and a program that opens a table takes a cell that begins with `=`, `+`,
`-` or `@` for a formula: some of them send what is in other cells to an address, some start a program. An apostrophe
before it makes it text. Which character begins a cell is judged as programs judge it: behind spaces of any kind and
characters without a width, and with full-width forms counted as the plain ones.
"""

import unicodedata

from catalog.rendering.legible import legible

LONGEST = 32_000
"""Characters in a cell: a workbook takes 32,767."""

_STARTS = frozenset("=+-@|%\t\r\n\v\f")
_SKIPPED = frozenset({"Zs", "Zl", "Zp", "Cf", "Mn", "Me"})


def inert(text: str) -> str:
    """The text as one line that is no formula; what is too long ends by saying so."""
    shown = legible(text)
    guarded = f"'{shown}" if is_formula(text) or is_formula(shown) else shown
    if len(guarded) <= LONGEST:
        return guarded
    return f"{guarded[:LONGEST]}… ({len(guarded) - LONGEST:,} more characters)"


def is_formula(text: str) -> bool:
    """Whether some program would take a cell with this text for a formula."""
    for character in text:
        plain = unicodedata.normalize("NFKC", character).strip(" ")
        if plain[:1] in _STARTS:
            return True
        if plain and unicodedata.category(character) not in _SKIPPED:
            return False
    return False
