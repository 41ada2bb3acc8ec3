"""How the coefficients answer to transformations whose truth is known (figures 5 and 8)."""

import numpy as np
import numpy.typing as npt

from training.experiment.encodings import NETWORKS, Network, encodings, network_of, transformed_encodings
from training.experiment.findings import Cell, Figure, Findings, Table
from training.experiment.known_transformations import PAPER, KnownTransformation
from training.experiment.paper.response_boxes import response_figure, shown_components
from training.experiment.pictures import WITH_SKIPS, WITHOUT_SKIPS, save_figure
from training.experiment.stage import OnProgress, Stage, Workplace

Changes = npt.NDArray[np.floating]


def run(workplace: Workplace, progress: OnProgress) -> Findings:
    coefficients: dict[tuple[str, str], Changes] = {}
    shares: dict[tuple[str, str], Changes] = {}
    work = [(network, transformation) for network in NETWORKS for transformation in PAPER]
    for place, (network, transformation) in enumerate(work):
        progress(place / len(work))
        change, share = _response(workplace, network, transformation)
        coefficients[transformation.label, network] = change
        shares[transformation.label, network] = share
    colours: dict[str, str] = dict(zip(NETWORKS, (WITHOUT_SKIPS, WITH_SKIPS), strict=True))
    labels = [transformation.label for transformation in PAPER]
    subjects = len(workplace.prepared_validation)
    save_figure(
        response_figure(labels, list(NETWORKS), colours, coefficients, "|Δa| (latent units)"),
        workplace.figures,
        "responses",
    )
    save_figure(
        response_figure(
            labels, list(NETWORKS), colours, {k: 100 * v for k, v in shares.items()}, "share of the change (%)"
        ),
        workplace.figures,
        "response-shares",
    )
    return Findings(
        text=_text(labels, shares, subjects),
        tables=(
            response_table("responses", labels, list(NETWORKS), coefficients, shares),
            concentration_table("response-concentration", labels, list(NETWORKS), shares),
        ),
        figures=(
            Figure(
                "responses",
                f"|Δa_j| between each of the {subjects} validation subjects and itself transformed, for the first"
                " components, network without (blue) and with skips (pink). Boxes: quartiles; whiskers: 1.5 times their"
                " distance. The two networks have latent units of their own, so heights compare within a colour only.",
            ),
            Figure(
                "response-shares",
                "The same as shares, Δa_j² / |E(X) − E(X')|², which compare between the two networks. Shares of all"
                " components and of what lies outside the basis add up to 100 %.",
            ),
        ),
    )


def _response(workplace: Workplace, network: Network, transformation: KnownTransformation) -> tuple[Changes, Changes]:
    """|Δa_j| and Δa_j² / |ΔE|² of every validation subject, (N, K) each."""
    before = encodings(workplace, network, "validation")
    after = transformed_encodings(workplace, network, transformation)
    difference = (after - before).astype(np.float64)
    change = np.abs(network_of(workplace, network).basis.project_difference(difference))
    return change, change**2 / (difference**2).sum(axis=1, keepdims=True)


def response_table(
    name: str,
    labels: list[str],
    bases: list[str],
    coefficients: dict[tuple[str, str], Changes],
    shares: dict[tuple[str, str], Changes],
    unit: str = "latent units",
) -> Table:
    """Medians over the subjects of |Δa_j| and of its share, for the components that the figures show."""
    shown = shown_components(coefficients)
    rows: list[tuple[Cell, ...]] = []
    for label in labels:
        for basis in bases:
            change = np.median(coefficients[label, basis][:, :shown], axis=0)
            share = 100 * np.median(shares[label, basis][:, :shown], axis=0)
            rows.append((label, basis, f"median |Δa| ({unit})", *map(float, change)))
            rows.append((label, basis, "median share (%)", *map(float, share)))
    return Table(
        name=name,
        title="Response of the first components",
        columns=("transformation", "basis", "measure", *(str(k + 1) for k in range(shown))),
        rows=tuple(rows),
        note="Medians over the validation subjects. The share is Δa_j² over the squared norm of the whole change.",
    )


def concentration_table(
    name: str, labels: list[str], bases: list[str], shares: dict[tuple[str, str], Changes]
) -> Table:
    """How few components answer."""
    rows: list[tuple[Cell, ...]] = []
    for label in labels:
        for basis in bases:
            share = shares[label, basis]
            top = share.argmax(axis=1)
            usual = int(np.bincount(top).argmax())
            rows.append(
                (
                    label,
                    basis,
                    usual + 1,
                    100 * float((top == usual).mean()),
                    100 * float(np.median(share.max(axis=1))),
                    100 * float(np.median(np.sort(share, axis=1)[:, -2:].sum(axis=1))),
                    100 * float(np.median(1 - share.sum(axis=1))),
                )
            )
    return Table(
        name=name,
        title="How few components answer",
        columns=(
            "transformation",
            "basis",
            "component that answers most, in most subjects",
            "in so many subjects (%)",
            "share of the strongest (%)",
            "share of the two strongest (%)",
            "outside the basis (%)",
        ),
        rows=tuple(rows),
        note="Shares of the squared change, medians over the validation subjects. The paper judges by eye: one"
        " component for rotation and for translation, two for scaling, many with skips.",
    )


def _text(labels: list[str], shares: dict[tuple[str, str], Changes], subjects: int) -> str:
    def strongest(basis: str) -> str:
        parts = [f"{100 * float(np.median(shares[label, basis].max(axis=1))):.0f} % ({label})" for label in labels]
        return ", ".join(parts)

    return (
        f"Each of the {subjects} validation subjects is transformed on the model's grid, encoded again, and the"
        " coefficients are compared: turned by 20° about z, moved by 10 voxels along z, and scaled by a factor of 0.2,"
        " which is read as 20 % larger. Where nothing of the volume lies there is background."
        "\n\nThe paper sees one component that answers to rotation and to translation and two to scaling, and many with"
        f" skips. Here the strongest component of the network without skips takes {strongest('without skips')} of the"
        f" squared latent change; with skips {strongest('with skips')}. Medians over the subjects."
    )


STAGE = Stage("responses", "Response to known transformations", "paper, section 4.1, figures 5 and 8", run)
