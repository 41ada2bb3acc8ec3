"""``eigenwarp models``: what is here, and what a service has."""

import json
from pathlib import Path

from eigenwarp.model.bundle import read_manifest
from eigenwarp.schemas.document import ModelReference
from eigenwarp.stores.models import ModelStore
from eigenwarp.stores.objects import FolderStore
from tests.cli.test_commands import eigenwarp
from tests.tiny_bundle import COMPONENTS, write_tiny_bundle


def test_models_are_published_by_name_and_by_folder_and_listed(tiny_bundle: Path, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    other = write_tiny_bundle(tmp_path / "other", "other", with_basis=False)
    done = eigenwarp("models", "publish", "tiny", other, models=tiny_bundle.parent, EIGENWARP_HOME=home)
    assert done.returncode == 0, done.stderr
    versions = {name: read_manifest(folder).version for name, folder in (("tiny", tiny_bundle), ("other", other))}
    assert done.stdout.split() == [
        "published",
        f"tiny@{versions['tiny']}",
        "published",
        f"other@{versions['other']}",
    ]
    rows = json.loads(eigenwarp("models", "published", "--json", EIGENWARP_HOME=home).stdout)
    assert {row["name"]: row["version"] for row in rows} == versions
    store = ModelStore(FolderStore(tmp_path / "home" / "objects"))
    assert len(store.components(ModelReference(name="tiny", version=versions["tiny"])).rows) == COMPONENTS
    assert store.components(ModelReference(name="other", version=versions["other"])).rows == []


def test_an_unknown_model_is_not_published(tmp_path: Path) -> None:
    done = eigenwarp("models", "publish", "nothing-of-the-kind", EIGENWARP_HOME=str(tmp_path / "home"))
    assert done.returncode == 2
    assert "no model 'nothing-of-the-kind'" in done.stderr


def test_where_nothing_is_published_the_list_says_what_to_do(tmp_path: Path) -> None:
    done = eigenwarp("models", "published", EIGENWARP_HOME=str(tmp_path / "home"))
    assert done.returncode == 0
    assert done.stdout == ""
    assert "eigenwarp models publish" in done.stderr
