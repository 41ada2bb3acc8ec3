"""The archive that the configuration names."""

from bridge.archive.archive import Archive
from bridge.archive.association import tls_of
from bridge.archive.dicomweb import DicomwebClientArchive
from bridge.archive.dimse import DimseArchive
from bridge.archive.retrievals import Retrievals
from bridge.config import BridgeConfig
from bridge.config.archive import DicomwebArchive

_TITLE_WITHOUT_LISTENER = "EIGENWARP"


def own_title(config: BridgeConfig) -> str:
    """How the bridge calls itself towards others."""
    return _TITLE_WITHOUT_LISTENER if config.listener is None else config.listener.ae_title


def open_archive(config: BridgeConfig, retrievals: Retrievals) -> Archive:
    """Nothing is asked yet.

    Args:
        retrievals: of the listener.

    Raises:
        OptionInvalidError: a secret cannot be read, or a certificate does not serve.
    """
    if config.commitment is not None:
        tls_of(config.commitment)
    if isinstance(config.archive, DicomwebArchive):
        return DicomwebClientArchive(config.archive)
    tls_of(config.archive)
    return DimseArchive(config.archive, own_title(config), retrievals)
