"""How the coefficients answer to transformations whose truth is known (figures 5 and 8)."""

import numpy as np

from training.experiment.encodings import NETWORKS, Network, encodings, network_of, transformed_encodings
from training.experiment.findings import Figure, Findings
from training.experiment.known_transformations import PAPER, KnownTransformation
from training.experiment.paper.response_boxes import response_figure
from training.experiment.paper.response_tables import (
    Changes,
    agrees,
    answering,
    concentration_table,
    response_table,
)
from training.experiment.pictures import WITH_SKIPS, WITHOUT_SKIPS, save_figure
from training.experiment.stage import OnProgress, Stage, Workplace

_ROTATION, _TRANSLATION, _SCALING = (transformation.label for transformation in PAPER)
PAPER_ANSWERS = {
    (_ROTATION, "without skips"): "1",
    (_TRANSLATION, "without skips"): "1",
    (_SCALING, "without skips"): "2",
    (_ROTATION, "with skips"): "many",
    (_TRANSLATION, "with skips"): "many",
    (_SCALING, "with skips"): "many",
}
"""Components that answer, as section 4.1 and figure 8 put it."""


def run(workplace: Workplace, progress: OnProgress) -> Findings:
    coefficients: dict[tuple[str, str], Changes] = {}
    shares: dict[tuple[str, str], Changes] = {}
    work = [(network, transformation) for network in NETWORKS for transformation in PAPER]
    for place, (network, transformation) in enumerate(work):
        progress(place / len(work))
        change, share = _response(workplace, network, transformation)
        coefficients[transformation.label, network] = change
        shares[transformation.label, network] = share
    percentages = {key: 100 * share for key, share in shares.items()}
    colours: dict[str, str] = dict(zip(NETWORKS, (WITHOUT_SKIPS, WITH_SKIPS), strict=True))
    labels = [transformation.label for transformation in PAPER]
    subjects = len(workplace.prepared_validation)
    save_figure(
        response_figure(labels, list(NETWORKS), colours, coefficients, "|Δa| (latent units)"),
        workplace.figures,
        "responses",
    )
    save_figure(
        response_figure(labels, list(NETWORKS), colours, percentages, "share of the change (%)"),
        workplace.figures,
        "response-shares",
    )
    return Findings(
        text=_text(workplace, labels, coefficients),
        tables=(
            concentration_table("response-concentration", labels, list(NETWORKS), coefficients, shares, PAPER_ANSWERS),
            response_table(
                "responses",
                "Median |Δa| of each component (latent units)",
                labels,
                list(NETWORKS),
                coefficients,
                "The two networks have latent units of their own.",
            ),
            response_table(
                "response-shares",
                "Median share of each component in the squared latent change (%)",
                labels,
                list(NETWORKS),
                percentages,
                "Of the whole change, with what lies outside the basis.",
            ),
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


def _text(workplace: Workplace, labels: list[str], changes: dict[tuple[str, str], Changes]) -> str:
    def answers(network: str) -> str:
        return ", ".join(f"{answering(changes[label, network])} to the {label.partition(' ')[0]}" for label in labels)

    agreeing = sum(agrees(answering(changes[key]), paper) for key, paper in PAPER_ANSWERS.items())
    return (
        f"Each of the {len(workplace.prepared_validation)} validation subjects is transformed on the model's grid and"
        " encoded again, and the coefficients are compared: turned by 20° about z, moved by 10 voxels along z, and"
        " scaled by a factor of 0.2, which is read as 20 % larger. Where nothing of the volume lies there is"
        " background."
        + _augmentation(workplace)
        + "\n\nThe paper sees one component answer to the rotation, one to the"
        " translation and two to the scaling, and many with skips. Here components answer, counted as the table says:"
        f" without skips {answers('without skips')}; with skips {answers('with skips')}. That agrees with the paper in"
        f" {agreeing} of {len(PAPER_ANSWERS)} cases, many being three or more."
        "\n\nA volume cropped around its organ and then moved shows background where tissue would go on. Part of what"
        " the encoder answers to is that border, which no registration between real crops has."
    )


def _augmentation(workplace: Workplace) -> str:
    """How far the training went itself, where the bundle says so."""
    used = workplace.model.bundle.manifest.provenance.configuration.get("augmentation")
    if not isinstance(used, dict):
        return ""
    return (
        f" In training, volumes were turned by up to {used.get('rotation_degrees', 0):g}°, moved by up to"
        f" {used.get('translation_voxels', 0):g} voxels and scaled by up to {100 * used.get('zoom', 0):g} %."
    )


STAGE = Stage("responses", "Response to known transformations", "paper, section 4.1, figures 5 and 8", run)
