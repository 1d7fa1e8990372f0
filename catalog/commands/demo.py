"""`lineward demo`: a small real model, trained, served, traced and released against a fresh server."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from catalog.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    import subprocess
    from types import ModuleType

    from rich.console import Console

    from catalog.commands.release import Release


T = TypeVar("T")


def demo(
    data: Annotated[
        Path | None,
        typer.Option("--data", help="An empty folder; a new one among the temporary files if left out.", metavar="DIR"),
    ] = None,
    port: Annotated[int | None, typer.Option(help="8765, or a free one, if left out.", min=1, max=65535)] = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="End after the answers.")] = False,
) -> None:
    """Train, evaluate, deploy and ask a credit-risk model, all of it recorded; then take it through the release gate.

    The gate denies version 2, since a protected column reaches it. Version 3 is trained without, approved by two
    people, allowed, and the decision verified offline.
    """
    from rich.console import Console

    from catalog.commands.child import free_port, served
    from catalog.commands.questions import answer_all
    from catalog.commands.release import DANA, Release, bootstrap, hire, show_staff

    example = _example()
    folder = _folder(data)
    url = f"http://127.0.0.1:{free_port(port)}"
    console = Console(highlight=False)
    _say(console, "Lineward demo", f"server {url}, files in {folder}")
    first = bootstrap(folder / "data")
    with served(folder / "data", int(url.rpartition(":")[2]), folder / "server.log") as process:
        staff = hire(url, first)
        show_staff(console)
        key = staff.key(DANA)
        subject = _watch(console, folder, url, lambda: example.run(folder / "work", url, key))
        answer_all(console, url, subject)
        _release(console, example, folder, Release(console, url, staff, folder), subject, key)
        if no_serve or not console.is_terminal:
            _say(console, "Done.", f"To look further: lineward serve --data {folder / 'data'}")
        else:
            _say(console, f"Serving at {url}", "until you press Ctrl-C")
            _wait(process)


def _say(console: "Console", headline: str, detail: str) -> None:
    from rich.text import Text

    console.print(Text.assemble("\n", (headline, "bold"), "  ", (detail, "dim")), soft_wrap=True)


def _release(
    console: "Console", example: "ModuleType", folder: Path, release: "Release", subject: Any, key: str
) -> None:
    """Denied, corrected, approved, allowed, verified, rolled out."""
    policy = Path(example.__file__ or "").with_name("policy.yaml")
    release.denied(subject.model, policy.relative_to(Path.cwd()) if policy.is_relative_to(Path.cwd()) else policy)
    work = folder / "work"
    release.tell(5, "Train again, without what stands against it")
    model, artifact = _watch(
        console, folder, release.url, lambda: example.correct(work, release.url, subject.features, key)
    )
    release.allowed(model)
    release.tell(6, "Would somebody else come to the same answer, years later and offline?")
    release.verified(folder / "data")
    _watch(console, folder, release.url, lambda: example.roll_out(work, release.url, model, artifact, key))


def _example() -> "ModuleType":
    """The example's service: a checkout has it beside this package, an installed wheel within."""
    package = Path(__file__).parents[1]
    root = package / "shipped" if (package / "shipped").is_dir() else package.parent
    if not (root / "examples" / "credit_risk" / "service.py").is_file():
        raise NotFoundError(f"there is no example in {root}", "Install Lineward again, or run it in a checkout.")
    if str(root) not in sys.path:
        sys.path.append(str(root))
    try:
        from examples.credit_risk import service
    except ImportError as error:
        raise NotFoundError(
            f"the example needs {error.name}, which is not installed", "Install the extra: pip install 'lineward[demo]'"
        ) from error
    return service


def _folder(data: Path | None) -> Path:
    from tempfile import mkdtemp

    if data is None:
        return Path(mkdtemp(prefix="lineward-demo-"))
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise InvalidInputError(f"{data} is not an empty folder", "Name a new one, or leave --data out.")
    data.mkdir(parents=True, exist_ok=True)
    return data.absolute()


def _watch(console: "Console", folder: Path, url: str, work: "Callable[[], T]") -> "T":
    """Work in a thread, and meanwhile what the log has of it: each line is an event that was recorded."""
    from concurrent.futures import ThreadPoolExecutor

    from catalog.commands.happening import Happening
    from catalog.log.reader import LogReader

    with LogReader.open(folder / "data") as log, ThreadPoolExecutor(1) as thread, console.status("training") as status:
        happening = Happening(log, console, log.size())
        running = thread.submit(work)
        while not running.done():
            happening.show()
            status.update(happening.latest)
            _pause()
        done = running.result()
        happening.show()
    _await_projection(url, log_size=happening.seen)
    return done


def _await_projection(url: str, log_size: int) -> None:
    from catalog.commands.failure import UnreachableError
    from catalog.commands.remote import RemoteCatalogue

    with RemoteCatalogue.connect(url) as server:
        for _ in range(600):
            if server.ask("{ log { projection { offset } } }", {})["log"]["projection"]["offset"] >= log_size:
                return
            _pause()
    raise UnreachableError("the graph does not catch up with the log", "Look at server.log in the demo's folder.")


def _pause() -> None:
    from time import sleep

    sleep(0.05)


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait()
    except KeyboardInterrupt:
        return
