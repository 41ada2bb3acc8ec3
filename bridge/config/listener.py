"""Who may send, and how much."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from bridge.config.section import AeTitle, Section


class Peer(Section):
    """An application entity that may open associations.

    Args:
        hosts: addresses that it may come from; any without.
    """

    ae_title: AeTitle
    hosts: tuple[str, ...] = ()


class ListenerTls(Section):
    """DICOM over TLS.

    Args:
        certificate, key: of this bridge, PEM.
        authority: that signed the peers' certificates; with it a peer without one is refused.
    """

    certificate: Path
    key: Path
    authority: Path | None = None


class Listener(Section):
    """The C-STORE SCP.

    Args:
        peers: who may call. Empty only on a loopback address.
        associations: at one time; one more is refused as busy.
        instance_bytes: of the largest instance that is taken.
        instances_per_minute: from one peer; 0 for no limit.
        free_bytes: that must remain on the disk; below it the peer is told that there is no room.
        idle_seconds: after which a silent association is given up.
    """

    ae_title: AeTitle = "EIGENWARP"
    host: str = "127.0.0.1"
    port: int = Field(default=11112, ge=0, le=65535)
    peers: tuple[Peer, ...] = ()
    tls: ListenerTls | None = None
    associations: int = Field(default=32, ge=1, le=1024)
    instance_bytes: int = Field(default=1 << 30, ge=1024)
    instances_per_minute: int = Field(default=0, ge=0)
    free_bytes: int = Field(default=1 << 30, ge=0)
    idle_seconds: float = Field(default=60.0, gt=0)

    @model_validator(mode="after")
    def _known_peers(self) -> Self:
        if not self.peers and self.host not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError(f"no peers are named, and {self.host} can be reached by others than this machine")
        return self
