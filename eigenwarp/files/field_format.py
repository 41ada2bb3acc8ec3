"""The file formats of a displacement field, by the programs that read them."""

from enum import StrEnum


class FieldFormat(StrEnum):
    """What a field file's numbers mean.

    All but ``learn2reg`` are NIfTI of shape (X, Y, Z, 1, 3) with the fixed image's affine, in millimetres.

    - ``itk``: LPS components, intent 1007. ANTs, SimpleITK, any ITK.
    - ``ras``: RAS components, intent 1006. 3D Slicer, ITK from 5.4 on.
    - ``niftyreg``: RAS components, intent 1007 named ``NREG_TRANS`` with parameter 1. NiftyReg's ``reg_resample``.
    - ``learn2reg``: voxels in array order, (X, Y, Z, 3). Learn2Reg's evaluation script.
    """

    ITK = "itk"
    RAS = "ras"
    NIFTYREG = "niftyreg"
    LEARN2REG = "learn2reg"
