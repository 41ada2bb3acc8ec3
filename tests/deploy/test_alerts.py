"""deploy/observability: rules over metrics and labels that exist."""

import re
import shutil
import subprocess
from typing import Any, get_args

import pytest
import yaml

from eigenwarp.schemas.jobs import JobState
from eigenwarp.settings import Settings
from service.metrics import Metrics
from tests.deploy.project import ROOT

FOLDER = ROOT / "deploy" / "observability"


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_rule_asks_for_metrics_that_exist(rules: list[dict[str, Any]]) -> None:
    known = {metric.name for metric in Metrics().registry.collect()}
    for rule in rules:
        named = set(re.findall(r"eigenwarp_[a-z_]+", rule["expr"]))
        assert named
        assert {name.removesuffix("_total") for name in named} <= known, rule["alert"]


def test_every_state_that_a_rule_names_exists(rules: list[dict[str, Any]]) -> None:
    states = {state for rule in rules for state in re.findall(r'state="(\w+)"', rule["expr"])}
    assert states
    assert states <= set(get_args(JobState))


def test_the_full_queue_is_told_of_before_it_is_full(rules: list[dict[str, Any]]) -> None:
    (rule,) = [rule for rule in rules if rule["alert"] == "EigenwarpQueueFillsUp"]
    limit = Settings().max_queued_jobs
    assert 0.5 * limit < float(rule["expr"].rpartition(">")[2]) < limit
    assert f"({limit:,})" in rule["annotations"]["summary"]


def test_every_rule_says_how_bad_it_is_and_has_a_test(rules: list[dict[str, Any]]) -> None:
    tests = yaml.safe_load((FOLDER / "alerts.test.yml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")}
    assert fired == {rule["alert"] for rule in rules}
    assert {rule["labels"]["severity"] for rule in rules} == {"critical", "warning"}
    assert all(rule["annotations"]["summary"] for rule in rules)


def test_prometheus_own_tool_passes_them() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool on the PATH: Debian's package prometheus brings it")
    for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]):
        done = subprocess.run([promtool, *command], cwd=FOLDER, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
