"""The PCA basis of the encodings, as arrays: no torch, no scikit-learn."""

from eigenwarp.basis.basis import Basis

__all__ = ["Basis"]
