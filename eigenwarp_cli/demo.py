"""``eigenwarp demo``: one pair, registered by the service over HTTP, explained and drawn."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eigenwarp.errors import DataSetError
from eigenwarp.schemas.choices import RefineChoice
from eigenwarp_cli.output import make_folder, print_text, progress_console, results, write_bytes
from eigenwarp_cli.parameters import DataOption, ModelOption, known_data
from eigenwarp_cli.register import Choices, PairFiles, register_remotely
from eigenwarp_cli.remote import shown_progress
from eigenwarp_cli.summary import print_coefficients, print_summary

if TYPE_CHECKING:
    from eigenwarp.client import Client
    from eigenwarp.schemas.document import ModelReference
    from training.data.cohort import Cohort

FOLDERS: dict[RefineChoice, str] = {"none": "feed-forward", "latent": "latent-refined", "field": "field-refined"}
FIGURE = "registration.png"


@dataclass(frozen=True)
class DemoPair:
    """Two subjects and where they come from."""

    cohort: "Cohort"
    moving: int
    fixed: int
    origin: str

    @property
    def files(self) -> PairFiles:
        """Their images and segmentations."""
        moving, fixed = self.cohort.subjects[self.moving], self.cohort.subjects[self.fixed]
        return PairFiles(moving.image, fixed.image, moving.segmentation, fixed.segmentation)


def demo(
    data: DataOption = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the results.")] = Path("out/demo"),
    model: ModelOption = "hippocampus",
) -> None:
    """Start the service, register a pair over HTTP, feed-forward and with refinement, draw it, stop the service.

    Two validation subjects of the data set where one is at hand, else two synthetic subjects of examples/.
    """
    from eigenwarp.client import Client
    from eigenwarp_cli.curl import curl_lines
    from eigenwarp_cli.up.running import running_service

    pair = find_pair(data)
    moving, fixed = pair.cohort.names[pair.moving], pair.cohort.names[pair.fixed]
    home = make_folder(out) / "service"
    results().print(f"{pair.origin}: {moving} onto {fixed}", highlight=False)
    progress_console().print("starting the service: web server, worker and Redis", highlight=False)
    with running_service(home, "--no-publish") as url, Client(url) as client:
        results().print(f"the service answers at {url}", highlight=False)
        reference = _publish(model, home)
        for mode, name in FOLDERS.items():
            _register_and_draw(client, pair, mode, reference, out / name)
    print_text("\nThe same with curl:\n\n" + curl_lines(pair.files, reference, home))


def _publish(model: str, home: Path) -> "ModelReference":
    """Put the model into the service's data folder, unless this version is there."""
    from eigenwarp.errors import ModelUnknownError
    from eigenwarp.model.bundle import read_manifest
    from eigenwarp.model.catalogue import find_bundle
    from eigenwarp.schemas.document import ModelReference
    from eigenwarp.settings import load_settings
    from eigenwarp_cli.models import publish_bundle, published_models
    from worker.engine import Engine

    manifest = read_manifest(find_bundle(model))
    reference = ModelReference(name=manifest.name, version=manifest.version)
    with published_models(load_settings({}, home=home)) as store:
        try:
            store.manifest(reference)
        except ModelUnknownError:
            progress_console().print(f"publishing {model} to the service", highlight=False)
            return publish_bundle(store, Engine(), model)
    return reference


def _register_and_draw(
    client: "Client", pair: DemoPair, mode: RefineChoice, reference: "ModelReference", folder: Path
) -> None:
    from eigenwarp_cli.downloaded import DownloadedRegistration
    from worker.figure import registration_figure

    with shown_progress(FOLDERS[mode]) as progress:
        report = register_remotely(
            client, pair.files, Choices(refine=mode), f"{reference.name}@{reference.version}", folder, progress
        )
    moving, moving_labels = pair.cohort.load(pair.moving)
    fixed, fixed_labels = pair.cohort.load(pair.fixed)
    manifest = client.model(reference.name, reference.version)
    found = DownloadedRegistration.read(folder, report, manifest, moving, fixed)
    write_bytes(folder / FIGURE, registration_figure(moving, fixed, moving_labels, fixed_labels, found))
    print_text("")
    print_summary(report)
    print_coefficients(report.coefficients)
    print_text(f"fields, volumes, report.json and {FIGURE} in {folder.resolve()}")


def find_pair(data: Path | None) -> DemoPair:
    """Two validation subjects of the data set asked for or downloaded, else two of the examples.

    Raises:
        DataSetError: the data set cannot be read, or there are no examples either.
    """
    from training.data.cohort import open_cohort
    from training.data.split import SPLIT_FILE

    folder = known_data(data)
    if folder is not None:
        split = "validation" if (folder / SPLIT_FILE).is_file() else None
        cohort = open_cohort(folder, split)
        origin = f"{split or 'all'} subjects of {folder}"
    else:
        examples = examples_folder()
        cohort = open_cohort(examples, None)
        origin = f"synthetic subjects of {examples} (real ones with --data DIR or EIGENWARP_DATA)"
    if len(cohort) < 2:
        raise DataSetError(f"{origin}: a pair needs two subjects, got {len(cohort)}")
    return DemoPair(cohort, moving=0, fixed=1, origin=origin)


def examples_folder() -> Path:
    """``examples/`` of the checkout.

    Raises:
        DataSetError: the program was installed without it.
    """
    for folder in (Path(__file__).resolve().parents[1] / "examples", Path("examples")):
        if (folder / "images").is_dir():
            return folder
    raise DataSetError("no examples beside the program: give --data DIR or run 'eigenwarp data get hippocampus'")
