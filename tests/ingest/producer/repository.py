"""A git repository made for a test, whatever the machine's own settings of git are."""

import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str, email: str = "ann@example.org") -> str:
    identity = ["-c", "user.name=n", "-c", f"user.email={email}", "-c", "init.defaultBranch=main"]
    answer = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


def commit(root: Path, file: str, email: str) -> str:
    """Commit a change of one file as somebody; the commit."""
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + email)
    git(root, "add", file)
    git(root, "commit", "--quiet", "-m", f"{file} by {email}", email=email)
    return git(root, "rev-parse", "HEAD")
