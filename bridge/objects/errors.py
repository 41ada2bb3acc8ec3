"""What can go wrong between a job's results and the objects that tell of them."""

from eigenwarp.errors import EigenwarpError


class FindingInvalidError(EigenwarpError):
    """The parts of a finding do not belong together, or an object needs one that is missing."""

    code = "finding-invalid"


class RegistrationObjectError(EigenwarpError):
    """A Deformable Spatial Registration does not hold a grid that can be read."""

    code = "registration-object-invalid"
