"""``eigenwarp segment``: the labels that the model predicts."""

from pathlib import Path
from typing import Annotated

import typer

from eigenwarp_cli.output import print_text, require_nifti_name
from eigenwarp_cli.parameters import AlignmentOption, ModelOption


def segment(
    volume: Annotated[Path, typer.Argument(metavar="VOLUME", help="NIfTI volume.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="NIfTI file for the labels.")],
    model: ModelOption = "hippocampus",
    alignment: AlignmentOption = "center",
) -> None:
    """Segment VOLUME with the model's segmentation head, on its own grid."""
    require_nifti_name(out)
    from eigenwarp.preprocess import Alignment
    from eigenwarp.volume.nifti import read_volume, write_segmentation
    from eigenwarp.volume.overlap import label_volumes
    from worker.engine import Engine

    image = read_volume(volume)
    loaded = Engine().model(model)
    found = loaded.segment(image, Alignment(alignment))
    write_segmentation(found, out)
    volumes = label_volumes(found, loaded.labels.values())
    print_text(", ".join(f"{name} {volumes[label]:.0f} mm³" for name, label in loaded.labels.items()))
