"""How the coefficients answer to transformations whose truth is known (figures 5 and 8)."""

import numpy as np

from training.experiment.encodings import NETWORKS, Network, encodings, network_of, transformed_encodings
from training.experiment.findings import Figure, Findings
from training.experiment.known_transformations import PAPER, KnownTransformation
from training.experiment.paper.response_boxes import response_figure
from training.experiment.paper.response_tables import (
    Changes,
    answering,
    concentration_table,
    response_table,
    strongest,
    within,
)
from training.experiment.pictures import WITH_SKIPS, WITHOUT_SKIPS, save_figure
from training.experiment.stage import OnProgress, Stage, Workplace

_ROTATION, _TRANSLATION, _SCALING = (transformation.label for transformation in PAPER)
PAPER_ANSWERS = {
    (_ROTATION, "without skips"): "one",
    (_TRANSLATION, "without skips"): "one",
    (_SCALING, "without skips"): "two",
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
            concentration_table("response-concentration", labels, list(NETWORKS), shares, PAPER_ANSWERS),
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


def _text(labels: list[str], shares: dict[tuple[str, str], Changes], subjects: int) -> str:
    def answers(basis: str) -> str:
        parts = []
        for label in labels:
            share = shares[label, basis]
            parts.append(f"{answering(share)} to {label} ({100 * strongest(within(share), 1):.0f} %)")
        return ", ".join(parts)

    agreeing = sum(answering(shares[key]) == answer for key, answer in PAPER_ANSWERS.items())
    return (
        f"Each of the {subjects} validation subjects is transformed on the model's grid, encoded again, and the"
        " coefficients are compared: turned by 20° about z, moved by 10 voxels along z, and scaled by a factor of 0.2,"
        " which is read as 20 % larger. Where nothing of the volume lies there is background."
        "\n\nThe paper sees one component that answers to rotation and to translation and two to scaling, and many with"
        " skips. Here so many answer, with the strongest one's share of what the basis sees of the squared"
        f" latent change: without skips {answers('without skips')}; with skips {answers('with skips')}."
        f" That agrees with the paper in {agreeing} of {len(PAPER_ANSWERS)} cases."
        "\n\nA volume cropped around its organ and then moved shows background where tissue would go on. Part of what"
        " the encoder answers to is that border, which no registration between real crops has."
    )


STAGE = Stage("responses", "Response to known transformations", "paper, section 4.1, figures 5 and 8", run)
