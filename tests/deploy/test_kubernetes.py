"""deploy/kubernetes, rendered: valid, hardened, and naming only what exists."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from starlette.routing import Match

from eigenwarp.queue.celery_app import QUEUE_NAME
from eigenwarp.queue.job_queue import JobQueue
from eigenwarp.settings import Settings, load_settings
from service.app import create_app
from tests.deploy.compose import BASE, merged
from tests.deploy.kubernetes import (
    FOLDER,
    RENDERED,
    Document,
    container,
    of_kind,
    pod,
    rendered,
    selects,
    workloads,
)
from tests.deploy.project import VERSION, assert_is_a_command, made_secrets, setting_names
from tests.servers.redis import RedisServer

OWN = ("web", "worker", "migrate", "publish-models")
SECRETS = "/run/secrets/eigenwarp"

# Kinds of KEDA: kubernetes-validate carries the schemas of Kubernetes itself only. Fields as in KEDA's own reference.
KEDA = {
    "ScaledObject": {
        "spec": {"scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval", "advanced", "triggers"},
        "triggers": {"type", "metadata", "authenticationRef"},
        "redis": {"address", "listName", "listLength"},
    },
    "TriggerAuthentication": {"spec": {"secretTargetRef"}, "secretTargetRef": {"parameter", "name", "key"}},
}


@pytest.fixture(params=RENDERED, scope="module")
def documents(request: pytest.FixtureRequest) -> tuple[Document, ...]:
    return rendered(request.param)


def test_every_document_is_valid_to_the_letter(documents: tuple[Document, ...]) -> None:
    checked = [document for document in documents if document["kind"] not in KEDA]
    for document in checked:
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)
    assert len(checked) >= 15


def test_the_validation_would_notice(documents: tuple[Document, ...]) -> None:
    web = yaml.safe_load(yaml.safe_dump(workloads(documents)["web"]))
    web["spec"]["replica"] = 2
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(web, kubernetes_validate.latest_version(), strict=True)


def test_everything_is_in_our_namespace(documents: tuple[Document, ...]) -> None:
    for document in documents:
        where = document["metadata"].get("namespace", document["metadata"]["name"])
        assert where == "eigenwarp", document["kind"]


def test_every_pod_meets_the_restricted_standard(documents: tuple[Document, ...]) -> None:
    (namespace,) = of_kind(documents, "Namespace").values()
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, workload in workloads(documents).items():
        spec, only = pod(workload)["spec"], container(workload)
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


def test_every_container_says_what_it_needs(documents: tuple[Document, ...]) -> None:
    for name, workload in workloads(documents).items():
        resources = container(workload)["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys(), name
        assert "memory" in resources["limits"], name


def test_only_the_bases_worker_takes_a_gpu() -> None:
    for folder in RENDERED:
        for name, workload in workloads(rendered(folder)).items():
            takes = container(workload)["resources"]["limits"].get("nvidia.com/gpu")
            assert takes == (1 if (folder, name) == ("base", "worker") else None)


def test_every_command_of_ours_exists(documents: tuple[Document, ...]) -> None:
    for name in OWN:
        only = container(workloads(documents)[name])
        assert "command" not in only
        assert_is_a_command(only["args"])


def test_every_probe_asks_what_exists(documents: tuple[Document, ...]) -> None:
    found = workloads(documents)
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert _is_served(container(found["web"])[probe]["httpGet"]["path"]), probe
    assert container(found["web"])["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert _is_served(pod(found["web"])["metadata"]["annotations"]["prometheus.io/path"])
    assert not _is_served("/health")
    for probe in ("startupProbe", "livenessProbe"):
        command = container(found["worker"])[probe]["exec"]["command"]
        assert command[0] == "eigenwarp"
        assert_is_a_command(command[1:])


def test_every_setting_exists_and_they_load(documents: tuple[Document, ...], tmp_path: Path) -> None:
    made_secrets(tmp_path)
    data = _configuration(documents)
    for name in OWN:
        environment = data | {
            item["name"]: item["value"] for item in container(workloads(documents)[name]).get("env", [])
        }
        assert environment.keys() <= setting_names()
        settings = load_settings({key: value.replace(SECRETS, str(tmp_path)) for key, value in environment.items()})
        assert settings.redis_url.get_secret_value().endswith("@redis:6379/0")


def test_our_containers_take_their_settings_from_the_one_configuration(documents: tuple[Document, ...]) -> None:
    for name in OWN:
        ((reference,),) = [entry.values() for entry in container(workloads(documents)[name])["envFrom"]]
        assert reference["name"] in of_kind(documents, "ConfigMap")


def test_every_secret_file_is_mounted_made_and_in_the_example(documents: tuple[Document, ...], tmp_path: Path) -> None:
    made = made_secrets(tmp_path).keys()
    example = yaml.safe_load((FOLDER / "base" / "secret.example.yaml").read_text())
    assert example["stringData"].keys() == made
    for name, workload in workloads(documents).items():
        (volume,) = [v["secret"] for v in pod(workload)["spec"]["volumes"] if "secret" in v]
        (mount,) = [m for m in container(workload)["volumeMounts"] if m["name"] == "secrets"]
        mounted = {item["path"] for item in volume["items"]}
        assert (volume["secretName"], mount["mountPath"]) == (example["metadata"]["name"], SECRETS)
        assert {item["key"] for item in volume["items"]} == mounted <= made
        named = set(re.findall(rf"{SECRETS}/(\w+)", yaml.safe_dump(container(workload), width=10**6)))
        if name in OWN:
            named |= {Path(value).name for key, value in _configuration(documents).items() if key.endswith("_FILE")}
        assert named == mounted, name


def test_no_secret_is_part_of_what_is_applied(documents: tuple[Document, ...]) -> None:
    assert not of_kind(documents, "Secret")


def test_ports_and_mounts_that_are_named_exist(documents: tuple[Document, ...]) -> None:
    for workload in workloads(documents).values():
        only, spec = container(workload), pod(workload)["spec"]
        claims = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        assert {mount["name"] for mount in only["volumeMounts"]} == {v["name"] for v in spec["volumes"]} | claims
        probes = [only[probe] for probe in ("startupProbe", "livenessProbe", "readinessProbe") if probe in only]
        asked = {(probe.get("httpGet") or probe["tcpSocket"])["port"] for probe in probes if "exec" not in probe}
        assert asked <= {port["name"] for port in only.get("ports", [])}


def test_services_and_budgets_select_pods(documents: tuple[Document, ...]) -> None:
    pods = [pod(workload) for workload in workloads(documents).values()]
    for service in of_kind(documents, "Service").values():
        (chosen,) = [p for p in pods if service["spec"]["selector"].items() <= p["metadata"]["labels"].items()]
        ports = {port["name"] for port in chosen["spec"]["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
    budgets = of_kind(documents, "PodDisruptionBudget")
    assert budgets.keys() == {"web", "worker"}
    for budget in budgets.values():
        assert [p for p in pods if selects(budget["spec"]["selector"], p["metadata"]["labels"])]


def test_traffic_is_denied_but_where_a_policy_lets_it_through(documents: tuple[Document, ...]) -> None:
    policies = of_kind(documents, "NetworkPolicy")
    deny = policies.pop("default-deny")["spec"]
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    labels = {name: pod(workload)["metadata"]["labels"] for name, workload in workloads(documents).items()}
    inside = {name: workload for name, workload in workloads(documents).items() if name not in OWN} | {
        "web": workloads(documents)["web"]
    }
    for server, workload in inside.items():
        (port,) = container(workload)["ports"]
        letting_in = [p for p in policies.values() if "ingress" in p["spec"] and _applies(p, labels[server])]
        numbers = {entry["port"] for p in letting_in for rule in p["spec"]["ingress"] for entry in rule["ports"]}
        assert numbers & {port["name"], port["containerPort"]}, server
    for client in OWN:
        letting_out = [p for p in policies.values() if "egress" in p["spec"] and _applies(p, labels[client])]
        numbers = {entry["port"] for p in letting_out for rule in p["spec"]["egress"] for entry in rule["ports"]}
        store = 8333 if "seaweedfs" in labels else 443
        assert {53, 5432, store} <= numbers, client
        assert (6379 in numbers) == (client in ("web", "worker")), client


def test_workers_scale_with_the_list_that_jobs_land_in(redis_server: RedisServer) -> None:
    (scaled,) = of_kind(rendered("base"), "ScaledObject").values()
    (trigger,) = scaled["spec"]["triggers"]
    queue = JobQueue(Settings.model_validate({"redis_url": redis_server.url}))
    try:
        queue.send("job_" + "0" * 32)
    finally:
        queue.close()
    assert trigger["metadata"]["listName"] == QUEUE_NAME
    with redis_server.client() as client:
        assert client.llen(trigger["metadata"]["listName"]) == 1


def test_kedas_kinds_have_kedas_fields_and_name_what_exists() -> None:
    documents = rendered("base")
    (scaled,) = of_kind(documents, "ScaledObject").values()
    (authentication,) = of_kind(documents, "TriggerAuthentication").values()
    (trigger,) = scaled["spec"]["triggers"]
    assert {scaled["apiVersion"], authentication["apiVersion"]} == {"keda.sh/v1alpha1"}
    assert scaled["spec"].keys() == KEDA["ScaledObject"]["spec"]
    assert trigger.keys() == KEDA["ScaledObject"]["triggers"]
    assert trigger["metadata"].keys() == KEDA["ScaledObject"]["redis"]
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    assert trigger["authenticationRef"]["name"] == authentication["metadata"]["name"]
    assert authentication["spec"].keys() == KEDA["TriggerAuthentication"]["spec"]
    for reference in authentication["spec"]["secretTargetRef"]:
        assert reference.keys() == KEDA["TriggerAuthentication"]["secretTargetRef"]
    assert scaled["spec"]["scaleTargetRef"]["name"] in of_kind(documents, "Deployment")
    assert "replicas" not in of_kind(documents, "Deployment")["worker"]["spec"]
    host, _, port = trigger["metadata"]["address"].partition(":")
    service = of_kind(documents, "Service")[host.split(".")[0]]
    assert host == f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"
    assert int(port) == service["spec"]["ports"][0]["port"]


def test_the_worker_is_given_longer_than_its_soft_shutdown(documents: tuple[Document, ...]) -> None:
    seconds = pod(workloads(documents)["worker"])["spec"]["terminationGracePeriodSeconds"]
    assert seconds > Settings().shutdown_seconds + 15


def test_images_are_pinned_and_the_servers_are_those_of_compose(documents: tuple[Document, ...]) -> None:
    of_compose: dict[str, Any] = merged(BASE)["services"]
    for name, workload in workloads(documents).items():
        image = container(workload)["image"]
        if name in OWN:
            assert image.partition(":")[2].removesuffix("-cpu") == VERSION
        else:
            assert image == of_compose[name]["image"]
    assert _plain(container(workloads(documents)["redis"])["args"]) == _plain(of_compose["redis"]["command"])
    if "seaweedfs" in workloads(documents):
        seaweed = container(workloads(documents)["seaweedfs"])
        assert seaweed["command"] == of_compose["seaweedfs"]["entrypoint"]
        assert _plain(seaweed["args"]) == _plain(of_compose["seaweedfs"]["command"])


def _is_served(path: str) -> bool:
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in create_app(Settings()).routes)


def _plain(command: list[str]) -> list[str]:
    return [part.replace(f"{SECRETS}/", "/run/secrets/") for part in command]


def _configuration(documents: tuple[Document, ...]) -> dict[str, str]:
    (configuration,) = of_kind(documents, "ConfigMap").values()
    data: dict[str, str] = configuration["data"]
    return data


def _applies(policy: Document, labels: dict[str, str]) -> bool:
    return selects(policy["spec"]["podSelector"], labels)
