from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.producer import environment
from ingest.producer.environment import (
    code_authors,
    code_location,
    committer,
    environment_digest,
    packages_digest,
    without_credentials,
)
from tests.ingest.producer.repository import commit, git

NAMES = st.text("abcXYZ019-_.", min_size=1)
PACKAGES = st.lists(st.tuples(NAMES, st.text("0123456789.", min_size=1)), max_size=6)


def test_the_same_environment_has_the_same_digest() -> None:
    assert environment_digest() == environment_digest()


@given(PACKAGES, st.randoms(use_true_random=False))
def test_neither_order_nor_duplicates_nor_spelling_matter(packages: list[tuple[str, str]], random: Random) -> None:
    shuffled = [(name.upper().replace("-", "_"), version) for name, version in packages + packages[:2]]
    random.shuffle(shuffled)
    assert packages_digest("3.12.1", shuffled) == packages_digest("3.12.1", packages)


@given(PACKAGES)
def test_another_package_or_interpreter_is_another_environment(packages: list[tuple[str, str]]) -> None:
    digest = packages_digest("3.12.1", packages)
    assert packages_digest("3.12.2", packages) != digest
    assert packages_digest("3.12.1", [*packages, ("new", "1")]) != digest


def test_code_outside_a_repository_has_no_location(tmp_path: Path) -> None:
    assert code_location(tmp_path) is None
    assert code_location(tmp_path / "missing") is None


def test_credentials_leave_addresses_and_the_rest_stays() -> None:
    assert without_credentials("https://u:p@git.example:8443/a.git") == "https://git.example:8443/a.git"
    assert without_credentials("git@git.example:a.git") == "git@git.example:a.git"
    assert without_credentials("https://git.example/a.git") == "https://git.example/a.git"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "--quiet")
    return root


def test_authors_are_those_as_of_the_commit(repository: Path) -> None:
    first = commit(repository, "src/a.py", "ann@example.org")
    second = commit(repository, "src/b.py", "bob@example.org")
    assert code_authors(repository / "src", first) == ["ann@example.org"]
    assert code_authors(repository / "src", second) == ["ann@example.org", "bob@example.org"]


def test_whose_change_a_merge_dropped_is_an_author_too(repository: Path) -> None:
    commit(repository, "a.py", "ann@example.org")
    git(repository, "checkout", "--quiet", "-b", "side")
    commit(repository, "a.py", "bob@example.org")
    git(repository, "checkout", "--quiet", "main")
    commit(repository, "b.py", "ann@example.org")
    git(repository, "merge", "--quiet", "--strategy=ours", "side", "-m", "not that")
    assert code_authors(repository, git(repository, "rev-parse", "HEAD")) == ["ann@example.org", "bob@example.org"]


def test_a_shallow_clone_does_not_know_its_authors(repository: Path, tmp_path: Path) -> None:
    """The authors that it knows would pass for all."""
    commit(repository, "a.py", "ann@example.org")
    head = commit(repository, "a.py", "bob@example.org")
    git(tmp_path, "clone", "--quiet", "--depth", "1", repository.as_uri(), "shallow")
    assert code_authors(tmp_path / "shallow", head) is None
    assert code_authors(repository, head) == ["ann@example.org", "bob@example.org"]


def test_an_author_without_an_address_leaves_the_authors_unknown(repository: Path) -> None:
    commit(repository, "a.py", "ann@example.org")
    git(repository, "commit", "--quiet", "--amend", "--author=nobody <>", "-m", "by nobody")
    commit(repository, "a.py", "bob@example.org")
    assert code_authors(repository, git(repository, "rev-parse", "HEAD")) is None


def test_code_that_nobody_committed_has_no_authors(repository: Path) -> None:
    head = commit(repository, "a.py", "ann@example.org")
    (repository / "new").mkdir()
    assert code_authors(repository / "new", head) is None
    assert code_authors(repository, "0" * 40) is None


def test_a_history_that_takes_too_long_leaves_the_authors_unknown(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = commit(repository, "a.py", "ann@example.org")
    monkeypatch.setattr(environment, "HISTORY_SECONDS", 0.0)
    assert code_authors(repository, head) is None


def test_a_machine_without_git_tells_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = commit(repository, "a.py", "ann@example.org")
    monkeypatch.setenv("PATH", "")
    assert (code_location(repository), code_authors(repository, head), committer(repository)) == (None, None, None)
