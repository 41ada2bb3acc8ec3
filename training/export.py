"""From a run's checkpoint to a bundle."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import torch

from eigenwarp.model import RegistrationNetwork
from eigenwarp.model.bundle import save_bundle
from eigenwarp.schemas.manifest import Manifest, Provenance
from training.basis import fit_basis
from training.checkpoint import load_checkpoint, read_config
from training.config import TrainingConfig
from training.template import make_template
from training.tensors import PreparedCohort


def load_run(run: Path, checkpoint: str = "best") -> tuple[RegistrationNetwork, TrainingConfig, Provenance]:
    """The network of a run, its configuration and what can be said of its making.

    Args:
        checkpoint: ``best`` or ``last``.

    Raises:
        BundleInvalidError: no such checkpoint.
    """
    path = run / f"{checkpoint}.safetensors"
    config, progress = read_config(path)
    network = RegistrationNetwork(config.architecture)
    load_checkpoint(path, network)
    provenance = Provenance(
        command=_command(config),
        commit=_commit(),
        data="",
        training_subjects=0,
        validation_subjects=0,
        device=_device_name(),
        steps=progress.step,
        seconds=round(progress.seconds, 3),
        configuration=config.to_dict(),
    )
    return network.eval(), config, provenance


def export_bundle(
    run: Path,
    cohort: PreparedCohort,
    validation_subjects: int,
    out: Path,
    *,
    data: str,
    components: int = 32,
    checkpoint: str = "best",
    incremental: bool = False,
    half_basis: bool = False,
) -> Manifest:
    """Write a bundle of a run: weights, basis, template and provenance.

    Args:
        cohort: the training subjects.
        data: the data set's name and source, for the card; never a path.
        components: K of the basis; 0 for a bundle without one.
        half_basis: as ``save_bundle``.
    """
    network, config, provenance = load_run(run, checkpoint)
    basis = fit_basis(network, cohort, components, incremental=incremental) if components else None
    template, template_segmentation = make_template(
        network, cohort, config.preprocessing, tuple(config.labels.values())
    )
    return save_bundle(
        out,
        name=config.name,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        network=network,
        preprocessing=config.preprocessing,
        labels=config.labels,
        provenance=provenance.model_copy(
            update={
                "data": data,
                "training_subjects": len(cohort),
                "validation_subjects": validation_subjects,
            }
        ),
        basis=basis,
        template=template,
        template_segmentation=template_segmentation,
        half_basis=half_basis,
    )


def _command(config: TrainingConfig) -> str:
    start = f" --start-from … ({config.started_from})" if config.started_from else ""
    return f"eigenwarp train {config.preset or config.name}{start}"


def _commit() -> str:
    """The source's commit, or ``unknown`` outside a checkout."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def _device_name() -> str:
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{torch.get_num_threads()} CPU cores"
