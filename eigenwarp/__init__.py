"""Explainable registration of 3-D medical volumes.

What the training package, the worker, the service and the bridge share: geometry, volumes,
fields, files, the basis and the schemas. Only ``eigenwarp.model`` needs torch.
"""

__version__ = "0.1.0"
