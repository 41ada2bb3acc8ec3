"""``eigenwarp change``: two scans of one subject, and whether they differ by more than noise."""

import json
from pathlib import Path
from typing import Annotated

import typer

from eigenwarp_cli.output import print_text
from eigenwarp_cli.parameters import ModelOption


def change(
    baseline: Annotated[Path, typer.Argument(metavar="BASELINE", help="NIfTI volume of the first time point.")],
    follow_up: Annotated[Path, typer.Argument(metavar="FOLLOW_UP", help="The same subject later.")],
    model: ModelOption = "hippocampus",
    components: Annotated[int, typer.Option(metavar="N", help="Test the first N coefficients together.")] = 10,
    repeats: Annotated[int, typer.Option(help="Imitated scans of each, from which the noise is learned.")] = 15,
    level: Annotated[float, typer.Option(help="Share of unchanged pairs that stay below the limit.")] = 0.95,
    seed: Annotated[int, typer.Option(help="Of the imitation; the same seed says the same.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON in place of text.")] = False,
) -> None:
    """Say whether a subject's coefficients changed between two scans by more than scanning again would change them.

    The noise is that of imitated repeats of the two scans: another position, other voxels, fresh noise, another gain. A
    true repeat on another day differs by more.
    """
    import numpy as np

    from eigenwarp.model.registration import RegistrationModel
    from eigenwarp.model.time_points import change_between
    from eigenwarp.volume.nifti import read_volume

    found = change_between(
        RegistrationModel.load(model),
        read_volume(baseline),
        read_volume(follow_up),
        components=components,
        repeats=repeats,
        level=level,
        seed=seed,
    )
    if as_json:
        values = {"distance_squared": found.distance_squared, "limit": found.limit, "p_value": found.p_value}
        print_text(
            json.dumps(values | {"level": level, "exceeds_noise": found.exceeds, "z": found.z.tolist()}, indent=1)
        )
        return
    largest = np.argsort(-np.abs(found.z))[:4]
    named = ", ".join(f"component {k + 1} by {found.z[k]:+.1f}" for k in largest)
    verdict = "The change exceeds noise" if found.exceeds else "No change beyond noise"
    print_text(
        f"{verdict}: D² = {found.distance_squared:.1f},"
        f" {100 * level:g} % of unchanged pairs stay below {found.limit:.1f}; p = {found.p_value:.2g}.\n"
        f"In standard deviations of noise: {named}."
    )
