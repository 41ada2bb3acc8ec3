"""What the bridge refuses, puts off or cannot do at its edge; what is wrong with a series is in ``bridge.errors``."""

from eigenwarp.errors import EigenwarpError


class InstanceInvalidError(EigenwarpError):
    """What came is no DICOM instance, or one without its UIDs."""

    code = "instance-invalid"


class ArchiveUnreachableError(EigenwarpError):
    """The archive does not answer, or asks to come again later."""

    code = "archive-unreachable"


class ArchiveRefusedError(EigenwarpError):
    """The archive refuses an object or a question, and says so."""

    code = "archive-refused"


class NotConfirmedError(EigenwarpError):
    """The archive took objects that it then does not list."""

    code = "not-confirmed"


class PriorMissingError(EigenwarpError):
    """The archive has no earlier study of the patient that the rule would take."""

    code = "prior-missing"


class SegmentationMissingError(EigenwarpError):
    """The study has no SEG yet that a rule takes its region of interest from."""

    code = "segmentation-missing"


class SegmentationAmbiguousError(EigenwarpError):
    """The study has several SEGs that a rule could take its region of interest from."""

    code = "segmentation-ambiguous"


class SegmentationUnusableError(EigenwarpError):
    """The SEG that a rule takes its region of interest from shows no place in the patient."""

    code = "segmentation-unusable"


class SideUnknownError(EigenwarpError):
    """Left or right is wanted and the series does not say which."""

    code = "side-unknown"


class JobUnknownHereError(EigenwarpError):
    """No job, or several, whose key begins so."""

    code = "bridge-job-unknown"
