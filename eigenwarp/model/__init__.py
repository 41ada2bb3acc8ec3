"""The registration network, its warps, its bundles and the refinement at test time. Needs torch."""

from eigenwarp.model.architecture import Architecture, Norm, Skips
from eigenwarp.model.network import Displacements, RegistrationNetwork

__all__ = ["Architecture", "Displacements", "Norm", "RegistrationNetwork", "Skips"]
