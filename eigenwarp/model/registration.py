"""A loaded model that maps volumes to fields, encodings and labels."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from eigenwarp.basis import Basis
from eigenwarp.errors import ModelUnknownError, OptionInvalidError
from eigenwarp.field import DisplacementField, field_from_model, invert
from eigenwarp.model.bundle import Bundle, load_bundle
from eigenwarp.model.catalogue import DEFAULT_MODEL, find_bundle
from eigenwarp.model.codes import CodeCache, Codes, EncodedVolume
from eigenwarp.model.precision import Precision, autocast
from eigenwarp.model.refine_field import FIELD_DEFAULTS, refine_field
from eigenwarp.model.refine_latent import LATENT_DEFAULTS, LatentPrior, refine_latent
from eigenwarp.model.refinement import RefinementConfig, RefinementTarget, level_features
from eigenwarp.model.segmentation_head import label_probabilities
from eigenwarp.model.stages import OnStage, Stages, unwatched
from eigenwarp.preprocess import Alignment, restore_probabilities
from eigenwarp.volume import Geometry, Segmentation, Volume

FloatArray = npt.NDArray[np.float32]


class Refine(StrEnum):
    """``latent`` moves the latent difference and stays explained whole; ``field`` then adds a residual of its own."""

    NONE = "none"
    LATENT = "latent"
    FIELD = "field"


@dataclass(frozen=True, eq=False)
class Registration:
    """What registering one volume onto another gives.

    Args:
        field: the whole transform on the fixed image's grid.
        inverse_field: its inverse on the moving image's grid.
        moving_code, fixed_code: encodings, (D,).
        latent_difference: what was decoded, (D,): after truncation and latent refinement.
        refinement_residual_mm: root mean square of what field refinement added, 0 without.
        predicted_moving, predicted_fixed: labels the segmentation head finds, on the images' own grids.
        timings: seconds per stage.
        warnings: what a reader of the result should know.
    """

    field: DisplacementField
    inverse_field: DisplacementField
    moving_code: FloatArray
    fixed_code: FloatArray
    latent_difference: FloatArray
    refinement_residual_mm: float
    predicted_moving: Segmentation | None
    predicted_fixed: Segmentation | None
    timings: dict[str, float]
    warnings: tuple[str, ...] = ()


class RegistrationModel:
    """The paper's g_θ for volumes in any geometry.

    Args:
        bundle: network, basis and preprocessing.
        device: the GPU where there is one, by default.
        precision: of the decoder and the segmentation head. The encoder stays in float32, so that a subject's
            coefficients do not depend on the machine.
        codes: where encodings are kept; the last few in memory by default.
    """

    def __init__(
        self,
        bundle: Bundle,
        device: torch.device | None = None,
        precision: Precision = Precision.AUTO,
        codes: Codes | None = None,
    ) -> None:
        self.bundle = bundle
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.precision = precision
        self.network = bundle.network.to(self.device)
        self.preprocessing = bundle.preprocessing
        self.codes: Codes = CodeCache() if codes is None else codes

    @classmethod
    def load(cls, name: str = DEFAULT_MODEL, device: str | None = None) -> "RegistrationModel":
        """A bundle by its name or folder.

        Raises:
            ModelUnknownError: no such bundle.
            BundleInvalidError: one that is incomplete or altered.
        """
        return cls(load_bundle(find_bundle(name)), torch.device(device) if device else None)

    @property
    def basis(self) -> Basis:
        """The model's basis.

        Raises:
            ModelUnknownError: the bundle was exported without one.
        """
        if self.bundle.basis is None:
            raise ModelUnknownError(f"model {self.bundle.name!r} has no basis")
        return self.bundle.basis

    @property
    def labels(self) -> dict[str, int]:
        return self.bundle.manifest.labels

    def encode(self, volume: Volume, alignment: Alignment = Alignment.CENTER) -> FloatArray:
        """E_ψ of one volume, (D,)."""
        _, encoded = self._prepared(volume, self.preprocessing.grid_for(volume, alignment))
        return np.asarray(encoded.code.numpy())

    @torch.inference_mode()
    def decode(self, difference: npt.ArrayLike) -> FloatArray:
        """D_ω of a latent difference (D,): displacement on the model's grid, (X, Y, Z, 3), voxels.

        Raises:
            OptionInvalidError: a difference of another length than the model's encodings.
        """
        z = torch.as_tensor(np.asarray(difference, dtype=np.float32), device=self.device)
        if z.shape != (self.network.architecture.code_length,):
            raise OptionInvalidError(
                f"a latent difference of shape {tuple(z.shape)}, expected ({self.network.architecture.code_length},)"
            )
        return _to_array(self._decode(z[None]))

    def segment(self, volume: Volume, alignment: Alignment = Alignment.CENTER) -> Segmentation:
        """Labels predicted by the segmentation head, on the volume's own grid.

        Raises:
            ModelUnknownError: the model has no segmentation head.
        """
        grid = self.preprocessing.grid_for(volume, alignment)
        _, encoded = self._prepared(volume, grid)
        if encoded.probabilities is None:
            raise ModelUnknownError(f"model {self.bundle.name!r} has no segmentation head")
        return self._restore_labels(encoded.probabilities, grid, volume.geometry)

    def register(
        self,
        moving: Volume,
        fixed: Volume,
        *,
        refine: Refine = Refine.NONE,
        alignment: Alignment = Alignment.CENTER,
        components: int | None = None,
        refinement: RefinementConfig | None = None,
        on_stage: OnStage = unwatched,
    ) -> Registration:
        """Find the field that brings ``moving`` onto ``fixed``.

        Args:
            refine: optimise at test time; the images' true labels are never asked for.
            alignment: how the model's grid is laid over each image.
            components: decode only what the basis' first components hold of the latent difference.
            refinement: other weights than the defaults of ``refine``; the latent step before a field's keeps its own.
            on_stage: told how far this is.

        Raises:
            EmptyVolumeError: an image without contrast.
            ComponentOutOfRangeError: more components than the basis has.
        """
        stages = Stages(_work(refine), on_stage)
        stages.begin("encode")
        moving_grid, fixed_grid = self.preprocessing.grids_for_pair(moving, fixed, alignment)
        moving_image, encoded_moving = self._prepared(moving, moving_grid)
        fixed_image, encoded_fixed = self._prepared(fixed, fixed_grid)
        difference = encoded_moving.code - encoded_fixed.code
        if components is not None:
            difference = torch.from_numpy(self.basis.truncate(difference.numpy(), components).astype(np.float32))
        z = difference[None].to(self.device)
        latent_weights, field_weights = self._default_weights()
        if refine is Refine.LATENT:
            latent_weights = refinement or latent_weights
        else:
            field_weights = refinement or field_weights
        features = bool(latent_weights.features or field_weights.features)
        moving_target = self._target(moving_image, encoded_moving, features)
        fixed_target = self._target(fixed_image, encoded_fixed, features)
        if refine is not Refine.NONE:
            stages.begin("refine")
            prior = LatentPrior(self.bundle.basis, self.device) if self.bundle.basis is not None else None
            with autocast(self.device, self.precision):
                z = refine_latent(
                    self.network, z, moving_target, fixed_target, prior, latent_weights, on_step=stages.within
                )
        stages.begin("decode")
        with torch.inference_mode():
            forward, backward = self._decode(torch.cat([z, -z])).split(1)
        residual = 0.0
        if refine is Refine.FIELD:
            stages.begin("refine field")
            refined = refine_field(forward.clone(), moving_target, fixed_target, field_weights, on_step=stages.within)
            residual = float((refined - forward).square().sum(dim=1).mean().sqrt()) * float(
                np.mean(self.preprocessing.spacing)
            )
            forward = refined
        stages.begin("field")
        field = field_from_model(_to_array(forward), moving_grid, fixed_grid, fixed.geometry)
        guess = field_from_model(_to_array(backward), fixed_grid, moving_grid, moving.geometry)
        stages.begin("invert")
        inverse = invert(field, moving.geometry, guess)
        stages.end()
        return Registration(
            field=field,
            inverse_field=inverse,
            moving_code=np.asarray(encoded_moving.code.numpy()),
            fixed_code=np.asarray(encoded_fixed.code.numpy()),
            latent_difference=np.asarray(z[0].cpu().numpy()),
            refinement_residual_mm=residual,
            predicted_moving=self._predicted(encoded_moving, moving_grid, moving.geometry),
            predicted_fixed=self._predicted(encoded_fixed, fixed_grid, fixed.geometry),
            timings=stages.seconds,
        )

    def _prepared(self, volume: Volume, grid: Geometry) -> tuple[FloatArray, EncodedVolume]:
        volume.require_contrast()
        image = self.preprocessing.prepare(volume, grid)
        return image, self.codes.get(image, lambda: self._encode(image), volume)

    @torch.inference_mode()
    def _encode(self, image: FloatArray) -> EncodedVolume:
        batch = torch.from_numpy(image)[None, None].to(self.device)
        parts, features = self.network.encoder(batch)
        probabilities = None
        if self.network.segmentation_head is not None:
            with autocast(self.device, self.precision):
                logits = self.network.segmentation_head(batch, features)
            probabilities = label_probabilities(logits)[0].cpu()
        # Clones are ordinary tensors, that a refinement may differentiate through.
        with torch.inference_mode(False):
            code = self.network.flatten(parts)[0].cpu().clone()
            return EncodedVolume(code, None if probabilities is None else probabilities.clone())

    def _decode(self, difference: Tensor) -> Tensor:
        with autocast(self.device, self.precision):
            return self.network.decode(difference)

    def _default_weights(self) -> tuple[RefinementConfig, RefinementConfig]:
        """Of the latent difference and of the field; without predicted labels the intensities have to serve."""
        if self.network.segmentation_head is not None:
            return LATENT_DEFAULTS, FIELD_DEFAULTS
        return replace(LATENT_DEFAULTS, similarity=1.0, prior=0.02), replace(FIELD_DEFAULTS, similarity=1.0)

    @torch.no_grad()
    def _target(self, image: FloatArray, encoded: EncodedVolume, with_features: bool) -> RefinementTarget:
        batch = torch.from_numpy(image)[None, None].to(self.device)
        probabilities = None if encoded.probabilities is None else encoded.probabilities[None].to(self.device)
        features = None
        if with_features:
            features = level_features(self.network.encoder(batch)[1], self.network.architecture.shape)
        return RefinementTarget(batch, probabilities, features)

    def _predicted(self, encoded: EncodedVolume, grid: Geometry, target: Geometry) -> Segmentation | None:
        if encoded.probabilities is None:
            return None
        return self._restore_labels(encoded.probabilities, grid, target)

    def _restore_labels(self, probabilities: Tensor, grid: Geometry, target: Geometry) -> Segmentation:
        found = probabilities.numpy()
        background = (1 - found.sum(axis=0, keepdims=True)).clip(0, 1)
        labels = (0, *self.labels.values())
        return restore_probabilities(np.concatenate([background, found]), labels, grid, target)


def _work(refine: Refine) -> dict[str, float]:
    """Stages in order with their usual shares of the time, on a processor."""
    work: dict[str, float] = {"encode": 6}
    if refine is not Refine.NONE:
        work["refine"] = 60
    work["decode"] = 2
    if refine is Refine.FIELD:
        work["refine field"] = 40
    return work | {"field": 1, "invert": 3}


def _to_array(displacement: Tensor) -> FloatArray:
    """(1, 3, X, Y, Z) → (X, Y, Z, 3) float32."""
    return np.ascontiguousarray(displacement[0].permute(1, 2, 3, 0).float().cpu().numpy())
