"""Lines for a shell that register a pair with nothing but curl."""

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from eigenwarp_cli.register import PairFiles

if TYPE_CHECKING:
    from eigenwarp.schemas.document import ModelReference

PORT = 8000
DEFAULT_MODEL = "hippocampus"


def curl_lines(pair: PairFiles, model: "ModelReference", home: Path) -> str:
    """What registers a pair, fetches the results, and asks for coefficients and a component's field.

    Args:
        pair: with or without segmentations.
        model: that is published in ``home``.
        home: a service's data folder.
    """
    files = {
        "moving": pair.moving,
        "fixed": pair.fixed,
        "moving_segmentation": pair.moving_segmentation,
        "fixed_segmentation": pair.fixed_segmentation,
    }
    parts = [f"-F {shlex.quote(f'{name}=@{_shown(path)}')}" for name, path in files.items() if path is not None]
    form, query = ("", "") if model.name == DEFAULT_MODEL else (f"-F model={model.name} ", f"&model={model.name}")
    results = "field,inverse_field,warped,warped_segmentation,jacobian"
    return "\n".join(
        [
            f"eigenwarp up --home {shlex.quote(str(_shown(home)))} --port {PORT} --no-publish   # in another terminal",
            "",
            f"url=http://127.0.0.1:{PORT}",
            "curl -s -H 'Prefer: wait=60' -o job.json \\",
            *(f"    {part} \\" for part in parts),
            f'    {form}-F \'options={{"refine": "field"}}\' $url/register',
            "job=$(grep -o 'job_[0-9a-f]*' job.json | head -n 1)",
            f'curl -sSf -o "#1.nii.gz" "$url/jobs/$job/results/{{{results}}}"',
            'curl -sSf "$url/jobs/$job/results/report"',
            "",
            f"curl -s -H 'Prefer: wait=60' {form}-F {shlex.quote(f'volume=@{_shown(pair.moving)}')} $url/project",
            f'curl -sSf -o component1.nii.gz "$url/components/1/deformation?scale=2&unit=sd{query}"',
        ]
    )


def _shown(path: Path) -> Path:
    """From here, where that is shorter."""
    here = Path(os.path.relpath(path))
    return path.resolve() if here.parts[:1] == ("..",) else here
