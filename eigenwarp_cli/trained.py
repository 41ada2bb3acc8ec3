"""``eigenwarp export``, ``basis`` and ``evaluate``: from a run to a bundle, its basis, its measured accuracy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from eigenwarp.errors import OptionInvalidError
from eigenwarp.schemas.choices import RefineChoice
from eigenwarp_cli.output import print_text, progress_console, results, write_text
from eigenwarp_cli.parameters import DataOption, ModelOption, require_data

if TYPE_CHECKING:
    from eigenwarp.basis import Basis
    from training.evaluation import PairMeasurement, Summary

ComponentsOption = Annotated[int, typer.Option(help="K of the basis; 0 for a bundle without one.")]
IncrementalOption = Annotated[bool, typer.Option("--incremental", help="Keep a few encodings in memory at a time.")]
GroupOption = Annotated[str, typer.Option(help="Group of the data set's split.")]


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A training run's folder.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the bundle.")],
    data: DataOption = None,
    components: ComponentsOption = 32,
    incremental: IncrementalOption = False,
    checkpoint: Annotated[Literal["best", "last"], typer.Option(help="Which of the run's checkpoints.")] = "best",
    data_name: Annotated[
        str, typer.Option(help="What the model card calls the data set, with its source and licence.")
    ] = "Medical Segmentation Decathlon, Task 04 Hippocampus, CC BY-SA 4.0",
    half_basis: Annotated[
        bool, typer.Option("--half-basis", help="Keep the components as float16: half the size, off by some 0.02 %.")
    ] = False,
) -> None:
    """Make a bundle of a run: weights, basis, template, provenance and model card."""
    from training.checkpoint import read_config
    from training.data.cohort import open_cohort
    from training.data.enlarge import card_note
    from training.export import export_bundle
    from training.tensors import prepare_cohort

    config, _ = read_config(run / f"{checkpoint}.safetensors")
    folder = require_data(data)
    cohort = prepare_cohort(open_cohort(folder, "train"), config.preprocessing, tuple(config.labels.values()))
    manifest = export_bundle(
        run,
        cohort,
        len(open_cohort(folder, "validation")),
        out,
        data=data_name,
        components=components,
        checkpoint=checkpoint,
        incremental=incremental,
        half_basis=half_basis,
    )
    if note := card_note(folder):
        write_text(out / "NOTES.md", note)
    _write_card(out)
    print_text(f"{manifest.name} {manifest.version} in {out}")


def basis(
    model: ModelOption = "hippocampus",
    data: DataOption = None,
    group: GroupOption = "train",
    components: ComponentsOption = 32,
    incremental: IncrementalOption = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder of the new bundle; the model's own by default.")
    ] = None,
) -> None:
    """Fit a model's basis anew: a PCA of the encodings of a group of subjects."""
    from eigenwarp.model.bundle import load_bundle, save_bundle
    from eigenwarp.model.catalogue import find_bundle
    from training.basis import fit_basis
    from training.data.cohort import open_cohort
    from training.tensors import prepare_cohort

    folder = find_bundle(model)
    bundle = load_bundle(folder)
    labels = tuple(bundle.manifest.labels.values())
    cohort = prepare_cohort(open_cohort(require_data(data), group), bundle.preprocessing, labels)
    fitted = fit_basis(bundle.network, cohort, components, incremental=incremental)
    manifest = save_bundle(
        out or folder,
        name=bundle.name,
        created=bundle.manifest.created,
        network=bundle.network,
        preprocessing=bundle.preprocessing,
        labels=bundle.manifest.labels,
        provenance=bundle.manifest.provenance,
        metrics=bundle.manifest.metrics,
        basis=fitted,
        template=bundle.template,
        template_segmentation=bundle.template_segmentation,
    )
    print_text(f"{manifest.name} {manifest.version} in {out or folder}: {explained(fitted)}")


def evaluate(
    model: ModelOption = "hippocampus",
    data: DataOption = None,
    group: GroupOption = "validation",
    refine: Annotated[
        str, typer.Option(metavar="LIST", help="What to measure beside the unregistered pairs, comma-separated.")
    ] = "none,latent,field",
    record: Annotated[bool, typer.Option("--record", help="Write the figures into the model's bundle.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON in place of a table.")] = False,
) -> None:
    """Register each subject of a group onto the next, cyclic, and measure Dice, HD95, folds and time."""
    import json

    from rich.progress import Progress

    from eigenwarp.model.bundle import write_manifest
    from eigenwarp.model.catalogue import find_bundle
    from eigenwarp.model.registration import Refine, RegistrationModel
    from training.data.cohort import open_cohort
    from training.evaluation import evaluate as measure
    from training.evaluation import summarise

    known = get_args(RefineChoice)
    chosen = [choice.strip() for choice in refine.split(",")]
    if not set(chosen) <= set(known):
        raise OptionInvalidError(f"--refine takes {', '.join(known)}, got {refine!r}")
    refinements = tuple(Refine(choice) for choice in chosen)
    folder = find_bundle(model)
    loaded = RegistrationModel.load(str(folder))
    cohort = open_cohort(require_data(data), group)
    with Progress(console=progress_console()) as bar:
        task = bar.add_task("pairs", total=len(cohort) * (1 + len(refinements)))

        def advance(_: "PairMeasurement") -> None:
            bar.advance(task)

        measured = measure(loaded, cohort, refinements, progress=advance)
    summaries = summarise(measured)
    metrics = {summary.method: summary.metrics() for summary in summaries}
    if record:
        manifest = loaded.bundle.manifest
        write_manifest(folder, manifest.model_copy(update={"metrics": {**manifest.metrics, **metrics}}))
        _write_card(folder)
    if as_json:
        print_text(json.dumps(metrics, indent=1))
        return
    print_summaries(summaries)
    if loaded.bundle.basis is not None:
        print_text(explained(loaded.bundle.basis))


def _write_card(folder: Path) -> None:
    """The model card, from what the bundle now says of itself."""
    from eigenwarp.model.bundle import CARD, load_bundle
    from training.card import model_card

    bundle = load_bundle(folder)
    notes = folder / "NOTES.md"
    text = notes.read_text() if notes.is_file() else ""
    (folder / CARD).write_text(model_card(bundle.manifest, bundle.basis, text))


def explained(basis: "Basis") -> str:
    """The paper's two figures: variance held by all components and by the first four."""
    ratios = basis.explained_variance_ratio
    return f"{basis.count} components hold {ratios.sum():.1%} of the variance, the first 4 {ratios[:4].sum():.1%}"


def print_summaries(summaries: "list[Summary]") -> None:
    """A row for each way of registering."""
    from rich.table import Table

    labels = list(summaries[0].dice_per_label)
    table = Table(box=None, title=f"{summaries[0].pairs} pairs, mean ± standard deviation")
    for heading in ("", "Dice", *(f"Dice {label}" for label in labels), "HD95 mm", "J ≤ 0", "SDlogJ", "seconds"):
        table.add_column(heading, justify="right" if heading else "left")
    for row in summaries:
        table.add_row(
            row.method,
            f"{row.dice:.3f} ± {row.dice_sd:.3f}",
            *(f"{mean:.3f} ± {sd:.3f}" for mean, sd in row.dice_per_label.values()),
            f"{row.hd95_mm:.2f} ± {row.hd95_sd_mm:.2f}",
            f"{row.folded_share:.3%}",
            f"{row.sd_log_jacobian:.3f}",
            f"{row.seconds:.2f}",
        )
    results().print(table, highlight=False)
