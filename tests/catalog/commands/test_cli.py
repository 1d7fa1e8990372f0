"""What holds for every command: help without ballast, two lines for a mistake, codes that scripts can rely on."""

import subprocess
import sys
from pathlib import Path

import pytest

from catalog.commands.failure import CheckFailedError, UnreachableError, exit_code
from catalog.errors import (
    AmbiguousReferenceError,
    CorruptLogError,
    InvalidEventError,
    LinewardError,
    NotFoundError,
    StaleProjectionError,
)
from catalog.log.lock import LogLockedError
from tests.catalog.commands.conftest import Lineward

# Not pydantic, which typer itself takes for the parameters of a command.
HEAVY = ("apsw", "neo4j", "httpx", "rich", "strawberry", "starlette", "uvicorn", "orjson")
COMMANDS = (
    "serve",
    "demo",
    "ingest",
    "lineage",
    "gate",
    "rebuild",
    "verify",
    "policy",
    "decision",
    "keys",
    "doctor",
    "backup",
    "restore",
    "export",
    "receipt",
    "witness",
)


def two_lines(stderr: str) -> tuple[str, str]:
    what, remedy = stderr.splitlines()
    return what, remedy


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=" ".join)
def test_help_needs_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from catalog.cli import app\n"
        f"try: app({arguments!r}, prog_name='lineward')\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: lineward")
    assert done.stderr.strip() == "[]"


def test_the_first_help_needs_not_even_pydantic() -> None:
    code = "import sys, catalog.cli; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_no_command_at_all_is_answered_with_the_help(lineward: Lineward) -> None:
    done = lineward()
    assert done.exit_code == 2
    assert done.stdout.strip() == lineward("--help").stdout.strip()


def test_every_command_is_listed(lineward: Lineward) -> None:
    listed = lineward("--help").stdout
    for name in COMMANDS:
        assert f"  {name} " in listed


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["bogus"], "No such command 'bogus'."),
        (["--bogus"], "No such option: --bogus."),
        (["lineage", "--depth", "0"], "Invalid value for '--depth': Input should be greater than or equal to 1."),
        (["ingest"], "Missing argument 'PATH…'."),
        (["lineage", "--grain", "x"], "Invalid value for '--grain': 'x' is not one of 'job', 'run', 'field'."),
    ],
    ids=str,
)
def test_a_mistake_in_usage_is_two_lines_and_code_2(lineward: Lineward, arguments: list[str], what: str) -> None:
    done = lineward(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    said, remedy = two_lines(done.stderr)
    assert said == what
    assert remedy.startswith("See `")


def test_a_wrong_setting_names_itself(lineward: Lineward) -> None:
    done = lineward("serve", "--port", "70000")
    assert done.exit_code == 2
    what, remedy = two_lines(done.stderr)
    assert "the setting port is wrong" in what
    assert "LINEWARD_PORT" in remedy


def test_names_in_errors_do_not_reach_the_terminal(lineward: Lineward, folder: Path) -> None:
    done = lineward("lineage", "\x1b[31mred\n\u202e@1", "--data", folder)
    assert done.exit_code == 2
    two_lines(done.stderr)
    assert "\x1b" not in done.stderr
    assert "\\x1b[31mred" in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CheckFailedError("a"), 1),
        (CorruptLogError("a"), 1),
        (InvalidEventError("a"), 2),
        (AmbiguousReferenceError("a"), 2),
        (NotFoundError("a"), 2),
        (StaleProjectionError("a"), 3),
        (UnreachableError("a"), 3),
        (LogLockedError("a"), 3),
        (LinewardError("a"), 3),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, LinewardError) else str(each),
)
def test_each_class_of_mistake_has_its_code(error: LinewardError, code: int) -> None:
    assert exit_code(error) == code
