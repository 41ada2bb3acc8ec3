"""docker-compose.yml and its override: sound by the specification, and naming only what exists."""

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from eigenwarp.settings import Settings, load_settings
from tests.deploy.compose import BASE, CPU, MODELS, devices, load, merged, without_resets
from tests.deploy.dockerfile import Dockerfile
from tests.deploy.project import ROOT, VERSION, assert_is_a_command, made_secrets, setting_names

OWN = ("web", "worker", "migrate", "publish-models")
ONE_SHOT = ("migrate", "publish-models")


@pytest.fixture(params=MODELS, scope="module")
def model(request: pytest.FixtureRequest) -> dict[str, Any]:
    return merged(*MODELS[request.param])


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    path = os.environ.get("EIGENWARP_COMPOSE_SCHEMA")
    if not path:
        pytest.skip("EIGENWARP_COMPOSE_SCHEMA names no file: the Compose Specification's schema is not at hand")
    found: dict[str, Any] = json.loads(Path(path).read_text())
    return found


@pytest.mark.parametrize("path", [BASE, CPU], ids=lambda path: path.name)
def test_each_file_keeps_to_the_compose_specification(path: Path, schema: dict[str, Any]) -> None:
    jsonschema.Draft7Validator(schema).validate(without_resets(load(path)))


def test_the_merged_model_keeps_to_the_compose_specification(model: dict[str, Any], schema: dict[str, Any]) -> None:
    jsonschema.Draft7Validator(schema).validate(model)


def test_the_schema_would_notice(schema: dict[str, Any]) -> None:
    broken = merged(BASE)
    broken["services"]["web"]["restarts"] = "always"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(broken)


def test_the_gpu_is_reserved_for_the_worker_and_given_up_by_the_override() -> None:
    gpu, cpu = merged(BASE)["services"], merged(BASE, CPU)["services"]
    assert [device["capabilities"] for device in devices(gpu["worker"])] == [["gpu"]]
    assert not any(devices(service) for name, service in gpu.items() if name != "worker")
    assert not any(devices(service) for service in cpu.values())
    assert (
        load_settings({k: v for k, v in cpu["worker"]["environment"].items() if k == "EIGENWARP_DEVICE"}).device
        == "cpu"
    )


def test_nothing_is_published_but_the_web_and_that_on_loopback(model: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in model["services"].items() if "ports" in service}
    assert published == {"web": ["${WEB_ADDRESS:-127.0.0.1:8000}:8000"]}


def test_only_the_web_is_on_a_network_with_a_way_out(model: dict[str, Any]) -> None:
    closed = {name for name, network in model["networks"].items() if network and network.get("internal")}
    assert {name for name, service in model["services"].items() if set(service["networks"]) - closed} == {"web"}


def test_every_command_of_ours_exists(model: dict[str, Any]) -> None:
    for name in OWN:
        assert_is_a_command(model["services"][name]["command"])
    check = model["services"]["worker"]["healthcheck"]["test"]
    assert check[:2] == ["CMD", "eigenwarp"]
    assert_is_a_command(check[2:])


def test_every_setting_exists(model: dict[str, Any]) -> None:
    named = {key for name in OWN for key in model["services"][name]["environment"]}
    assert named <= setting_names()


def test_every_variable_in_the_text_is_explained_or_a_setting() -> None:
    for path in (BASE, CPU):
        assert set(re.findall(r"(?<!\$)\$\{(\w+)", path.read_text())) <= {"TORCH_INDEX", "WEB_ADDRESS"}


def test_every_secret_is_granted_declared_and_made(model: dict[str, Any], tmp_path: Path) -> None:
    made = made_secrets(tmp_path)
    assert {secret["file"] for secret in model["secrets"].values()} == {f"secrets/{name}" for name in made}
    used: set[str] = set()
    for service in model["services"].values():
        granted = set(service.get("secrets", []))
        assert granted <= model["secrets"].keys()
        named = set(re.findall(r"/run/secrets/(\w+)", json.dumps(service)))
        assert named == granted
        used |= granted
    assert used == model["secrets"].keys()


def test_the_services_settings_load_from_the_made_secrets(model: dict[str, Any], tmp_path: Path) -> None:
    made = made_secrets(tmp_path)
    for name in OWN:
        environment = model["services"][name]["environment"]
        settings = load_settings(
            {key: value.replace("/run/secrets", str(tmp_path)) for key, value in environment.items()}
        )
        assert (
            settings.database == f"postgresql+psycopg://eigenwarp:{made['postgres_password']}@postgres:5432/eigenwarp"
        )
        assert settings.redis_url.get_secret_value() == f"redis://:{made['redis_password']}@redis:6379/0"
        assert settings.s3_endpoint == "seaweedfs:8333"
        assert not settings.s3_secure
        (identity,) = json.loads(made["s3_config"])["identities"]
        assert settings.s3_access_key is not None
        assert settings.s3_secret_key is not None
        assert identity["credentials"] == [
            {
                "accessKey": settings.s3_access_key.get_secret_value(),
                "secretKey": settings.s3_secret_key.get_secret_value(),
            }
        ]
    assert {"postgres", "redis", "seaweedfs"} <= model["services"].keys()


def test_every_container_is_hardened_and_comes_back(model: dict[str, Any]) -> None:
    for name, service in model["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["restart"] == ("on-failure:5" if name in ONE_SHOT else "unless-stopped")
        assert ("disable" in service["healthcheck"]) == (name in ONE_SHOT), name
        assert not service.get("privileged"), name


def test_every_image_is_pinned_and_ours_carry_the_projects_version(model: dict[str, Any]) -> None:
    for name, service in model["services"].items():
        tag = service["image"].partition(":")[2]
        assert re.match(r"\d+\.\d+", tag), name
        assert name not in OWN or tag.removesuffix("-cpu") == VERSION


def test_what_is_built_names_a_dockerfile_and_its_arguments(model: dict[str, Any]) -> None:
    for name in OWN:
        build = model["services"][name]["build"]
        assert build["context"] == "."
        dockerfile = Dockerfile.read(ROOT / build.get("dockerfile", "Dockerfile"))
        assert build.get("args", {}).keys() <= dockerfile.arguments.keys()


def test_health_checks_are_those_of_the_images(model: dict[str, Any]) -> None:
    for name, path in (("web", "Dockerfile"), ("worker", "Dockerfile.gpu")):
        assert model["services"][name]["healthcheck"]["test"] == ["CMD", *Dockerfile.read(ROOT / path).health_command]


def test_the_worker_is_given_longer_than_its_soft_shutdown(model: dict[str, Any]) -> None:
    assert _seconds(model["services"]["worker"]["stop_grace_period"]) > Settings().shutdown_seconds + 15


def test_every_volume_is_named_declared_and_used(model: dict[str, Any]) -> None:
    mounts = [mount for service in model["services"].values() for mount in service.get("volumes", [])]
    assert {mount.split(":")[0] for mount in mounts} == model["volumes"].keys()


def test_what_a_service_waits_for_exists_and_can_become_so(model: dict[str, Any]) -> None:
    for service in model["services"].values():
        for name, needed in service.get("depends_on", {}).items():
            ends = needed["condition"] == "service_completed_successfully"
            assert ends == (name in ONE_SHOT)


def _seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))
