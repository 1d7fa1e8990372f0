"""What a run ran in: the packages that are installed, the commit that is checked out, and whose it is."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from openlineage.client.facet_v2 import source_code_location_job

GIT_SECONDS = 0.3  # for each question to git: on a stalled disk the commit is left out
HISTORY_SECONDS = 1.0  # for the one question that goes through the history
AUTHORS_LIMIT = 1000


def environment_digest() -> str:
    """SHA-256 over the interpreter's version and every installed distribution, as `sha256:` and hex."""
    installed = ((item.metadata["Name"] or "", item.version) for item in distributions())
    return packages_digest(platform.python_version(), installed)


def packages_digest(python: str, packages: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over `python==VERSION` and sorted lines `name==version`, names normalised as in PEP 503."""
    lines = {f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}" for name, version in packages}
    text = "\n".join([f"python=={python}", *sorted(lines)])
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def code_location(folder: Path) -> source_code_location_job.SourceCodeLocationJobFacet | None:
    """The commit checked out around `folder`, and of which repository; None where there is no commit."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    root = _git(folder, "rev-parse", "--show-toplevel")
    if not commit or not root:
        return None
    remote = _git(folder, "config", "--get", "remote.origin.url")
    url = without_credentials(remote) if remote else Path(root).as_uri()
    return source_code_location_job.SourceCodeLocationJobFacet(
        type="git",
        url=url,
        repoUrl=url,
        path=_path_within(root, folder),
        version=commit,
        branch=_git(folder, "symbolic-ref", "--short", "-q", "HEAD"),
    )


def code_authors(folder: Path, commit: str) -> list[str] | None:
    """The e-mail addresses of all who committed to `folder` up to `commit`, sorted, as git holds them.

    None where not all of them can be told: a shallow clone, a history that takes too long, an author without an
    address, no commit.
    """
    if _git(folder, "rev-parse", "--is-shallow-repository") != "false":
        return None
    whole = ("log", "--full-history", "--no-show-signature", "--format=<%ae>")
    told = _git(folder, *whole, commit, "--", ".", seconds=HISTORY_SECONDS)
    authors = {line[1:-1] for line in (told or "").splitlines()}
    return sorted(authors) if 0 < len(authors) <= AUTHORS_LIMIT and "" not in authors else None


def committer(folder: Path) -> str | None:
    """The e-mail address under which the user of this machine commits in `folder`."""
    return _git(folder, "config", "--get", "user.email")


def without_credentials(url: str) -> str:
    """The address of a repository without the user and password that a CI system may put into it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _path_within(root: str, folder: Path) -> str | None:
    resolved = folder.resolve()
    return resolved.relative_to(root).as_posix() if resolved.is_relative_to(root) else None


def _git(folder: Path, *question: str, seconds: float = GIT_SECONDS) -> str | None:
    """Git's answer; None where it has none, fails, or takes too long. It never asks a server."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), *question],
            capture_output=True,
            timeout=seconds,
            encoding="utf-8",
            errors="replace",
            check=False,
            env={**os.environ, "GIT_NO_LAZY_FETCH": "1"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (answer.stdout.strip() or None) if answer.returncode == 0 else None
