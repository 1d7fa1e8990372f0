"""`lineward policy check`: what is wrong with policy documents, where, and whether their examples come out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.text import Text

from catalog.commands.failure import CheckFailedError
from catalog.commands.lineage import UNWRAPPED
from catalog.commands.policy_files import file_of
from catalog.errors import InvalidInputError
from catalog.rendering.legible import legible
from policies.examples import folder_of, try_examples
from policies.loading import Loaded, load
from policies.pack import Document, PolicyPack
from policies.problem import Located, MalformedError


@dataclass(slots=True)
class Checked:
    """What came out of one file."""

    file: Path
    loaded: Loaded | None = None
    problems: Sequence[Located] = ()
    failures: list[str] = field(default_factory=list)
    examples: int = 0


def check_files(names: Sequence[Path], with_examples: bool) -> None:
    """Print what is found. InvalidInputError for a malformed document, CheckFailedError for an example that fails."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = UNWRAPPED
    checked = [_checked(file_of(name), with_examples) for name in names]
    for each in checked:
        _print(console, each)
    malformed = [each for each in checked if each.loaded is None]
    if malformed:
        mistakes = sum(not problem.warning for each in malformed for problem in each.problems)
        raise InvalidInputError(
            f"{_count(mistakes, 'mistake')} in {_count(len(malformed), 'file')} of {len(checked)}",
            "Correct the lines named above.",
        )
    failures = sum(len(each.failures) for each in checked)
    if failures:
        raise CheckFailedError(
            f"{_count(failures, 'example')} missing or other than expected", "Correct the control or its example."
        )


def _checked(file: Path, with_examples: bool) -> Checked:
    found = Checked(file)
    try:
        loaded = load(file)
        for pack in loaded.packs if with_examples else ():
            tried = try_examples(pack, folder_of(file, pack))
            found.examples += len(tried.trials)
            found.failures += tried.failures
    except MalformedError as error:
        found.problems = error.problems
        return found
    found.loaded, found.problems = loaded, loaded.warnings
    return found


def _print(console: Console, checked: Checked) -> None:
    for problem in checked.problems:
        _print_problem(console, problem)
    for failure in checked.failures:
        console.print(Text.assemble(("fails ", "bold red"), legible(failure)))
    if checked.loaded is not None:
        for document in checked.loaded.documents:
            state = ("fails ", "bold red") if checked.failures else ("ok    ", "green")
            console.print(Text.assemble(state, legible(f"{checked.file}: {', '.join(_told(document, checked))}")))


def _print_problem(console: Console, problem: Located) -> None:
    kind, style = ("warning", "yellow") if problem.warning else ("error", "bold red")
    place = f"{problem.file}:{problem.line}:{problem.column}: "
    console.print(Text.assemble(legible(place), (f"{kind}: ", style), legible(f"{problem.what}. {problem.fix}")))
    if console.is_terminal:
        _print_source(console, problem)


def _print_source(console: Console, problem: Located) -> None:
    """The line itself, with a mark under the column."""
    try:
        line = Path(problem.file).read_text("utf-8-sig").split("\n")[problem.line - 1]
    except (OSError, UnicodeDecodeError, IndexError):
        return
    start = max(0, problem.column - 60)
    shown = legible(line[start : start + 110])
    mark = len(legible(line[start : problem.column - 1]))
    console.print(Text.assemble("    ", (shown, "dim")))
    console.print(Text.assemble("    " + " " * mark, ("^", "bold red")))


def _told(document: Document, checked: Checked) -> Iterator[str]:
    if isinstance(document, PolicyPack):
        yield f"{document.kind} {document.label}"
        yield _count(len(document.controls), "control")
        if checked.examples:
            failed = len(checked.failures)
            yield (
                f"{_count(checked.examples, 'example')} tried, {_count(failed, 'problem')}"
                if failed
                else (f"{_count(checked.examples, 'example')} as expected")
            )
    else:
        yield str(document.normalised()["kind"]) + " " + str(document.normalised()["metadata"]["name"])
    yield document.digest


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
