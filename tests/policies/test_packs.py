"""Every pack that comes with Lineward: it compiles without a warning, and every example comes out as it says."""

from pathlib import Path

import pytest

from policies.examples import REQUIRED, folder_of, try_examples
from policies.library import built_in
from policies.loading import load


@pytest.mark.parametrize("file", built_in().values(), ids=lambda file: Path(file).stem)
def test_a_pack_of_ours(file: Path) -> None:
    loaded = load(file)
    assert loaded.warnings == ()
    (pack,) = loaded.packs
    assert pack.name == file.stem
    tried = try_examples(pack, folder_of(file, pack))
    assert tried.failures == ()
    assert len(tried.trials) >= len(REQUIRED) * len(pack.controls)


def test_the_packs_that_there_must_be() -> None:
    assert built_in().keys() >= {
        "base-ml-governance",
        "eu-ai-act-high-risk",
        "gdpr-training-data",
        "us-mrm-sr26-2",
        "us-mrm-sr11-7",
        "us-credit-regb-fcra",
        "nyc-ll144",
        "iso-42001",
        "nist-ai-rmf",
    }
