"""Expressions as trees, as far as their form matters: which lists they loop over, which names they use.

The engine alone says what an expression means and whether it is right. This reader takes the grammar of the CEL
specification ("Syntax"), without checking types, and gives up on what the engine refuses anyhow.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"""\s+ | //[^\n]*
    | (?P<text> (?:[rR]?[bB]?|[bB][rR])
        (?:\"\"\"(?s:.*?)\"\"\" | '''(?s:.*?)''' | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'))
    | (?P<number> 0[xX][0-9a-fA-F]+[uU]? | (?:[0-9]+\.[0-9]+|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?[uU]?)
    | (?P<name> [A-Za-z_][A-Za-z0-9_]*)
    | (?P<sign> \|\| | && | == | != | <= | >= | [-+*/%<>!?:.,()\[\]{}])""",
    re.VERBOSE,
)
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||",),
    ("&&",),
    ("==", "!=", "<", "<=", ">", ">=", "in"),
    ("+", "-"),
    ("*", "/", "%"),
)


class UnreadableError(ValueError):
    """This is no expression."""


@dataclass(frozen=True, slots=True)
class Tree:
    """`kind` is name, select, call, operator, literal, list, map, index or choice; equal trees mean the same.

    `word` is the name, field, function, sign or literal. A call on a receiver has it as its first part.
    """

    kind: str
    word: str = ""
    parts: tuple["Tree", ...] = ()
    on_receiver: bool = False

    def walk(self) -> Iterator["Tree"]:
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def path(self) -> tuple[str, ...]:
        """The names of `a.b.c`; empty for anything else."""
        if self.kind == "name":
            return (self.word,)
        return (*base, self.word) if self.kind == "select" and (base := self.parts[0].path) else ()


@lru_cache(maxsize=2_048)
def parse(source: str) -> Tree:
    """Raises UnreadableError."""
    try:
        return _Reader(source).whole()
    except RecursionError as error:
        raise UnreadableError("it is nested too deeply") from error


def names(tree: Tree) -> frozenset[str]:
    """Names that stand for themselves: variables, not fields and not functions."""
    return frozenset(each.word for each in tree.walk() if each.kind == "name")


def fields_of(tree: Tree, root: str) -> frozenset[str]:
    """The fields that are selected from a variable: of `params.a + params.b` for `params` a and b."""
    return frozenset(each.path[1] for each in tree.walk() if each.kind == "select" and each.path[:-1] == (root,))


class _Reader:
    def __init__(self, source: str) -> None:
        self._tokens = list(_tokens(source))
        self._at = 0

    def whole(self) -> Tree:
        tree = self._choice()
        if self._at < len(self._tokens):
            raise UnreadableError(f"unexpected {self._peek()}")
        return tree

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise UnreadableError("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _takes(self, *signs: str) -> str:
        """The next token if it is one of these; else nothing is taken."""
        if self._at < len(self._tokens) and self._tokens[self._at][0] != "text" and self._peek() in signs:
            return self._next()[1]
        return ""

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            raise UnreadableError(f"{sign} is missing")

    def _choice(self) -> Tree:
        condition = self._binary(0)
        if not self._takes("?"):
            return condition
        yes = self._binary(0)
        self._expect(":")
        return Tree("choice", "?", (condition, yes, self._choice()))

    def _binary(self, level: int) -> Tree:
        if level == len(_LEVELS):
            return self._unary()
        tree = self._binary(level + 1)
        while sign := self._takes(*_LEVELS[level]):
            tree = Tree("operator", sign, (tree, self._binary(level + 1)))
        return tree

    def _unary(self) -> Tree:
        if sign := self._takes("!", "-"):
            return Tree("operator", sign, (self._unary(),))
        return self._member()

    def _member(self) -> Tree:
        tree = self._primary()
        while sign := self._takes(".", "["):
            optional = bool(self._takes("?"))
            if sign == "[":
                tree = Tree("index", "[?]" if optional else "[]", (tree, self._choice()))
                self._expect("]")
                continue
            word = self._next()[1]
            if self._takes("("):
                tree = Tree("call", word, (tree, *self._listed(")")), on_receiver=True)
            else:
                tree = Tree("select", word, (tree,))
        return tree

    def _primary(self) -> Tree:
        kind, word = self._next()
        if kind in ("text", "number"):
            return Tree("literal", word)
        if kind == "name":
            if word in ("true", "false", "null"):
                return Tree("literal", word)
            return Tree("call", word, self._listed(")")) if self._takes("(") else Tree("name", word)
        if word == "(":
            tree = self._choice()
            self._expect(")")
            return tree
        if word == "[":
            return Tree("list", parts=self._listed("]"))
        if word == "{":
            return Tree("map", parts=self._listed("}"))
        if word == ".":
            return self._primary()
        raise UnreadableError(f"unexpected {word}")

    def _listed(self, end: str) -> tuple[Tree, ...]:
        found: list[Tree] = []
        while not self._takes(end):
            self._takes("?")
            found.append(self._choice())
            if not self._takes(",", ":"):
                self._expect(end)
                break
        return tuple(found)


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise UnreadableError(f"unexpected {source[at]}")
        if found.lastgroup:
            yield found.lastgroup, found[found.lastgroup]
        at = found.end()
