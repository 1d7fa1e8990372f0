"""What is installed is no older than the versions in which known holes were closed."""

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

LOCK = Path(__file__).parents[2] / "requirements.lock"

FLOORS = {
    # multipart CSRF (CVE-2024-47082); sockets of the old protocol unasked, endless subscriptions (2026-35523, -35526);
    # aliases in fragments (2026-47707); errors that MaskErrors let through (fixed in 0.323.2)
    "strawberry-graphql": (0, 341, 2),
    # overlapping fields (CVE-2026-75507), comments that no limit counted (2026-75508), fragments that double
    "graphql-core": (3, 3, 2),
    # multipart (CVE-2025-54121), Range (2025-62727), Host and paths (2026-48710, -48817, -48818, -54282, -54283),
    # many ranges (fixed in 1.5.1)
    "starlette": (1, 5, 1),
    # signatures that are empty in JSON serialisation (CVE-2026-102946, fixed in 1.7.4)
    "joserfc": (1, 8, 0),
    # chunk endings that proxies read otherwise (CVE-2025-43859)
    "h11": (0, 16, 0),
    # carries SQLite itself, with the fix of the reset of a write-ahead log
    "apsw": (3, 54, 0),
}
"""The oldest version of each package that may be installed."""

UNWANTED = {
    "authlib": "its holes of 2026 (none, jwk in headers, empty signatures) touch what it is used for",
    "pyjwt": "algorithms are fixed by the caller in joserfc",
    "python-jose": "not maintained",
    "python-multipart": "no door reads forms (CVE-2026-40347, CVE-2026-42561)",
    "ujson": "orjson refuses what it lets in",
}


def locked() -> dict[str, list[str]]:
    """Every version of every package that the lock may install."""
    found: dict[str, list[str]] = {}
    for name, text in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", LOCK.read_text(), re.MULTILINE):
        found.setdefault(name.lower(), []).append(text)
    return found


def numbers(text: str) -> tuple[int, ...]:
    """The release of a version (PEP 440), without what may follow it: a pre-release is none."""
    assert re.fullmatch(r"\d+(\.\d+)*(\.post\d+)?", text), f"{text} is no release"
    return tuple(int(part) for part in text.partition(".post")[0].split("."))


@pytest.mark.parametrize("package", FLOORS)
def test_the_lock_is_above_its_floors(package: str) -> None:
    assert all(numbers(found) >= FLOORS[package] for found in locked()[package])


@pytest.mark.parametrize("package", FLOORS)
def test_what_is_installed_is_what_was_locked(package: str) -> None:
    assert version(package) in locked()[package]


@pytest.mark.parametrize("package", UNWANTED)
def test_what_nobody_needs_is_not_there(package: str) -> None:
    assert package not in locked()
    with pytest.raises(PackageNotFoundError):
        version(package)


def test_every_package_is_pinned_by_digest() -> None:
    for block in re.split(r"\n(?=\S)", LOCK.read_text().strip()):
        if not block.startswith("#"):
            assert "--hash=sha256:" in block, block.splitlines()[0]
