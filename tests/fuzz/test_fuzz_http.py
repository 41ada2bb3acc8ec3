from pathlib import Path

from tests.fuzz.fuzz_http import fuzz, fuzzed_deployment


def test_no_call_finds_a_defect_or_an_undeclared_answer(tmp_path: Path) -> None:
    """The short form: what the description gives as examples, each parameter's edges, a few calls and sequences of calls."""
    with fuzzed_deployment(tmp_path) as deployment:
        done = fuzz(deployment, tmp_path, "--max-examples", "4", "--generation-deterministic")
        assert done.returncode == 0, f"{done.stdout}\n{deployment.logs()}"
        # It has met the service and not only its refusals.
        assert '"POST /register HTTP' in deployment.log("web") or "/register" in deployment.log("web")
