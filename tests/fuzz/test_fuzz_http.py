from pathlib import Path

from tests.fuzz.fuzz_http import fuzz, fuzzed_deployment


def test_no_call_finds_a_defect_or_an_undeclared_answer(tmp_path: Path) -> None:
    """The short form: the description's examples, the edges of each parameter, a few calls and sequences of calls."""
    with fuzzed_deployment(tmp_path) as deployment:
        done = fuzz(deployment, tmp_path, "--max-examples", "4", "--generation-deterministic")
        assert done.returncode == 0, f"{done.stdout}\n{deployment.logs()}"
