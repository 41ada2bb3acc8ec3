"""What keeps a patient inside the bridge: opaque ids outwards, encryption on disk."""

from bridge.privacy.pseudonyms import Pseudonyms
from bridge.privacy.secret import SiteSecret, open_secret
from bridge.privacy.vault import Vault

__all__ = ["Pseudonyms", "SiteSecret", "Vault", "open_secret"]
