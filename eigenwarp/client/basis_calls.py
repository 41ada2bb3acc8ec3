"""The basis and the models that have one."""

from eigenwarp.client.transport import Transport
from eigenwarp.errors import OptionInvalidError
from eigenwarp.field import DisplacementField
from eigenwarp.files import FieldFormat, field_from_bytes
from eigenwarp.schemas.choices import FieldFormatChoice, ScaleUnit
from eigenwarp.schemas.components import ComponentRow, ComponentTable
from eigenwarp.schemas.models import PublishedList, PublishedManifest, PublishedRow


class BasisCalls:
    """The part of ``Client`` about models and components. ``model`` is a ``name`` or ``name@version``."""

    _transport: Transport

    def models(self) -> list[PublishedRow]:
        """Every published version; of each name the latest first."""
        return self._transport.document(PublishedList, "GET", "/models").models

    def model(self, name: str, version: str) -> PublishedManifest:
        """A version's manifest: provenance, preprocessing, labels, measured accuracy.

        Raises:
            ModelUnknownError: no such version.
        """
        return self._transport.document(PublishedManifest, "GET", f"/models/{name}/{version}")

    def template(self, name: str, version: str) -> bytes:
        """A version's template, a ``.nii.gz`` file: what a subject is registered with to be compared with the cohort.

        Raises:
            ModelUnknownError: no such version, or one without a template.
        """
        return self._transport.call("GET", f"/models/{name}/{version}/template").content

    def template_labels(self, name: str, version: str) -> bytes:
        """The segmentation of a version's template, a ``.nii.gz`` file.

        Raises:
            ModelUnknownError: no such version, or one without a template.
        """
        return self._transport.call("GET", f"/models/{name}/{version}/template/labels").content

    def components(self, model: str | None = None) -> ComponentTable:
        """What each component explains and does.

        Raises:
            ModelUnknownError: no such model.
        """
        return self._transport.document(ComponentTable, "GET", "/components", params=_of(model))

    def component_row(self, component: int, model: str | None = None) -> ComponentRow:
        """One row of ``components``.

        Raises:
            ComponentOutOfRangeError: no such component.
        """
        return self._transport.document(ComponentRow, "GET", f"/components/{component}", params=_of(model))

    def component(
        self,
        component: int,
        *,
        scale: float = 1.0,
        unit: ScaleUnit = "sd",
        format: FieldFormatChoice = "itk",
        model: str | None = None,
    ) -> bytes:
        """A component's field on the template's grid, as a ``.nii.gz`` file.

        Args:
            component: k, from 1.
            scale: how far along it, in ``unit``; negative for the other way.

        Raises:
            ComponentOutOfRangeError: no such component.
        """
        params = {"scale": scale, "unit": unit, "format": format, **_of(model)}
        return self._transport.call("GET", f"/components/{component}/deformation", params=params).content

    def component_field(
        self, component: int, *, scale: float = 1.0, unit: ScaleUnit = "sd", model: str | None = None
    ) -> DisplacementField:
        """As ``component``, in memory."""
        content = self.component(component, scale=scale, unit=unit, format="ras", model=model)
        return field_from_bytes(content, FieldFormat.RAS)

    def component_figure(
        self, component: int, *, scale: float = 1.0, unit: ScaleUnit = "sd", model: str | None = None
    ) -> bytes:
        """A component's picture, a PNG file."""
        params = {"scale": scale, "unit": unit, **_of(model)}
        return self._transport.call("GET", f"/components/{component}/figure.png", params=params).content


def _of(model: str | None) -> dict[str, str | int | float]:
    if model == "":
        raise OptionInvalidError("an empty model name")
    return {} if model is None else {"model": model}
