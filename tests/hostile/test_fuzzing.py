"""The parsers of `tests.hostile.fuzzing`, a short while, from examples of what is good."""

import subprocess
import sys
from pathlib import Path

import pytest

RUNS = 20_000
ROOT = Path(__file__).parents[2]
SEEDS = [  # in the order of the targets
    b'{"eventTime":"2026-03-01T12:00:00Z","job":{"namespace":"n","name":"a"},"run":{"runId":"x"}}',
    (ROOT / "policies" / "bindings" / "starter.yaml").read_bytes(),
    b"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\xe2\x80\x94 o AAAAAAAA\n",
    b"c2sp.org/tlog-proof@v1\nextra e30=\nindex 0\n\no\n1\nAAA=\n\n\xe2\x80\x94 o AAAAAAAA\n",
    b"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    b"2026-03-01T12:00:00.123456789+01:00",
    b"query Q($a: Int = 1) { log { size } ...f } fragment f on Query { models(first: $a) { totalCount } }",
]


@pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info >= (3, 14), reason="atheris has no build for this platform or Python"
)
def test_every_parser_gives_a_value_or_a_mistake(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(SEEDS):
        (corpus / str(number)).write_bytes(bytes([number]) + seed)
    command = [sys.executable, "-m", "tests.hostile.fuzzing", "any", f"-runs={RUNS}", "-seed=1", "-max_len=4096"]
    command.append("-rss_limit_mb=0")  # a process inherits the peak of whoever started it: the limit would be of pytest
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/", str(corpus)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]
    assert f"Done {RUNS} runs" in done.stderr
