"""The control of the how-to does what the how-to says."""

import re
from pathlib import Path

import pytest

from policies.binding import PolicyBinding
from policies.examples import try_examples
from policies.loading import load, load_pack
from policies.problem import MalformedError

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-your-first-control.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def pack_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pack, example, binding = blocks("yaml")
    Path("house-rules.yaml").write_text(pack, encoding="utf-8")
    Path("binding.yaml").write_text(binding, encoding="utf-8")
    Path("examples/house-rules").mkdir(parents=True)
    Path("examples/house-rules/HOUSE-1.yaml").write_text(example, encoding="utf-8")
    return Path("house-rules.yaml")


def complaint(file: Path, old: str, new: str) -> str:
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(MalformedError) as caught:
        load(file)
    return "\n".join(str(each) for each in caught.value.problems)


def test_the_pack_loads_and_its_examples_hold(pack_file: Path) -> None:
    assert load(pack_file).warnings == ()
    assert try_examples(load_pack(pack_file), Path("examples/house-rules")).failures == ()


def test_a_typo_is_answered_as_shown(pack_file: Path) -> None:
    said = complaint(pack_file, "dataset.qualityChecks", "dataset.qualityCheks")
    assert blocks("text")[0].strip() in said.splitlines()


def test_a_control_without_requires_is_refused_as_shown(pack_file: Path) -> None:
    required = re.search(r"  requires:\n  - .*\n", pack_file.read_text(encoding="utf-8"))
    assert required is not None
    assert complaint(pack_file, required[0], "") == blocks("text")[1].strip()


def test_the_binding_is_one(pack_file: Path) -> None:
    (document,) = load(pack_file.with_name("binding.yaml")).documents
    assert isinstance(document, PolicyBinding)
    assert [each.name for each in document.packs] == [load_pack(pack_file).name]
