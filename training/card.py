"""The model card that lies beside a bundle, written from what the bundle itself says."""

from eigenwarp.basis import Basis
from eigenwarp.schemas.manifest import Manifest

METHODS = {
    "unregistered": "unregistered",
    "none": "feed-forward",
    "latent": "latent refinement",
    "field": "field refinement",
}


def results_table(metrics: dict[str, dict[str, float]], labels: list[str]) -> str:
    """A Markdown table of ``model.json``'s metrics, one row per method."""
    heads = "".join(f" Dice {label} |" for label in labels)
    lines = [
        f"| method | Dice |{heads} HD95 (mm) | det J ≤ 0 (%) | SDlogJ | seconds |",
        "|---|---|" + "---|" * len(labels) + "---|---|---|---|",
    ]
    for method, row in metrics.items():
        per_label = "".join(f" {row[f'dice_{label}']:.3f} ± {row[f'dice_{label}_sd']:.3f} |" for label in labels)
        lines.append(
            f"| {METHODS.get(method, method)} | **{row['dice']:.3f}** ± {row['dice_sd']:.3f} |{per_label}"
            f" {row['hd95_mm']:.2f} ± {row['hd95_sd_mm']:.2f} | {100 * row['folded_share']:.3f} |"
            f" {row['sd_log_jacobian']:.3f} | {row['seconds']:.2f} |"
        )
    return "\n".join(lines)


def model_card(manifest: Manifest, basis: Basis | None, notes: str = "") -> str:
    """The card as Markdown.

    Args:
        notes: paragraphs of the model's own, after the summary.
    """
    made, architecture = manifest.provenance, manifest.architecture
    variance = "This bundle has no basis."
    if basis is not None:
        ratio = basis.explained_variance_ratio
        variance = (
            f"{basis.count} components hold {100 * ratio.sum():.1f} % of the variance of the training encodings,"
            f" the first four {100 * ratio[:4].sum():.1f} % (the paper: 93 % and 62 %)."
        )
    network = ", ".join(
        f"{name} {architecture[key]}"
        for name, key in (("channels", "channels"), ("latent", "latent_channels"), ("skips", "skips"))
    )
    pairs = int(next(iter(manifest.metrics.values()))["pairs"]) if manifest.metrics else 0
    return f"""# {manifest.name}

Registers images like those it was trained on, labels {", ".join(manifest.labels)}. Version `{manifest.version}`.
Research software, not a medical device.

{notes}
## How it was made

| | |
|---|---|
| command | `{made.command}` |
| commit | `{made.commit}` |
| data | {made.data} |
| split | {made.training_subjects} to train on, {made.validation_subjects} to validate (`training/data/splits`) |
| device | {made.device} |
| steps, duration | {made.steps}, {made.seconds / 60:.0f} minutes |
| architecture | {network} |

{variance}

## Measured

On the {pairs} validation subjects, each onto the next in sorted order, cyclic, in the fixed subject's own grid,
nearest-neighbour labels; mean ± standard deviation over the pairs. The validation subjects chose the checkpoint and
the refinement's weights.

{results_table(manifest.metrics, list(manifest.labels)) if manifest.metrics else "Not measured."}

`eigenwarp evaluate --model {manifest.name} --data DIR` makes this table.

## Limits

Trained on one cohort of one kind of image: expect less on other scanners, resolutions and patients, and look at the
report's warnings, which say how far a volume lies from the training cohort.
"""
