"""Submissions: each sends the volumes that the service does not hold, then the request, then waits."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

from pydantic import ValidationError

from eigenwarp.client.files import VolumeSource
from eigenwarp.client.job_calls import JobCalls
from eigenwarp.client.volume_calls import VolumeCalls
from eigenwarp.client.waiting import ProgressCallback
from eigenwarp.errors import OptionInvalidError
from eigenwarp.schemas.choices import AlignmentChoice, FieldFormatChoice, RefineChoice, ScaleUnit
from eigenwarp.schemas.document import Document
from eigenwarp.schemas.jobs import JobRow
from eigenwarp.schemas.localization import Localize, LocalizePair
from eigenwarp.schemas.requests import (
    DEFAULT_OUTPUTS,
    OutputName,
    ProjectRequest,
    ReconstructRequest,
    RegisterRequest,
    WarpRequest,
)

Request = TypeVar("Request", bound=Document)


class SubmissionCalls(VolumeCalls, JobCalls):
    """The part of ``Client`` that makes jobs.

    All take:

    - ``model``: a published model's ``name`` or ``name@version``; the service's default without.
    - ``wait``: return the job once it has succeeded, and raise what it failed with; else return it as accepted.
    - ``progress``: called with each event while waiting.
    - ``idempotency_key``: the same key gives the same job, also after a restart of the caller; a fresh one by default,
      so that no try of ours makes a second job.
    """

    def register(
        self,
        moving: VolumeSource,
        fixed: VolumeSource,
        *,
        moving_segmentation: VolumeSource | None = None,
        fixed_segmentation: VolumeSource | None = None,
        model: str | None = None,
        refine: RefineChoice = "none",
        outputs: Sequence[OutputName] = DEFAULT_OUTPUTS,
        field_format: FieldFormatChoice = "itk",
        alignment: AlignmentChoice = "center",
        components: int | None = None,
        localize: LocalizePair | None = None,
        wait: bool = True,
        progress: ProgressCallback | None = None,
        idempotency_key: str | None = None,
    ) -> JobRow:
        """Register ``moving`` onto ``fixed``. The finished job has a ``report``; ``download`` fetches its files.

        Args:
            moving_segmentation, fixed_segmentation: measured with, never registered with.
            refine, alignment, field_format: as on the command line.
            outputs: which results; ``explanation``, a picture, is made only where it is named.
            components: use only the first n of the basis.
            localize: find a structure in whole heads, and register the crops around it.
        """
        request = _request(
            RegisterRequest,
            moving=self._volume_id(moving, "image"),
            fixed=self._volume_id(fixed, "image"),
            moving_segmentation=self._segmentation_id(moving_segmentation),
            fixed_segmentation=self._segmentation_id(fixed_segmentation),
            model=model,
            options={
                "refine": refine,
                "outputs": tuple(outputs),
                "field_format": field_format,
                "alignment": alignment,
                "components": components,
                "localize": localize,
            },
        )
        return self._submit("/register", request, wait, progress, idempotency_key)

    def project(
        self,
        volume: VolumeSource,
        *,
        subject: str | None = None,
        acquired_at: datetime | None = None,
        model: str | None = None,
        alignment: AlignmentChoice = "center",
        localize: Localize | None = None,
        wait: bool = True,
        progress: ProgressCallback | None = None,
        idempotency_key: str | None = None,
    ) -> JobRow:
        """Express a volume in the basis. The finished job has a ``projection``.

        Args:
            subject: keep the coefficients in this subject's history.
            acquired_at: aware; by what the history is sorted.
            localize: find a structure in a whole head, and express the crop around it.
        """
        request = _request(
            ProjectRequest,
            volume=self._volume_id(volume, "image"),
            subject=subject,
            acquired_at=acquired_at,
            model=model,
            alignment=alignment,
            localize=localize,
        )
        return self._submit("/project", request, wait, progress, idempotency_key)

    def reconstruct(
        self,
        coefficients: Sequence[float],
        *,
        template: VolumeSource | None = None,
        model: str | None = None,
        field_format: FieldFormatChoice = "itk",
        wait: bool = True,
        progress: ProgressCallback | None = None,
        idempotency_key: str | None = None,
    ) -> JobRow:
        """The deformation that coefficients stand for, and the template warped with it.

        Args:
            coefficients: a_1 … a_n, n ≤ K; the others are 0.
            template: what to warp; the model's own by default.
        """
        request = _request(
            ReconstructRequest,
            coefficients=tuple(coefficients),
            template=None if template is None else self._volume_id(template, "image"),
            model=model,
            field_format=field_format,
        )
        return self._submit("/reconstruct", request, wait, progress, idempotency_key)

    def warp(
        self,
        component: int,
        volume: VolumeSource,
        *,
        scale: float,
        unit: ScaleUnit = "sd",
        segmentation: VolumeSource | None = None,
        model: str | None = None,
        alignment: AlignmentChoice = "center",
        field_format: FieldFormatChoice = "itk",
        wait: bool = True,
        progress: ProgressCallback | None = None,
        idempotency_key: str | None = None,
    ) -> JobRow:
        """Move a volume and its segmentation along a component.

        Args:
            component: k, from 1.
            scale: how far, in ``unit``.
        """
        request = _request(
            WarpRequest,
            component=component,
            volume=self._volume_id(volume, "image"),
            segmentation=self._segmentation_id(segmentation),
            scale=scale,
            unit=unit,
            model=model,
            alignment=alignment,
            field_format=field_format,
        )
        return self._submit(f"/components/{component}/warp", request, wait, progress, idempotency_key)

    def _submit(
        self, path: str, request: Document, wait: bool, progress: ProgressCallback | None, idempotency_key: str | None
    ) -> JobRow:
        # What the path says is not said again.
        body = request.model_dump(mode="json", exclude={"kind", "component"}, exclude_none=True)
        headers = {"Idempotency-Key": idempotency_key or uuid4().hex}
        job = self._transport.document(JobRow, "POST", path, json=body, headers=headers)
        return self.wait(job, progress) if wait else job

    def _segmentation_id(self, source: VolumeSource | None) -> str | None:
        return None if source is None else self._volume_id(source, "segmentation")


def _request(kind: type[Request], **values: object) -> Request:
    """A request, checked before anything is sent for it.

    Raises:
        OptionInvalidError: a value out of range; it is named.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise OptionInvalidError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
