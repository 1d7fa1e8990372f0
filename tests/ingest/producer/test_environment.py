from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from ingest.producer.environment import code_location, environment_digest, packages_digest, without_credentials

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
