"""Names as a person may safely look at them: nothing that moves the cursor, turns the line round or breaks XML.

Names come from anybody who may send an event. What a terminal, a browser or a reader of text would act on instead of
showing is written as an escape, `\\x1b` or `\\u202e`; all other text is left as it is.
"""

import unicodedata
from functools import lru_cache

ELLIPSIS = "…"
_JOINERS = "\u200c\u200d"  # Persian words and composed emoji need them, and they move nothing
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def legible(text: str) -> str:
    """The text with control, format, separator and non-characters written as escapes."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def elided(text: str, width: float) -> str:
    """The text, or as much of its two ends as fits `width` columns around an ellipsis.

    Wide characters count two columns, combining ones none: an estimate, as the font is not known.
    """
    if len(text) <= width / 2 or columns(text) <= width:
        return text
    room = max(width - 1, 2)
    head = _fitting(text, room * 0.6)
    tail = _fitting(text[::-1], room - columns(head))[::-1]
    return f"{head}{ELLIPSIS}{tail}"


def columns(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_columns, text))


def _fitting(text: str, room: float) -> str:
    used = 0
    for position, character in enumerate(text):
        used += _columns(character)
        if used > room:
            return text[:position]
    return text


@lru_cache(maxsize=4096)
def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@lru_cache(maxsize=4096)
def acts(character: str) -> bool:
    """Whether a reader of text would do something with the character instead of showing it."""
    if character in _JOINERS:
        return False
    return unicodedata.category(character) in _HIDDEN or _is_noncharacter(ord(character))


def _shown(character: str) -> str:
    if not acts(character):
        return character
    return _control(character) if character <= "\x7f" else character.encode("ascii", "backslashreplace").decode()


def _control(character: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\x{ord(character):02x}")


def _is_noncharacter(point: int) -> bool:
    """Code points that are no characters, by Unicode 23.7; XML refuses some of them."""
    return point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF
