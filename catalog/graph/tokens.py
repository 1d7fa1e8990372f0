"""Which names a search finds: one rule for every store, whose own indexes only preselect.

A token is a longest run of letters and digits (Unicode categories L and N, as `str.isalnum`) of the name after NFKC
and case folding (Unicode Standard 3.13, UAX #15). A name is found when each token asked for begins one of its own.
"""

import re
from collections.abc import Iterable
from unicodedata import normalize

_TOKEN = re.compile(r"[^\W_]+")


def tokens(text: str) -> list[str]:
    """The tokens of a name or of something typed, in their order; empty for text without letters and digits."""
    return _TOKEN.findall(fold(text))


def fold(text: str) -> str:
    """Compatible, canonically composed and without case; folding may decompose, so it is normalised again."""
    return text.casefold() if text.isascii() else normalize("NFKC", normalize("NFKC", text).casefold())


def wanted(words: Iterable[str]) -> list[str]:
    """The distinct tokens that a search asks for: a word such as `risk.score` asks for two."""
    return list(dict.fromkeys(token for word in words for token in tokens(word)))


def found(name: str, prefixes: Iterable[str]) -> bool:
    """Whether each prefix (as `wanted` gives them) begins a token of the name."""
    present = tokens(name)
    return all(any(token.startswith(prefix) for token in present) for prefix in prefixes)
