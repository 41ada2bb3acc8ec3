"""Results: fetched, checked, and read into memory or files."""

import io
from collections.abc import Collection
from pathlib import Path
from uuid import uuid4

from eigenwarp.client.download import Download
from eigenwarp.client.files import result_filename
from eigenwarp.client.job_calls import Job, JobCalls
from eigenwarp.errors import FileUnreadableError, ResultUnknownError
from eigenwarp.field import DisplacementField
from eigenwarp.files import FieldFormat, field_from_bytes
from eigenwarp.schemas.jobs import JobRow, ResultRow
from eigenwarp.volume import Geometry, Segmentation, Volume
from eigenwarp.volume.nifti import segmentation_from_bytes, volume_from_bytes


class ResultCalls(JobCalls):
    """The part of ``Client`` about results. Each is compared with the job's SHA-256 of it."""

    def result(self, job: Job, name: str) -> bytes:
        """One result's bytes; a broken download is taken up where it broke.

        Args:
            name: such as ``field``, ``warped`` or ``report``.

        Raises:
            ResultUnknownError: the job has no such result, or not yet.
            ResultDamagedError: what arrives is not what the job made.
        """
        sink = io.BytesIO()
        Download(self._transport, self._result_row(job, name), sink).run()
        return sink.getvalue()

    def download(self, job: Job, folder: str | Path, names: Collection[str] | None = None) -> dict[str, Path]:
        """Results into files such as ``field.nii.gz`` and ``report.json``, each there whole or not at all.

        Args:
            folder: made where it is missing; files of the same names are replaced.
            names: which; all of them by default.

        Returns:
            The files by the results' names.

        Raises:
            FileUnreadableError: something cannot be written; its path is named.
            EigenwarpError: as ``result``.
        """
        row = self._with_results(job)
        wanted = [result.name for result in row.results] if names is None else list(names)
        folder = Path(folder)
        written = {}
        for name in wanted:
            result = self._result_row(row, name)
            written[name] = folder / result_filename(result)
            self._write(result, written[name])
        return written

    def volume_result(self, job: Job, name: str = "warped") -> Volume:
        """A result that is an image: ``warped`` or ``jacobian``."""
        return volume_from_bytes(self.result(job, name))

    def segmentation_result(self, job: Job, name: str = "warped_segmentation") -> Segmentation:
        """A result that is a segmentation."""
        return segmentation_from_bytes(self.result(job, name))

    def field_result(self, job: Job, name: str = "field", moving: Geometry | None = None) -> DisplacementField:
        """A result that is a field: ``field``, ``inverse_field`` or ``deformation``, read in the format asked for.

        Args:
            moving: the grid that the field leads to, which ``learn2reg`` needs.
        """
        row = self.job(job) if isinstance(job, str) else job
        format = getattr(getattr(row.request, "options", row.request), "field_format", "itk")
        return field_from_bytes(self.result(row, name), FieldFormat(format), moving)

    def _with_results(self, job: Job) -> JobRow:
        return job if isinstance(job, JobRow) and job.results else self.job(job)

    def _result_row(self, job: Job, name: str) -> ResultRow:
        row = self._with_results(job)
        for result in row.results:
            if result.name == name:
                return result
        held = ", ".join(result.name for result in row.results) or "none"
        raise ResultUnknownError(f"job {row.id} ({row.state}) has no result {name!r}; it has {held}")

    def _write(self, result: ResultRow, path: Path) -> None:
        part = path.with_name(f".{path.name}.{uuid4().hex}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with part.open("xb") as file:
                    Download(self._transport, result, file).run()
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            part.replace(path)
        except OSError as error:
            raise FileUnreadableError(f"{path}: cannot be written: {error.strerror or type(error).__name__}") from None
